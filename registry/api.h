// The protocol of docs/formats/registry-protocol.md: requests to replies, free of sockets. May be
// called from several threads at once.
#pragma once

#include <memory>
#include <string>
#include <variant>

#include "registry/catalog.h"
#include "registry/http.h"
#include "registry/target.h"
#include "registry/uploads.h"

namespace enm::registry {

struct ApiOptions {
  UploadLimits limits;
  std::string pages;  // folder of a web page to serve under "/"; "" for none
};

class Api {
 public:
  /// The state is under `data`: catalog.sqlite, blobs/, uploads/.
  static Result<std::unique_ptr<Api>> open(const std::string& data, ApiOptions options);

  /// Bytes of body that a request of that kind may have.
  uint64_t body_limit(std::string_view method, std::string_view target) const;

  /// Whether the body belongs to an upload, to be handed to begin_part.
  static bool is_part(std::string_view method, std::string_view target);

  /// Every request but parts of uploads.
  Reply handle(const Request& request);

  /// A part of an upload (PATCH), of which the headers are here: who takes the bytes, or the
  /// refusal.
  std::variant<Reply, std::shared_ptr<UploadWriter>> begin_part(const Request& head);
  /// After the bytes. `written` is the first failure of a write. The reply to the last part takes
  /// as long as hashing the whole.
  Reply end_part(UploadWriter& writer, const Status& written);

  /// Forgets uploads and blobs that nobody published, once their time is over.
  void sweep();

 private:
  Api(const std::string& data, ApiOptions options, std::unique_ptr<Catalog> catalog);

  Reply route(const Request& request, const Target& target);
  Reply route_model(const Request& request, const Target& target);
  Reply route_upload(const Request& request, const Target& target);
  Reply list(const Target& target);
  Reply manifest(const Request& request, const std::string& id, const Target& target);
  Reply signature(const std::string& id, const Target& target);
  Reply versions(const std::string& id);
  Reply download(const std::string& id, const Target& target);
  Reply publish(const Request& request, const std::string& id, const std::string& version);
  Reply blob(const Request& request, const std::string& sha256);
  Reply begin_upload(const Request& request);
  Reply page(const Request& request, const Target& target);

  const ApiOptions options_;
  Blobs blobs_;
  Uploads uploads_;
  std::unique_ptr<Catalog> catalog_;
};

}  // namespace enm::registry
