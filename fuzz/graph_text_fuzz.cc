#include "enm/base/bytes.h"
#include "enm/graph/text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto graph = enm::graph::from_text(enm::as_text({data, size}));
  if (!graph.ok()) return 0;
  // What was accepted prints, and its print is a fixed point.
  const auto text = enm::graph::to_text(*graph);
  if (!text.ok()) __builtin_trap();
  const auto again = enm::graph::from_text(*text);
  if (!again.ok() || *enm::graph::to_text(*again) != *text) __builtin_trap();
  return 0;
}
