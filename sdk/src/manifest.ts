// manifest.json, with the rules and limits of enm/distribution/manifest.cc; see docs/formats/manifest.md.
import { parseCanonical, type Json } from './canonical.js';
import { corrupt, EdgeNetError } from './errors.js';
import { chunkCount, chunkSize, cid, merkleRoot } from './integrity.js';

export const maxManifestBytes = 16 << 20;
const maxArtifacts = 1024;
const maxTotalBytes = 2 ** 40;

/** One file of a model. */
export interface Artifact {
  name: string; // its key in the manifest
  filename: string; // relative to the model's folder
  size: number;
  sha256: string;
  chunks: readonly string[]; // SHA-256 of each 256 KiB, in hex
}

export interface Manifest {
  id: string;
  name: string;
  version: string;
  type: string;
  artifacts: readonly Artifact[];
  totalSize: number;
  /** All of it, members unknown here included. */
  json: Readonly<Record<string, Json>>;
}

/** "name" or "name@version". */
export interface ModelRef {
  id: string;
  version?: string | undefined;
}

type JsonObject = { [key: string]: Json };

function member<T>(
  json: Json,
  key: string,
  is: (value: Json | undefined) => value is T & Json,
  expected: string,
): T {
  const value = typeof json === 'object' && json !== null && !Array.isArray(json) ? json[key] : undefined;
  if (!is(value)) {
    throw corrupt(
      `key "${key}": expected ${expected}, got ${JSON.stringify(value)?.slice(0, 80) ?? 'nothing'}`,
    );
  }
  return value;
}
const isText = (value: Json | undefined): value is string => typeof value === 'string';
const isSize = (value: Json | undefined): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= maxTotalBytes;
const isDigest = (value: Json | undefined): value is string => isText(value) && /^[0-9a-f]{64}$/.test(value);
const isObject = (value: Json | undefined): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const text = (json: Json, key: string): string => {
  const value = member(json, key, isText, 'text');
  const bytes = new TextEncoder().encode(value).length;
  if (bytes === 0 || bytes > 1024) throw corrupt(`key "${key}": ${bytes} bytes; expected 1 to 1024`);
  return value;
};

// Names that Windows finds in every folder, with or without an extension.
const isDevice = (part: string): boolean =>
  /^(con|prn|aux|nul|(com|lpt)[0-9])$/i.test(part.split('.', 1)[0]!);

function checkFilename(filename: string): void {
  const parts = filename.split('/');
  const plain = /^[A-Za-z0-9._\-+=@/]{1,255}$/.test(filename);
  if (
    !plain ||
    parts.some((part) => part === '' || part.startsWith('.') || part.endsWith('.') || isDevice(part))
  ) {
    throw corrupt(
      `file name ${JSON.stringify(filename)}; expected letters, digits and . _ - + = @ /, no part beginning or ending with a dot`,
    );
  }
  if (/^manifest\.(json|sig)$/i.test(filename)) {
    throw corrupt(`file name "${filename}" is the manifest's own`);
  }
}

export function checkModelId(id: string): string {
  if (/^[a-z0-9][a-z0-9._-]{0,127}$/.test(id) && !id.endsWith('.') && !isDevice(id)) return id;
  throw new EdgeNetError(
    'invalid_argument',
    `model id ${JSON.stringify(id)}; expected at most 128 of a-z, 0-9, '.', '_' and '-'`,
  );
}

export function checkVersion(version: string): string {
  if (/^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(version) && !version.endsWith('.')) return version;
  throw new EdgeNetError(
    'invalid_argument',
    `version ${JSON.stringify(version)}; expected something like 1.0.0`,
  );
}

export function parseModelRef(model: string): ModelRef {
  const at = model.indexOf('@');
  if (at < 0) return { id: checkModelId(model) };
  return { id: checkModelId(model.slice(0, at)), version: checkVersion(model.slice(at + 1)) };
}

async function readArtifact(name: string, json: Json): Promise<Artifact> {
  checkFilename(name);
  if (name === 'signature' || name === 'manifest') throw corrupt(`artifact name "${name}" is taken`);
  const filename = member(json, 'filename', isText, 'text');
  checkFilename(filename);
  const size = member(json, 'size', isSize, `0 to ${maxTotalBytes}`);
  const sha256 = member(json, 'sha256', isDigest, '64 hexadecimal digits');
  const areDigests = (value: Json | undefined): value is string[] =>
    Array.isArray(value) && value.length === chunkCount(size) && value.every(isDigest);
  const chunks: string[] = member(
    json,
    'chunks',
    areDigests,
    `${chunkCount(size)} digests for ${size} bytes`,
  );
  if (member(json, 'merkleRoot', isDigest, '64 hexadecimal digits') !== (await merkleRoot(chunks))) {
    throw corrupt('key "merkleRoot" is not that of the chunks');
  }
  if (member(json, 'cid', isText, 'text') !== (await cid(size, chunks))) {
    throw corrupt('key "cid" is not that of the chunks');
  }
  return { name, filename, size, sha256, chunks };
}

function checkCollisions(artifacts: readonly Artifact[]): void {
  const names = new Set<string>();
  for (const { filename } of artifacts) {
    const lower = filename.toLowerCase();
    if (names.has(lower)) throw corrupt(`file name "${filename}" stands twice`);
    names.add(lower);
  }
  for (const name of names) {
    for (let slash = name.indexOf('/'); slash >= 0; slash = name.indexOf('/', slash + 1)) {
      if (names.has(name.slice(0, slash))) {
        throw corrupt(`file name "${name}" needs a folder where another file is`);
      }
    }
  }
}

function checkIntegrity(json: Json): void {
  const profile = member(json, 'integrity', isObject, 'an object');
  const got = [profile['hash'], profile['chunkSize'], profile['merkleTree'], profile['cidProfile']];
  const expected = ['sha256', chunkSize, 'rfc6962', 'unixfs-v1-256k-174-raw'];
  if (got.some((value, i) => value !== expected[i])) {
    throw new EdgeNetError(
      'unsupported',
      `key "integrity": got ${JSON.stringify(got)}; expected ${JSON.stringify(expected)}`,
    );
  }
}

/** Reads and checks a manifest's bytes; the signature over them is verified elsewhere. */
export async function parseManifest(bytes: Uint8Array): Promise<Manifest> {
  if (bytes.length > maxManifestBytes) {
    throw new EdgeNetError(
      'resource_exhausted',
      `a manifest of ${bytes.length} bytes; at most ${maxManifestBytes} are accepted`,
    );
  }
  const json = parseCanonical(bytes, 'manifest');
  const members = member(json, 'artifacts', isObject, 'an object');
  const names = Object.keys(members);
  if (names.length === 0 || names.length > maxArtifacts) {
    throw corrupt(`${names.length} artifacts; expected 1 to ${maxArtifacts}`);
  }
  checkIntegrity(json);
  let id: string;
  let version: string;
  try {
    id = checkModelId(member(json, 'id', isText, 'text'));
    version = checkVersion(member(json, 'version', isText, 'text'));
  } catch (error) {
    throw corrupt((error as Error).message);
  }
  const artifacts: Artifact[] = [];
  for (const name of names) artifacts.push(await readArtifact(name, members[name]!));
  checkCollisions(artifacts);
  const totalSize = artifacts.reduce((sum, artifact) => sum + artifact.size, 0);
  if (totalSize > maxTotalBytes) {
    throw new EdgeNetError('resource_exhausted', `${totalSize} bytes in all; at most ${maxTotalBytes}`);
  }
  return {
    id,
    version,
    name: text(json, 'name'),
    type: text(json, 'type'),
    artifacts,
    totalSize,
    json: json as JsonObject,
  };
}

/** Semantic versioning's precedence: negative, zero or positive as `a` is before, beside or after `b`. */
export function compareVersions(a: string, b: string): number {
  const parse = (version: string) => {
    const [precedence = ''] = version.split('+', 1);
    const dash = precedence.indexOf('-');
    return dash < 0 ? [precedence, ''] : [precedence.slice(0, dash), precedence.slice(dash + 1)];
  };
  const [coreA = '', preA = ''] = parse(a);
  const [coreB = '', preB = ''] = parse(b);
  const order = compareLists(coreA, coreB);
  if (order !== 0) return order;
  if ((preA === '') !== (preB === '')) return preA === '' ? 1 : -1;
  return compareLists(preA, preB) || compareText(a, b);
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function compareLists(a: string, b: string): number {
  const x = a.split('.');
  const y = b.split('.');
  for (let i = 0; i < Math.min(x.length, y.length); ++i) {
    const order = compareParts(x[i]!, y[i]!);
    if (order !== 0) return order;
  }
  return x.length - y.length;
}

// Numbers by value, everything else as text; numbers come before text.
function compareParts(a: string, b: string): number {
  const [numberA, numberB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (numberA !== numberB) return numberA ? -1 : 1;
  if (!numberA) return compareText(a, b);
  const [x, y] = [BigInt(a), BigInt(b)];
  if (x === y) return 0;
  return x < y ? -1 : 1;
}
