// Writes the SDK's types of requests and results, sdk/src/engine/requests.ts, from schemas/requests.json; with --check
// says whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const schema = fileURLToPath(new URL('../schemas/requests.json', import.meta.url));
const types = fileURLToPath(new URL('../sdk/src/engine/requests.ts', import.meta.url));

function typeOf({ type, enum: values, items, $ref: reference }) {
  if (reference !== undefined) return reference.replace('#/$defs/', '');
  if (values !== undefined) return values.map((value) => `'${value}'`).join(' | ');
  if (type === 'array') return `readonly ${typeOf(items)}[]`;
  return type === 'integer' ? 'number' : type;
}

function interfaceOf([name, { properties, required = [], allOf = [] }]) {
  const lines = Object.entries(properties).flatMap(([key, property]) => {
    const { description, default: value } = property;
    const said = value === undefined ? description : `${description} ${value} unless said.`;
    return [`  /** ${said} */`, `  ${key}${required.includes(key) ? '' : '?'}: ${typeOf(property)};`];
  });
  const bases = allOf.length === 0 ? '' : ` extends ${allOf.map(typeOf).join(', ')}`;
  return [`export interface ${name}${bases} {`, ...lines, '}', ''].join('\n');
}

function requestTypes() {
  const { $defs } = JSON.parse(readFileSync(schema, 'utf8'));
  const head = '// Made by tools/request_types.mjs from schemas/requests.json.\n';
  return [head, Object.entries($defs).map(interfaceOf).join('\n')].join('');
}

if (process.argv[2] !== '--check') {
  writeFileSync(types, requestTypes());
} else if (readFileSync(types, 'utf8') !== requestTypes()) {
  console.error(`${types} is not what ${schema} says; run tools/request_types.mjs`);
  process.exit(1);
}
