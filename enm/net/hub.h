// A hub that serves models as huggingface.co does: it resolves a reference to a commit and the
// files of it, and gives ranges of them. What it says is believed as far as its hashes go: see
// fetch.h.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "enm/distribution/chunk_source.h"
#include "enm/net/http_client.h"
#include "enm/net/hub_listing.h"

namespace enm::net {

struct HubOptions {
  std::string endpoint;  // http:// or https://
  std::string token;     // "": nobody in particular asks
  HttpOptions http;
};

class Hub final : public distribution::ChunkSource {
 public:
  /// kInvalidArgument for an endpoint that is none, or a token that no header can carry. A token is
  /// sent to the endpoint alone, and over http:// only to this machine.
  static Result<std::unique_ptr<Hub>> open(HubOptions options);

  const std::string& name() const override { return endpoint_; }

  /// The commit that the revision is now, and its files, which read() then takes from that commit.
  /// kUntrusted says that a token is needed, kNotFound that there is no such model or revision.
  Result<HubListing> resolve(const HubRef& ref);

  Status read(const distribution::RemoteFile& file, uint64_t offset, MutableBytes out) override;

 private:
  Hub(const HubOptions& options, bool send_token);

  bool is_here(std::string_view url) const { return url.starts_with(base_); }
  Result<HttpAnswer> send(HttpRequest& request);
  Result<HttpAnswer> get_listing(const std::string& path, const HubRef& ref);
  Status list_tree(const HubRef& ref, HubListing& listing);
  Status read_at(const distribution::RemoteFile& file, HttpRequest& request, uint64_t offset,
                 MutableBytes out);
  Status refusal(const HttpAnswer& answer, std::string_view what) const;
  void heed_retry_after(const HttpAnswer& answer);
  Status wait_turn() const;

  const std::string endpoint_;
  const std::string base_;           // with the slash behind it
  const std::string authorization_;  // the header, or ""
  const distribution::Stop stop_;
  HttpClient client_;
  std::atomic<int64_t> not_before_{0};  // milliseconds of the steady clock: the hub asked to wait
  std::mutex mutex_;
  std::map<std::string, std::string> places_;  // path of a file -> where redirections led
};

}  // namespace enm::net
