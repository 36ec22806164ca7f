#include "enm/base/bytes.h"
#include "enm/base/file.h"
#include "enm/distribution/canonical.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/signature.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = enm::as_text({data, size});
  (void)enm::distribution::parse_signature(text);
  const auto manifest = enm::distribution::parse_manifest(text);
  if (!manifest.ok()) return 0;
  // What was accepted is its own canonical form, and names files below one folder only.
  const auto again = enm::distribution::canonical(manifest->json);
  if (!again.ok() || *again != text) __builtin_trap();
  for (const auto& artifact : manifest->artifacts) {
    if (!enm::check_relative_name(artifact.filename).ok()) __builtin_trap();
  }
  return 0;
}
