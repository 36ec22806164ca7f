// Publishing and the HTTP source against a registry in this process.
#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <thread>

#include "enm/distribution/source_test.h"
#include "enm/net/http_source.h"
#include "enm/net/publish.h"
#include "enm/net/registry_list.h"
#include "registry/server.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

class RunningRegistry {
 public:
  explicit RunningRegistry(const std::string& data) {
    enm::registry::ServerOptions options;
    options.data = data;
    options.port = 0;
    options.stop = [this] { return stop_.load(); };
    options.ready = [this](const std::string& url) {
      const std::lock_guard lock(mutex_);
      url_ = url;
      ready_.notify_one();
    };
    thread_ = std::thread([options] { EXPECT_TRUE(enm::registry::serve(options).ok()); });
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [this] { return !url_.empty(); });
  }
  ~RunningRegistry() {
    stop_ = true;
    thread_.join();
  }
  const std::string& url() const { return url_; }

 private:
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::condition_variable ready_;
  std::string url_;
  std::thread thread_;
};

TEST(HttpSource, IsASource) {
  const dist::testing::TemporaryFolder folder;
  const auto key = *dist::PrivateKey::generate("team");
  const auto newest = dist::testing::write_model(folder / "models", "1.1.0", key);
  const auto old = dist::testing::write_model(folder / "models", "1.0.0", key);
  const RunningRegistry registry(folder / "registry");
  enm::net::HttpClient client({});
  for (const auto& [bytes, version] : {std::pair(newest, "1.1.0"), std::pair(old, "1.0.0")}) {
    const auto published = enm::net::publish(
        client, registry.url(), folder / "models/fable/" + version, bytes, key.public_key(), {});
    ASSERT_TRUE(published.ok()) << published.status().message();
    EXPECT_FALSE(published->existed);
  }
  enm::net::HttpSource source({}, registry.url() + "/");
  dist::testing::check_source(source, old, newest);
  const auto listed = enm::net::list_models(client, registry.url(), {});
  ASSERT_TRUE(listed.ok()) << listed.status().message();
  ASSERT_EQ(listed->size(), 1U);
  EXPECT_EQ(listed->front().version, "1.1.0");
}

}  // namespace
}  // namespace cli
