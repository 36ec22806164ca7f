// The types are those of the schema.
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

test('requests.ts is what tools/request_types.mjs makes of the schema', () => {
  const tool = fileURLToPath(new URL('../../../tools/request_types.mjs', import.meta.url));
  execFileSync(process.execPath, [tool, '--check'], { stdio: ['ignore', 'ignore', 'inherit'] });
});
