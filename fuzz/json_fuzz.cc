#include "enm/base/bytes.h"
#include "enm/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto json = enm::Json::parse(enm::as_text({data, size}), {.max_bytes = 1 << 20});
  // What was accepted survives being quoted and read again.
  if (json.ok() && json->is_string()) {
    const auto again = enm::Json::parse(enm::json_quote(json->string()));
    if (!again.ok() || again->string() != json->string()) __builtin_trap();
  }
  return 0;
}
