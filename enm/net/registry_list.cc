#include "enm/net/registry_list.h"

#include "enm/net/http_source.h"

namespace enm::net {
namespace {

constexpr size_t kMaxListed = 100'000;
constexpr int kPageSize = 100;

std::string query_of(const ListFilter& filter) {
  std::string query = cat("?limit=", kPageSize);
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) enm::append(query, cat("&", name, "=", url_escape(value)));
  };
  add("type", filter.type);
  add("quantization", filter.quantization);
  add("family", filter.family);
  add("q", filter.text);
  return query;
}

Result<ListedModel> listed(const Json& json) {
  ListedModel model;
  ENM_ASSIGN_OR_RETURN(model.id, json.get_string("id"));
  ENM_ASSIGN_OR_RETURN(model.name, json.get_string("name", model.id));
  ENM_ASSIGN_OR_RETURN(model.version, json.get_string("version"));
  ENM_ASSIGN_OR_RETURN(model.type, json.get_string("type"));
  ENM_ASSIGN_OR_RETURN(model.quantization, json.get_string("quantization", ""));
  ENM_ASSIGN_OR_RETURN(const int64_t bytes, json.get_int("size", 0));
  model.bytes = bytes > 0 ? static_cast<uint64_t>(bytes) : 0;
  return model;
}

// The target of `Link: <target>; rel="next"`, as a path of the registry; "" if there is none.
std::string next_page(const HttpAnswer& answer, const std::string& registry) {
  const std::string& link = answer.header("link");
  const size_t end = link.find('>');
  if (!link.starts_with('<') || end == std::string::npos ||
      link.find("rel=\"next\"", end) == std::string::npos) {
    return "";
  }
  std::string target = link.substr(1, end - 1);
  if (target.starts_with(registry)) target = target.substr(registry.size());
  return target.starts_with("/") ? target : "";
}

}  // namespace

Result<std::vector<ListedModel>> list_models(HttpClient& client, std::string_view registry,
                                             const ListFilter& filter) {
  const std::string base = without_slash(registry);
  std::vector<ListedModel> out;
  std::string page = "/v1/models" + query_of(filter);
  while (!page.empty()) {
    HttpRequest request;
    request.url = base + page;
    ENM_ASSIGN_OR_RETURN(const HttpAnswer answer, client.send(request));
    ENM_ASSIGN_OR_RETURN(const Json list, json_of(answer, base));
    if (!list.is_array() || out.size() + list.items().size() > kMaxListed) {
      return Corrupt(base, ": expected a list of at most ", kMaxListed, " models");
    }
    for (const Json& item : list.items()) {
      auto model = listed(item);
      if (!model.ok()) return model.status().in(base);
      out.push_back(*std::move(model));
    }
    page = list.items().empty() ? "" : next_page(answer, base);
  }
  return out;
}

}  // namespace enm::net
