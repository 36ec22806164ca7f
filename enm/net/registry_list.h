// What a registry has.
#pragma once

#include <string>
#include <vector>

#include "enm/net/http_client.h"

namespace enm::net {

struct ListedModel {
  std::string id;
  std::string name;
  std::string version;  // the newest
  std::string type;
  std::string quantization;  // "" if not said
  uint64_t bytes = 0;
};

struct ListFilter {
  std::string type;
  std::string quantization;
  std::string family;
  std::string text;  // in id or name
};

/// All pages. What the registry says is not verified: it is for choosing, not for using.
Result<std::vector<ListedModel>> list_models(HttpClient& client, std::string_view registry,
                                             const ListFilter& filter);

}  // namespace enm::net
