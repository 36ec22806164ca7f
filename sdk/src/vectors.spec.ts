// tests/vectors: one set of figures that this package and the C++ library both must give.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { canonical, parseCanonical, type Json } from './canonical.js';
import { chunkCount, chunkLength, cid, merkleRoot } from './integrity.js';
import { verifySignature } from './signature.js';

interface Vectors {
  canonical: {
    numbers: [bits: string, text: string][];
    rewritten: [from: string, to: string][];
    accepted: string[];
    refused: string[];
  };
  integrity: {
    files: { text?: string; zeros?: number; numbered?: number; cid: string }[];
    roots: { leaves: number; root: string }[];
  };
  signature: Record<'accepted' | 'refused', Record<'publicKey' | 'message' | 'signature', string>[]>;
}

function vectors<Name extends keyof Vectors>(name: Name): Vectors[Name] {
  const url = new URL(`../../tests/vectors/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(url, 'utf8')) as Vectors[Name];
}
const encode = (text: string) => new TextEncoder().encode(text);
const hash = (bytes: Uint8Array | string) => createHash('sha256').update(bytes).digest('hex');

const { numbers, rewritten, accepted, refused } = vectors('canonical');

test('numbers are those of RFC 8785, or refused beyond 2^53', () => {
  assert.ok(numbers.length > 0);
  for (const [bits, text] of numbers) {
    const value = Buffer.from(bits, 'hex').readDoubleBE();
    if (Number.isInteger(value) && Math.abs(value) > 2 ** 53) {
      assert.throws(() => canonical(value), { code: 'corrupt' }, text);
    } else assert.equal(canonical(value), text);
  }
});

test('canonical forms are those of RFC 8785', () => {
  assert.ok(rewritten.length > 0 && accepted.length > 0 && refused.length > 0);
  for (const [from, to] of rewritten) {
    assert.equal(canonical(JSON.parse(from) as Json), to);
    assert.throws(() => parseCanonical(encode(from), 'x'), { code: 'corrupt' }, from);
  }
  for (const text of [...accepted, ...rewritten.map(([, to]) => to)]) {
    assert.deepEqual(parseCanonical(encode(text), 'x'), JSON.parse(text));
  }
  for (const text of refused) {
    assert.throws(() => parseCanonical(encode(text), 'x'), { code: 'corrupt' }, text);
  }
});

function chunkOf(
  { text, numbered }: { text?: string; numbered?: number },
  index: number,
  length: number,
): Buffer {
  if (text !== undefined) return Buffer.from(text);
  const chunk = Buffer.alloc(length);
  if (numbered === undefined) return chunk;
  chunk[0] = index & 255;
  if (length > 1) chunk[1] = index >> 8;
  return chunk;
}

test('CIDs are those of IPFS', async () => {
  const { files } = vectors('integrity');
  assert.ok(files.length > 0);
  for (const file of files) {
    const size = file.zeros ?? file.numbered ?? file.text!.length;
    const chunks = Array.from({ length: chunkCount(size) }, (_, i) =>
      hash(chunkOf(file, i, chunkLength(size, i))),
    );
    assert.equal(await cid(size, chunks), file.cid, `${size} bytes`);
  }
});

test('Merkle roots are those of RFC 6962', async () => {
  const { roots } = vectors('integrity');
  assert.ok(roots.length > 0);
  for (const { leaves, root } of roots) {
    assert.equal(
      await merkleRoot(Array.from({ length: leaves }, (_, i) => hash(String(i)))),
      root,
      `${leaves} leaves`,
    );
  }
});

test('signatures are those of RFC 8032', async () => {
  const vector = vectors('signature');
  const base64 = (hex: string) => Buffer.from(hex, 'hex').toString('base64');
  const verify = ({ publicKey, message, signature }: (typeof vector.accepted)[number]) => {
    const file = encode(canonical({ algorithm: 'Ed25519', keyId: 'rfc', signature: base64(signature) }));
    return verifySignature(new Uint8Array(Buffer.from(message, 'hex')), file, [
      { keyId: 'rfc', publicKey: base64(publicKey) },
    ]);
  };
  assert.ok(vector.accepted.length > 0 && vector.refused.length > 0);
  for (const entry of vector.accepted) assert.equal(await verify(entry), 'rfc');
  for (const entry of vector.refused) await assert.rejects(verify(entry));
});
