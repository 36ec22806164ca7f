// One thread of a module's pool: its own instance over the shared memory, its own stack and TLS.
import { parentPort, workerData } from 'node:worker_threads';

const { module, memory, index, stack, tls } = workerData;
const unused = () => {
  throw new Error('a worker thread does not touch files');
};
const { exports } = new WebAssembly.Instance(module, { env: { memory }, host: { file_size: unused, file_read: unused } });
exports.__stack_pointer.value = stack;
exports.__wasm_init_tls(tls);
parentPort.postMessage('ready');
exports.work(index);
