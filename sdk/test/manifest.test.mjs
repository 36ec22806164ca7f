import assert from 'node:assert/strict';
import { generateKeyPairSync, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { canonical } from '../dist/canonical.js';
import { compareVersions, parseManifest, parseModelRef } from '../dist/manifest.js';
import { verifySignature } from '../dist/signature.js';
import { makeModels } from './models.mjs';

let models;
let manifest;
let signature;
before(() => {
  models = makeModels();
  manifest = new Uint8Array(readFileSync(join(models.story, 'manifest.json')));
  signature = new Uint8Array(readFileSync(join(models.story, 'manifest.sig')));
});
after(() => models.remove());

const encode = (text) => new TextEncoder().encode(text);
const changed = (change) => {
  const json = JSON.parse(new TextDecoder().decode(manifest));
  change(json);
  return encode(canonical(json));
};

test("reads what the native program signed", async () => {
  const read = await parseManifest(manifest);
  assert.equal(`${read.id}@${read.version} ${read.type}`, 'story@1.1.0 text-generation');
  assert.equal(read.artifacts.length, 5);
  assert.equal(await verifySignature(manifest, signature, [models.key]), 'team');
});

test('a flipped byte is always found', async () => {
  for (let i = 0; i < 200; ++i) {
    const [m, s] = [manifest.slice(), signature.slice()];
    const at = Math.floor((i * (m.length + s.length)) / 200);
    if (at < m.length) m[at] ^= 1;
    else s[at - m.length] ^= 1;
    await assert.rejects(verifySignature(m, s, [models.key]), /./, `byte ${at}`);
  }
});

test('signatures are those of node:crypto', async () => {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(12).toString('base64');
  const sig = encode(canonical({ algorithm: 'Ed25519', keyId: 'me', signature: sign(null, manifest, privateKey).toString('base64') }));
  assert.equal(await verifySignature(manifest, sig, [models.key, { keyId: 'me', publicKey: raw }]), 'me');
  await assert.rejects(verifySignature(manifest, sig, [models.key]), { code: 'untrusted' });
  await assert.rejects(verifySignature(manifest, sig, [{ keyId: 'me', publicKey: models.key.match(/MCow(.*)$/m)[0].slice(16) }]), { code: 'untrusted' });
  await assert.rejects(verifySignature(manifest, undefined, [models.key]), { code: 'untrusted' });
  await assert.rejects(verifySignature(manifest, sig, ['no key']), { code: 'invalid_argument' });
});

test('manifests that contradict themselves are refused', async () => {
  const model = (json) => json.artifacts['model'] ?? Object.values(json.artifacts)[0];
  const wrongs = {
    'no artifacts': (json) => (json.artifacts = {}),
    'a missing id': (json) => delete json.id,
    'an id with a slash': (json) => (json.id = 'a/b'),
    'a size that the chunks do not have': (json) => (model(json).size += 262144),
    'a negative size': (json) => (model(json).size = -1),
    'another root': (json) => (model(json).merkleRoot = '0'.repeat(64)),
    'another CID': (json) => (model(json).cid = 'bafy'),
    'upper-case digests': (json) => (model(json).sha256 = model(json).sha256.toUpperCase().replace(/[0-9]/g, 'A')),
    'a way out': (json) => (model(json).filename = '../model.onnx'),
    'an absolute path': (json) => (model(json).filename = '/model.onnx'),
    'a device': (json) => (model(json).filename = 'NUL.onnx'),
    'its own name': (json) => (model(json).filename = 'Manifest.json'),
    'two files of one name': (json) => Object.values(json.artifacts).forEach((one) => (one.filename = 'x')),
    'no name': (json) => (json.name = ''),
  };
  for (const [what, change] of Object.entries(wrongs)) await assert.rejects(parseManifest(changed(change)), { code: 'corrupt' }, what);
  await assert.rejects(parseManifest(changed((json) => (json.integrity.hash = 'sha512'))), { code: 'unsupported' });
  await parseManifest(changed((json) => (json.license = 'MIT')));
});

test('versions have the precedence of semver', () => {
  const rising = ['1.0.0-alpha', '1.0.0-alpha.1', '1.0.0-alpha.beta', '1.0.0-beta', '1.0.0-beta.2', '1.0.0-beta.11', '1.0.0-rc.1', '1.0.0', '1.0.0+b', '1.2.0', '1.10.0', '2.0.0'];
  for (let i = 0; i < rising.length; ++i) {
    for (let j = 0; j < rising.length; ++j) assert.equal(Math.sign(compareVersions(rising[i], rising[j])), Math.sign(i - j), `${rising[i]} ${rising[j]}`);
  }
});

test('references are ids with or without a version', () => {
  assert.deepEqual(parseModelRef('phi-1.5-q4@1.0.0'), { id: 'phi-1.5-q4', version: '1.0.0' });
  assert.deepEqual(parseModelRef('phi'), { id: 'phi' });
  for (const bad of ['', 'A', 'a/b', '../a', 'a@', 'a@ ', 'nul']) assert.throws(() => parseModelRef(bad), { code: 'invalid_argument' }, bad);
});
