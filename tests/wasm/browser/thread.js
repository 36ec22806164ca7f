// One thread of the pool: its own instance over the shared memory, its own stack and TLS.
onmessage = async ({ data: { module, memory, index, stack, tls } }) => {
  const unused = () => {
    throw new Error('a pool thread does not touch files');
  };
  const host = { file_size: unused, file_read: unused };
  const { exports } = await WebAssembly.instantiate(module, { env: { memory }, host });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  postMessage('ready');
  exports.work(index);
};
