#include <cstdio>

#include "enm/graph/text.h"
#include "fuzz/graph_run.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static enm::ThreadPool pool(2);
  enm::fuzz::Choices choices({data, size});
  const enm::fuzz::MadeGraph made = enm::fuzz::GraphMaker(choices).make();
  const enm::fuzz::Outcome outcome = enm::fuzz::run_made(made, choices, pool);
  if (outcome.differs.empty()) return 0;
  const auto text = enm::graph::to_text(made.graph);
  std::fprintf(stderr, "%s\n%s", outcome.differs.c_str(), text.ok() ? text->c_str() : "");
  __builtin_trap();
}
