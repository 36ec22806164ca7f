// A story by the WebAssembly core in Node: node story.mjs MODULE MODEL_FOLDER PROMPT TOKENS
// Prints the text, and the speed as JSON on the last line.
import { startModule } from '../../tests/wasm/module.mjs';

const [module, folder, prompt, tokens] = process.argv.slice(2);
const core = await startModule(module, { folder, threads: 2 });
core.open();
const made = core.generate({ prompt, maxTokens: Number(tokens), temperature: 0.8, topP: 0.95, seed: 3 });
console.log(made.text.trimEnd());
console.log(JSON.stringify({ isa: core.isa(), decode_tokens_per_second: (made.tokens - 1) / made.seconds.decode }));
await core.close();
