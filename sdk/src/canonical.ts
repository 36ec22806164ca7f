import { decodeUtf8 } from './bytes.js';
import { corrupt } from './errors.js';

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

const maxDepth = 32;

/** RFC 8785. Refused: integers beyond 2^53, text that is not well-formed UTF-16, nesting beyond 32. */
export function canonical(value: Json, depth = 0): string {
  if (depth > maxDepth) throw corrupt(`JSON nested deeper than ${maxDepth}`);
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, depth + 1)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.keys(value).sort(); // by UTF-16 code units, as the RFC wants
    return `{${members.map((key) => `${text(key)}:${canonical(value[key]!, depth + 1)}`).join(',')}}`;
  }
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) > 2 ** 53) {
    throw corrupt(`number ${value} is beyond 2^53`);
  }
  return JSON.stringify(value);
}

function text(value: string): string {
  // A lone surrogate is the one thing that JSON.stringify escapes and the RFC forbids.
  if (/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)) {
    throw corrupt('text with a lone surrogate');
  }
  return JSON.stringify(value);
}

/** The value of bytes that are their own canonical form; anything else, also a key that stands twice, is refused. */
export function parseCanonical(bytes: Uint8Array, what: string): Json {
  let value: Json;
  let source: string;
  try {
    source = decodeUtf8(bytes);
    value = JSON.parse(source) as Json;
  } catch (cause) {
    throw corrupt(`[${what}] is no JSON: ${(cause as Error).message}`);
  }
  if (canonical(value) !== source) {
    throw corrupt(`[${what}] bytes are not the canonical form (RFC 8785) of their value`);
  }
  return value;
}
