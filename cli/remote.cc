#include "cli/remote.h"

#include "cli/output/format.h"
#include "cli/stopwatch.h"
#include "enm/distribution/folder_source.h"
#include "enm/net/http_source.h"

namespace cli {

namespace dist = enm::distribution;

namespace {

constexpr std::string_view kFileScheme = "file://";

void say_pulled(const dist::Pulled& pulled, double seconds, const Context& context) {
  const std::string signer = pulled.signed_by.empty() ? "nobody trusted" : pulled.signed_by;
  if (pulled.fetched == 0) {
    context.say(enm::cat(pulled.model.text(), " is in the cache, whole and signed by ", signer));
    return;
  }
  context.say(enm::cat("pulled ", pulled.model.text(), ": ", human_bytes(pulled.fetched), " in ",
                       human_duration(seconds), ", every chunk verified, signed by ", signer));
}

// As the settings want it, with a bar.
enm::Result<dist::PullOptions> pull_options(Progress& progress, const Context& context) {
  dist::PullOptions options;
  options.parallel = context.config.number("download.parallel");
  options.retry = retry_policy(context);
  options.stop = interrupted;
  ENM_ASSIGN_OR_RETURN(options.max_bytes, context.config.cache_max_size());
  options.evict = context.config.get("cache.autoCleanup") == "true";
  options.report = [&progress](uint64_t here, uint64_t total, uint64_t) {
    progress.update(here, total);
  };
  return options;
}

}  // namespace

std::string trusted_folder(const Context& context) {
  return context.config.keys_directory() + "/trusted";
}

enm::Result<dist::TrustStore> open_trust(const Context& context) {
  return dist::TrustStore::open(trusted_folder(context));
}

enm::net::HttpOptions http_options(const Context& context) {
  const int timeout = context.config.number("download.timeout");
  return {timeout, timeout, interrupted};
}

dist::RetryPolicy retry_policy(const Context& context) {
  dist::RetryPolicy policy;
  policy.retries = context.config.number("download.retries");
  return policy;
}

enm::Result<std::unique_ptr<dist::Source>> open_source(const Context& context) {
  const std::string& kind = context.config.get("defaultSource");
  if (kind != "http") {
    return enm::Unsupported("source ", enm::quoted(kind), " is not in this build; expected http");
  }
  const std::string registry = context.config.registry();
  if (registry.starts_with(kFileScheme)) {
    return std::unique_ptr<dist::Source>(
        new dist::FolderSource(registry.substr(kFileScheme.size())));
  }
  return std::unique_ptr<dist::Source>(new enm::net::HttpSource(http_options(context), registry));
}

enm::Result<dist::Pulled> pull_model(const dist::ModelRef& ref, const Context& context,
                                     bool allow_untrusted) {
  ENM_ASSIGN_OR_RETURN(const auto source, open_source(context));
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore trust, open_trust(context));
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  const Stopwatch stopwatch;
  auto pulled = [&]() -> enm::Result<dist::Pulled> {
    Progress progress = context.progress(ref.text(), 0, Unit::kBytes);
    ENM_ASSIGN_OR_RETURN(const dist::PullOptions options, pull_options(progress, context));
    return dist::pull(*source, ref, cache, {trust, allow_untrusted}, options);
  }();
  if (!pulled.ok()) return with_advice(pulled.status());
  if (pulled->signed_by.empty()) {
    context.warn(enm::cat(pulled->model.text(), " is signed by nobody whom you trust"));
  }
  say_pulled(*pulled, stopwatch.seconds(), context);
  return pulled;
}

enm::Result<enm::net::HubModel> pull_hub_model(const enm::net::HubRef& ref,
                                               const Context& context) {
  ENM_ASSIGN_OR_RETURN(const auto hub, enm::net::Hub::open({context.config.get("hub.endpoint"),
                                                            context.config.get("hub.token"),
                                                            http_options(context)}));
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  const Stopwatch stopwatch;
  auto pulled = [&]() -> enm::Result<enm::net::HubModel> {
    Progress progress = context.progress(ref.text(), 0, Unit::kBytes);
    ENM_ASSIGN_OR_RETURN(const dist::PullOptions options, pull_options(progress, context));
    return enm::net::pull_hub(*hub, ref, cache, options);
  }();
  if (!pulled.ok()) return pulled.status();
  context.say(enm::cat(ref.text(), " from ", hub->name(), ": ", human_bytes(pulled->fetched),
                       " in ", human_duration(stopwatch.seconds()),
                       ", every file as its hash says"));
  return pulled;
}

enm::Status with_advice(const enm::Status& status) {
  if (status.code() != enm::Code::kUnavailable) return status;
  return enm::Unavailable(status.message(),
                          ". Is a registry running there? `edge-net-models registry serve` starts "
                          "one; --registry or EDGE_NET_REGISTRY names another");
}

}  // namespace cli
