#include "enm/formats/gguf_files.h"
#include "enm/formats/gguf_import.h"
#include "enm/formats/gguf_importance.h"

// A file that opens imports or says why not, with blocks and without; what its metadata tells is
// made or refused; so is what it tells of importance, in either format.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto files = std::make_shared<enm::MemoryFiles>();
  files->add("m.gguf", enm::Blob::borrow({data, size}));
  for (const bool keep_blocks : {true, false}) {
    const auto graph = enm::formats::import_gguf(*files, "m.gguf", {.keep_blocks = keep_blocks});
    if (!graph.ok()) continue;
    for (size_t id = 0; id < graph->value_count(); ++id) {
      const enm::graph::Tensor* tensor = graph->constant(static_cast<enm::graph::ValueId>(id));
      if (tensor != nullptr && !tensor->data.load().ok()) __builtin_trap();
    }
  }
  (void)enm::formats::read_importance(*files, "m.gguf");
  const enm::formats::GgufFiles told(files, "m.gguf");
  for (const char* name :
       {"config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    (void)told.open(name);
  }
  return 0;
}
