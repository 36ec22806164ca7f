import { env, pipeline } from '@huggingface/transformers';

env.allowLocalModels = true;
env.allowRemoteModels = false;
env.useBrowserCache = false;
env.localModelPath = '/models/';
env.backends.onnx.wasm.wasmPaths = '/ort/';
env.backends.onnx.wasm.numThreads = 1;

window.load = async (task, model, options) => {
  window.made = await pipeline(task, model, { ...options, device: 'wasm' });
};
window.write = async (prompt, tokens) =>
  (await window.made(prompt, { max_new_tokens: tokens, do_sample: false }))[0].generated_text;
window.embed = async (texts) => (await window.made(texts, { pooling: 'mean', normalize: true })).tolist();
window.ready = true;
