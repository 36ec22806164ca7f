// The far side of the command line: registries, the trusted keys, the cache between.
#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "enm/distribution/pull.h"
#include "enm/net/http_client.h"
#include "enm/net/hub_pull.h"

namespace cli {

/// The keys that this user trusts.
std::string trusted_folder(const Context& context);
enm::Result<enm::distribution::TrustStore> open_trust(const Context& context);

/// Timeouts, repetitions and Ctrl-C as the settings want them.
enm::net::HttpOptions http_options(const Context& context);
enm::distribution::RetryPolicy retry_policy(const Context& context);

/// The registry of the settings: over HTTP, or folders behind file:///.
enm::Result<std::unique_ptr<enm::distribution::Source>> open_source(const Context& context);

/// From the registry into the cache, with a bar and a last line of talk.
enm::Result<enm::distribution::Pulled> pull_model(const enm::distribution::ModelRef& ref,
                                                  const Context& context, bool allow_untrusted);

/// From the hub of the settings into the cache, likewise.
enm::Result<enm::net::HubModel> pull_hub_model(const enm::net::HubRef& ref, const Context& context);

/// What to do next where nobody listens, behind an error of kUnavailable.
enm::Status with_advice(const enm::Status& status);

}  // namespace cli
