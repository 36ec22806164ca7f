#include "enm/formats/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  enm::MemoryFiles files;
  files.add("model.safetensors", enm::Blob::borrow({data, size}));
  const auto checkpoint = enm::formats::SafetensorsCheckpoint::open(files);
  if (!checkpoint.ok()) return 0;
  for (const std::string& name : checkpoint->names()) {
    const auto tensor = checkpoint->get(name);
    if (tensor.ok() && !tensor->data.load().ok()) __builtin_trap();
  }
  return 0;
}
