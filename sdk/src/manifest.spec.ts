import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { canonical, type Json } from './canonical.js';
import { compareVersions, parseManifest, parseModelRef } from './manifest.js';
import { verifySignature } from './signature.js';
import { makeModels, type Models } from '../test-support/models.mjs';

let models: Models;
let manifest: Uint8Array;
let signature: Uint8Array;
before(() => {
  models = makeModels();
  manifest = new Uint8Array(readFileSync(join(models.story, 'manifest.json')));
  signature = new Uint8Array(readFileSync(join(models.story, 'manifest.sig')));
});
after(() => models.remove());

const encode = (text: string) => new TextEncoder().encode(text);
type JsonObject = Record<string, Json>;
type Change = (json: JsonObject, artifacts: JsonObject[]) => void;

/** The manifest's bytes after `change`. */
function changed(change: Change): Uint8Array {
  const json = JSON.parse(new TextDecoder().decode(manifest)) as JsonObject;
  change(json, Object.values(json['artifacts'] as Record<string, JsonObject>));
  return encode(canonical(json));
}

test('reads what the native program signed', async () => {
  const read = await parseManifest(manifest);
  assert.equal(`${read.id}@${read.version} ${read.type}`, 'story@1.1.0 text-generation');
  assert.equal(read.artifacts.length, 5);
  assert.equal(await verifySignature(manifest, signature, [models.key]), 'team');
});

test('a flipped byte is always found', async () => {
  for (let i = 0; i < 200; ++i) {
    const [m, s] = [manifest.slice(), signature.slice()];
    const at = Math.floor((i * (m.length + s.length)) / 200);
    if (at < m.length) m[at]! ^= 1;
    else s[at - m.length]! ^= 1;
    await assert.rejects(verifySignature(m, s, [models.key]), /./, `byte ${at}`);
  }
});

test('signatures are those of node:crypto', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('base64');
  const sig = encode(
    canonical({
      algorithm: 'Ed25519',
      keyId: 'me',
      signature: sign(null, manifest, privateKey).toString('base64'),
    }),
  );
  assert.equal(await verifySignature(manifest, sig, [models.key, { keyId: 'me', publicKey: raw }]), 'me');
  await assert.rejects(verifySignature(manifest, sig, [models.key]), { code: 'untrusted' });
  await assert.rejects(
    verifySignature(manifest, sig, [{ keyId: 'me', publicKey: /MCow(.*)$/m.exec(models.key)![0].slice(16) }]),
    { code: 'untrusted' },
  );
  await assert.rejects(verifySignature(manifest, undefined, [models.key]), { code: 'untrusted' });
  await assert.rejects(verifySignature(manifest, sig, ['no key']), { code: 'invalid_argument' });
});

test('manifests that contradict themselves are refused', async () => {
  const wrongs: Record<string, Change> = {
    'no artifacts': (json) => {
      json['artifacts'] = {};
    },
    'a missing id': (json) => {
      delete json['id'];
    },
    'an id with a slash': (json) => {
      json['id'] = 'a/b';
    },
    'no name': (json) => {
      json['name'] = '';
    },
    'a size that the chunks do not have': (_, [first]) => {
      first!['size'] = (first!['size'] as number) + 262144;
    },
    'two files of one name': (_, artifacts) => {
      for (const one of artifacts) one['filename'] = 'x';
    },
  };
  const members: [string, string, Json][] = [
    ['a negative size', 'size', -1],
    ['another root', 'merkleRoot', '0'.repeat(64)],
    ['another CID', 'cid', 'bafy'],
    ['upper-case digests', 'sha256', 'A'.repeat(64)],
    ['a way out', 'filename', '../model.onnx'],
    ['an absolute path', 'filename', '/model.onnx'],
    ['a device', 'filename', 'NUL.onnx'],
    ['its own name', 'filename', 'Manifest.json'],
  ];
  for (const [what, key, value] of members) {
    wrongs[what] = (_, [first]) => {
      first![key] = value;
    };
  }
  for (const [what, change] of Object.entries(wrongs)) {
    await assert.rejects(parseManifest(changed(change)), { code: 'corrupt' }, what);
  }
  const otherHash: Change = (json) => {
    (json['integrity'] as JsonObject)['hash'] = 'sha512';
  };
  await assert.rejects(parseManifest(changed(otherHash)), { code: 'unsupported' });
  const license: Change = (json) => {
    json['license'] = 'MIT';
  };
  await parseManifest(changed(license));
});

test('versions have the precedence of semver', () => {
  const rising = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '1.0.0+b',
    '1.2.0',
    '1.10.0',
    '2.0.0',
  ];
  for (let i = 0; i < rising.length; ++i) {
    for (let j = 0; j < rising.length; ++j) {
      const [a, b] = [rising[i]!, rising[j]!];
      assert.equal(Math.sign(compareVersions(a, b)), Math.sign(i - j), `${a} ${b}`);
    }
  }
});

test('references are ids with or without a version', () => {
  assert.deepEqual(parseModelRef('phi-1.5-q4@1.0.0'), { id: 'phi-1.5-q4', version: '1.0.0' });
  assert.deepEqual(parseModelRef('phi'), { id: 'phi' });
  for (const bad of ['', 'A', 'a/b', '../a', 'a@', 'a@ ', 'nul']) {
    assert.throws(() => parseModelRef(bad), { code: 'invalid_argument' }, bad);
  }
});
