#include "enm/base/bytes.h"
#include "enm/distribution/manifest.h"
#include "enm/net/hub_listing.h"

// The first line is a reference, the rest a listing.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = enm::as_text({data, size});
  const size_t line = std::min(text.find('\n'), text.size());
  const auto ref = enm::net::parse_hub_reference(text.substr(0, line));
  if (ref.ok() && enm::net::parse_hub_reference(ref->text())->text() != ref->text()) {
    __builtin_trap();
  }
  const std::string_view json = text.substr(std::min(line + 1, text.size()));
  enm::net::HubListing tree;
  (void)enm::net::add_hub_tree(json, tree);
  auto listing = enm::net::parse_hub_revision(json);
  if (!listing.ok() || !enm::net::finish_hub_listing(*listing).ok()) return 0;
  const auto files = enm::net::choose_hub_files(*listing, ref.ok() ? *ref : enm::net::HubRef());
  if (!files.ok()) return 0;
  for (const auto& file : *files) {
    if (!enm::distribution::check_file_name(file.name).ok()) __builtin_trap();
  }
  return 0;
}
