import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';

import { MemoryBlockstore } from 'blockstore-core';
import { importer, type ImporterOptions, type ImportResult } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';

import { canonical, parseCanonical, type Json } from './canonical.js';
import { chunkSize, cid, merkleRoot } from './integrity.js';

const hash = (...parts: (Uint8Array | string)[]): Buffer =>
  parts.reduce((sum, part) => sum.update(part), createHash('sha256')).digest();
const encode = (text: string) => new TextEncoder().encode(text);

/** Bytes that no two places share. */
function someBytes(size: number): Uint8Array {
  const out = new Uint8Array(size);
  for (let i = 0, seed = 1; i < size; ++i) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    out[i] = seed >>> 24;
  }
  return out;
}

function chunksOf(bytes: Uint8Array): Buffer[] {
  const out: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += chunkSize) out.push(hash(bytes.subarray(at, at + chunkSize)));
  return out;
}

async function importedCid(bytes: Uint8Array): Promise<string> {
  const options: ImporterOptions = {
    cidVersion: 1,
    rawLeaves: true,
    chunker: fixedSize({ chunkSize: 262144 }),
    layout: balanced({ maxChildrenPerNode: 174 }),
    wrapWithDirectory: false,
  };
  let last: ImportResult | undefined;
  for await (const entry of importer([{ path: 'file', content: bytes }], new MemoryBlockstore(), options)) {
    last = entry;
  }
  return last!.cid.toString();
}

test('CIDs are what IPFS gives', async () => {
  for (const size of [
    0,
    1,
    chunkSize - 1,
    chunkSize,
    chunkSize + 1,
    3 * chunkSize,
    174 * chunkSize,
    174 * chunkSize + 1,
  ]) {
    const bytes = someBytes(size);
    assert.equal(
      await cid(
        size,
        chunksOf(bytes).map((digest) => digest.toString('hex')),
      ),
      await importedCid(bytes),
      `${size} bytes`,
    );
  }
});

// RFC 6962, 2.1, word by word: MTH(D[n]) = H(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two below n.
function treeHash(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return hash(Buffer.alloc(0));
  if (leaves.length === 1) return hash(Buffer.of(0), leaves[0]!);
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return hash(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)));
}

test('Merkle roots are RFC 6962 over the chunk digests', async () => {
  for (let n = 0; n < 40; ++n) {
    const leaves = Array.from({ length: n }, (_, i) => hash(String(i)));
    assert.equal(
      await merkleRoot(leaves.map((leaf) => leaf.toString('hex'))),
      treeHash(leaves).toString('hex'),
      `${n} leaves`,
    );
  }
});

test('canonical JSON is RFC 8785', () => {
  const value = JSON.parse(
    '{"\\u20ac":1,"\\r":2,"\\ufb33":3,"1":4,"\\ud83d\\ude00":5,"\\u0080":6,"\\u00f6":7}',
  ) as Json;
  assert.equal(canonical(value), '{"\\r":2,"1":4,"\u0080":6,"ö":7,"€":1,"😀":5,"\ufb33":3}');
  assert.equal(canonical([JSON.parse('333333333.33333329') as number]), '[333333333.3333333]');
  assert.deepEqual(parseCanonical(encode('{"a":[1,2.5,"x"]}'), 'x'), { a: [1, 2.5, 'x'] });
});

test('bytes that are not their own canonical form are refused', () => {
  const bad = [
    '{ }',
    '{"b":1,"a":2}',
    '{"a":1,"a":1}',
    '1.0',
    '1e3',
    '"\\u0061"',
    '[1] ',
    '9007199254740993',
    '9007199254740994',
    '-0',
    '"\\ud800"',
    '[',
    '',
    '\ufeff1',
    `${'['.repeat(40)}${']'.repeat(40)}`,
  ];
  for (const text of bad) assert.throws(() => parseCanonical(encode(text), 'x'), { code: 'corrupt' }, text);
  assert.throws(() => parseCanonical(Uint8Array.of(34, 0xff, 34), 'x'), { code: 'corrupt' });
});
