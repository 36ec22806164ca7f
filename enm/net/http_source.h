// A registry as a source; see docs/formats/registry-protocol.md.
#pragma once

#include "enm/distribution/source.h"
#include "enm/net/http_client.h"

namespace enm::net {

class HttpSource final : public distribution::Source {
 public:
  /// `registry` is a URL, with or without a slash at its end.
  HttpSource(const HttpOptions& options, std::string_view registry);

  const std::string& name() const override { return registry_; }
  Result<distribution::SignedManifest> manifest(const distribution::ModelRef& ref) override;
  Status read(const distribution::RemoteFile& file, uint64_t offset, MutableBytes out) override;

 private:
  Result<std::string> get(const std::string& path, uint64_t max_bytes, std::string_view what);

  HttpClient client_;
  std::string registry_;
};

/// The URL without slashes at its end.
std::string without_slash(std::string_view url);

}  // namespace enm::net
