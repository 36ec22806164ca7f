#include "enm/base/bytes.h"
#include "enm/formats/huggingface.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  // No tensors: what is tried is everything up to the first that is missing.
  constexpr char kEmptyCheckpoint[] = "\x02\0\0\0\0\0\0\0{}";
  enm::MemoryFiles files;
  files.add("config.json", enm::Blob::borrow({data, size}));
  files.add("modules.json", enm::Blob::borrow({data, size}));
  files.add("model.safetensors",
            enm::Blob::borrow(enm::as_bytes({kEmptyCheckpoint, sizeof kEmptyCheckpoint - 1})));
  (void)enm::formats::import_huggingface(files);
  return 0;
}
