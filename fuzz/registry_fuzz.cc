// The first line is a request target, the second a Range header, the rest a body.
#include "enm/base/bytes.h"
#include "registry/conditional.h"
#include "registry/publish_request.h"
#include "registry/target.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace registry = enm::registry;
  std::string_view text = enm::as_text({data, size});
  const auto line = [&] {
    const std::string_view out = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(out.size() + 1, text.size()));
    return out;
  };
  const auto target = registry::parse_target(line());
  if (target.ok() && target->segments.empty()) __builtin_trap();
  const auto range = registry::resolve_range(line(), 1000);
  const bool inside = range.offset < 1000 && range.size > 0 && range.size <= 1000 - range.offset;
  if (range.kind == registry::RangeAnswer::Kind::kPart && !inside) __builtin_trap();
  (void)registry::read_upload_request(text);
  const auto publish = registry::read_publish_request(text);
  if (publish.ok() && !enm::distribution::parse_manifest(publish->bytes.manifest).ok()) {
    __builtin_trap();
  }
  return 0;
}
