// A story by the WebAssembly core in Node: node story.mjs MODEL KEY.pem PROMPT TOKENS, from the registry EDGE_NET_REGISTRY.
// Prints the text, and the speed as JSON on the last line.
import { readFileSync } from 'node:fs';

import { InferenceSession } from '@ruvector/edge-net-models';

const [model, key, prompt, tokens] = process.argv.slice(2);
const session = await InferenceSession.create(model, {
  registry: process.env.EDGE_NET_REGISTRY,
  trustedKeys: [readFileSync(key, 'utf8')],
  cache: { storage: 'memory' },
  threads: 2,
});
const sampling = { maxTokens: Number(tokens), temperature: 0.8, topP: 0.95, seed: 3 };
const { text, decodeTokensPerSecond } = await session.generateStream(prompt, sampling).result;
console.log(text.trimEnd());
console.log(JSON.stringify({ isa: session.isa, decode_tokens_per_second: decodeTokensPerSecond }));
session.dispose();
