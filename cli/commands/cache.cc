#include "enm/distribution/cache.h"

#include <CLI/CLI.hpp>

#include <chrono>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "enm/net/hub_reference.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

int64_t seconds_now() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

enm::Status info(const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  ENM_ASSIGN_OR_RETURN(const uint64_t max_bytes, context.config.cache_max_size());
  const dist::CacheUsage usage = cache.usage();
  std::vector<std::vector<std::string>> rows = {{"MODEL", "VERSION", "SIZE", "LAST USED"}};
  std::vector<RawJson> json;
  for (dist::CachedModel& model : cache.models()) {
    model.id = enm::net::shown_model_id(model.id);
    const auto ago = static_cast<double>(std::max<int64_t>(0, seconds_now() - model.last_used));
    rows.push_back(
        {model.id, model.version, human_bytes(model.bytes), human_duration(ago) + " ago"});
    json.push_back(JsonObject()
                       .add("id", model.id)
                       .add("version", model.version)
                       .add("bytes", model.bytes)
                       .add("last_used", model.last_used)
                       .add("folder", model.folder)
                       .raw());
  }
  if (context.json) {
    context.print(JsonObject()
                      .add("directory", cache.folder())
                      .add("bytes", usage.blob_bytes)
                      .add("partial_bytes", usage.partial_bytes)
                      .add("max_bytes", max_bytes)
                      .add("models", json)
                      .str());
    return {};
  }
  context.print(enm::cat(cache.folder(), ": ", human_bytes(usage.blob_bytes), " of ",
                         human_bytes(max_bytes)));
  if (usage.partial_bytes > 0) {
    context.print(enm::cat(human_bytes(usage.partial_bytes), " of interrupted downloads"));
  }
  if (rows.size() > 1) context.print(table(rows));
  return {};
}

void say_freed(uint64_t bytes, const Context& context) {
  context.say(enm::cat("freed ", human_bytes(bytes)));
  if (context.json) context.print(JsonObject().add("freed_bytes", bytes).str());
}

// An id, or all that is here of a hub's model.
enm::Result<dist::ModelRef> parse_cached(const std::string& text) {
  if (!enm::net::is_hub_reference(text)) return dist::parse_model_ref(text);
  ENM_ASSIGN_OR_RETURN(const enm::net::HubRef ref, enm::net::parse_hub_reference(text));
  if (enm::net::HubRef{ref.repository}.text() == text) {
    return dist::ModelRef{enm::net::hub_cache_id(ref.repository), ""};
  }
  return enm::InvalidArgument("a hub's model is cleared as a whole: hf:", ref.repository);
}

struct ClearOptions {
  std::string model;
  std::string older_than;
};

enm::Status clear(const ClearOptions& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  dist::ModelRef ref;
  if (!options.model.empty()) {
    ENM_ASSIGN_OR_RETURN(ref, parse_cached(options.model));
    ENM_RETURN_IF_ERROR(cache.find(ref).status());
  }
  int64_t before = INT64_MAX;
  if (!options.older_than.empty()) {
    ENM_ASSIGN_OR_RETURN(const int64_t age, parse_duration(options.older_than));
    before = seconds_now() - age;
  }
  const bool all = ref.id.empty() && options.older_than.empty();
  const auto condemned = [&](const dist::CachedModel& model) {
    return (ref.id.empty() || model.id == ref.id) &&
           (ref.version.empty() || model.version == ref.version) && model.last_used < before;
  };
  ENM_ASSIGN_OR_RETURN(const uint64_t freed, cache.remove(condemned, all));
  say_freed(freed, context);
  return {};
}

enm::Status prune(const Context& context) {
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  ENM_ASSIGN_OR_RETURN(const uint64_t max_bytes, context.config.cache_max_size());
  ENM_ASSIGN_OR_RETURN(uint64_t freed, cache.remove([](const auto&) { return false; }, true));
  ENM_ASSIGN_OR_RETURN(const uint64_t more, cache.shrink(max_bytes, ""));
  say_freed(freed + more, context);
  return {};
}

}  // namespace

void add_cache(CLI::App& app, Context& context) {
  CLI::App* verb = app.add_subcommand("cache", "The models on this disk");
  verb->require_subcommand(1);
  verb->add_subcommand("info", "What is there, and how much of it")->callback([&context] {
    context.run = [&context] { return info(context); };
  });
  auto options = std::make_shared<ClearOptions>();
  CLI::App* clear_verb = verb->add_subcommand("clear", "Remove models");
  clear_verb->add_option("model", options->model,
                         "Only this one: name, name@version or hf:org/name");
  clear_verb->add_option("--older-than", options->older_than,
                         "Only those not used for so long: 30d, 12h");
  clear_verb->callback([&context, options] {
    context.run = [&context, options] { return clear(*options, context); };
  });
  verb->add_subcommand("prune",
                       "Remove interrupted downloads, files of no model, and what was not used for "
                       "longest beyond cache.maxSize")
      ->callback([&context] { context.run = [&context] { return prune(context); }; });
}

}  // namespace cli
