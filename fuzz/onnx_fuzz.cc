#include "enm/formats/onnx_reader.h"
#include "enm/formats/onnx_writer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  enm::MemoryFiles files;
  files.add("m.onnx", enm::Blob::borrow({data, size}));
  const auto graph = enm::formats::read_onnx(files, "m.onnx");
  if (!graph.ok()) return 0;
  // What was accepted can be written and read again.
  enm::formats::MemorySink sink;
  if (!enm::formats::write_onnx(*graph, sink).ok()) return 0;
  enm::MemoryFiles again;
  again.add("m.onnx", enm::Blob::borrow(sink.bytes()));
  if (!enm::formats::read_onnx(again, "m.onnx").ok()) __builtin_trap();
  return 0;
}
