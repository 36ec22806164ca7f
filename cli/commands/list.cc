#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"
#include "enm/net/registry_list.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

enm::Status run(const enm::net::ListFilter& filter, const Context& context) {
  const std::string registry = context.config.registry();
  if (registry.starts_with("file:")) {
    return enm::Unsupported("a folder keeps no list; look into ", registry);
  }
  enm::net::HttpClient client(http_options(context));
  const auto models = enm::net::list_models(client, registry, filter);
  if (!models.ok()) return with_advice(models.status());
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  std::vector<std::vector<std::string>> rows = {
      {"ID", "VERSION", "TYPE", "QUANTIZATION", "SIZE", "CACHED"}};
  std::vector<RawJson> json;
  for (const auto& model : *models) {
    const bool cached = cache.find({model.id, model.version}).ok();
    rows.push_back({model.id, model.version, model.type,
                    model.quantization.empty() ? "-" : model.quantization, human_bytes(model.bytes),
                    cached ? "yes" : "no"});
    json.push_back(JsonObject()
                       .add("id", model.id)
                       .add("name", model.name)
                       .add("version", model.version)
                       .add("type", model.type)
                       .add("quantization", model.quantization)
                       .add("size", model.bytes)
                       .add("cached", cached)
                       .raw());
  }
  if (context.json) {
    context.print(to_json(json));
  } else if (models->empty()) {
    context.say(enm::cat("no such models at ", registry));
  } else {
    context.print(table(rows));
  }
  return {};
}

}  // namespace

void add_list(CLI::App& app, Context& context) {
  auto filter = std::make_shared<enm::net::ListFilter>();
  CLI::App* verb = app.add_subcommand("list", "Show the models of the registry");
  verb->add_option("text", filter->text, "Only those with this in their id or name");
  verb->add_option("--type", filter->type, "Only this type: text-generation, embedding");
  verb->add_option("--quantization", filter->quantization, "Only this one: INT4, INT8, FP16");
  verb->add_option("--family", filter->family, "Only this model family");
  verb->callback(
      [&context, filter] { context.run = [&context, filter] { return run(*filter, context); }; });
}

}  // namespace cli
