#include "enm/distribution/pull.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <random>
#include <thread>

#include "enm/distribution/folder_source.h"
#include "enm/distribution/source_test.h"

namespace enm::distribution {
namespace {

namespace fs = std::filesystem;
using testing::FaultySource;
using ::testing::HasSubstr;
using testing::TemporaryFolder;
using testing::write_model;

constexpr size_t kModelBytes = 3 * kChunkSize + 1000;

class Pull : public ::testing::Test {
 protected:
  Pull() {
    options_.retry.first = options_.retry.longest = std::chrono::milliseconds(1);
    EXPECT_TRUE(trust_.trust(key_.public_key()).ok());
  }

  Result<Pulled> pull_fable(Source& source, std::string version = "") {
    return pull(source, {"fable", std::move(version)}, cache_, {trust_}, options_);
  }
  std::string cached_file(const std::string& version = "1.1.0") const {
    return cache_.folder() + "/models/fable/" + version + "/onnx/model.onnx";
  }
  std::string blob() const {
    return cache_.folder() + "/blobs/" + to_hex(sha256(testing::some_bytes(kModelBytes, 1)));
  }
  // Blobs are read-only to their owner, so that nobody changes them by chance.
  void flip_byte(const std::string& path, uint64_t at) {
    ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
    const auto file = File::open_write(path);
    std::vector<uint8_t> byte(1);
    ASSERT_TRUE(file->read_at(at, byte).ok());
    byte[0] ^= 0x10;
    ASSERT_TRUE(file->write_at(at, byte).ok());
  }

  TemporaryFolder folder_;
  PrivateKey key_ = *PrivateKey::generate("team");
  TrustStore trust_;
  SignedManifest old_ = write_model(folder_ / "registry", "1.0.0", key_);
  SignedManifest newest_ = write_model(folder_ / "registry", "1.1.0", key_);
  FolderSource source_{folder_ / "registry"};
  FaultySource faulty_{source_};
  Cache cache_ = *Cache::open(folder_ / "cache");
  PullOptions options_;
};

TEST_F(Pull, FolderSourceIsASource) { testing::check_source(source_, old_, newest_); }

TEST_F(Pull, TakesTheNewestAndFetchesNothingTwice) {
  const auto first = pull_fable(faulty_);
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->model.text(), "fable@1.1.0");
  EXPECT_EQ(first->signed_by, "team");
  EXPECT_EQ(first->fetched, kModelBytes + 7);
  EXPECT_EQ(*read_file(cached_file(), 1 << 20), testing::some_bytes(kModelBytes, 1));
  EXPECT_EQ(faulty_.reads, 5);
  // Another version with the same weights costs only what differs.
  const auto other = pull_fable(faulty_, "1.0.0");
  ASSERT_TRUE(other.ok()) << other.status().message();
  EXPECT_EQ(other->fetched, 7U);
  EXPECT_EQ(pull_fable(faulty_, "1.0.0")->fetched, 0U);
  EXPECT_EQ(cache_.models().size(), 2U);
  EXPECT_EQ(cache_.find({"fable", ""})->version, "1.1.0");
}

TEST_F(Pull, RefusesAnUnknownSigner) {
  const TrustStore nobody;
  const auto refused = pull(faulty_, {"fable", ""}, cache_, {nobody}, options_);
  EXPECT_EQ(refused.status().code(), Code::kUntrusted);
  EXPECT_EQ(faulty_.reads, 0);  // no byte before the signature
  EXPECT_TRUE(cache_.models().empty());
  const auto allowed = pull(faulty_, {"fable", ""}, cache_, {nobody, true}, options_);
  ASSERT_TRUE(allowed.ok());
  EXPECT_EQ(allowed->signed_by, "");
  EXPECT_EQ(open_cached(cache_, {"fable", ""}, {nobody}).status().code(), Code::kUntrusted);
  EXPECT_TRUE(open_cached(cache_, {"fable", ""}, {nobody, true}).ok());
  EXPECT_TRUE(open_cached(cache_, {"fable", ""}, {trust_}).ok());
}

TEST_F(Pull, RefusesAnUnsignedModel) {
  faulty_.on_manifest = [](SignedManifest& bytes) { bytes.signature.clear(); };
  EXPECT_FALSE(pull_fable(faulty_).ok());
  EXPECT_EQ(faulty_.reads, 0);
}

TEST_F(Pull, EveryFlippedByteOfManifestAndSignatureIsFound) {
  options_.retry.retries = 0;
  for (size_t i = 0; i < newest_.manifest.size() + newest_.signature.size(); i += 7) {
    faulty_.on_manifest = [&](SignedManifest& bytes) {
      const size_t size = bytes.manifest.size();
      (i < size ? bytes.manifest[i] : bytes.signature[i - size]) ^= 1;
    };
    EXPECT_FALSE(pull_fable(faulty_).ok()) << i;
  }
  EXPECT_EQ(faulty_.reads, 0);
}

TEST_F(Pull, RefusesAnotherModelThanAskedFor) {
  faulty_.on_manifest = [&](SignedManifest& bytes) { bytes = old_; };
  const Status status = pull_fable(faulty_, "1.1.0").status();
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_THAT(std::string(status.message()), HasSubstr("asked for fable@1.1.0"));
}

TEST_F(Pull, RefusesToGoBack) {
  ASSERT_TRUE(pull_fable(source_).ok());
  faulty_.on_manifest = [&](SignedManifest& bytes) { bytes = old_; };
  EXPECT_EQ(pull_fable(faulty_).status().code(), Code::kUntrusted);
  EXPECT_TRUE(pull_fable(faulty_, "1.0.0").ok());  // said by name
}

TEST_F(Pull, BytesDamagedOnTheWayAreFetchedAgain) {
  faulty_.on_read = [](int number, MutableBytes bytes) {
    if (number % 2 == 0) bytes[bytes.size() / 2] ^= 1;
    return Status();
  };
  options_.parallel = 1;
  const auto pulled = pull_fable(faulty_);
  ASSERT_TRUE(pulled.ok()) << pulled.status().message();
  EXPECT_EQ(faulty_.reads, 10);
}

TEST_F(Pull, ASourceThatKeepsLyingIsNamed) {
  faulty_.on_read = [](int, MutableBytes bytes) {
    bytes[0] ^= 1;
    return Status();
  };
  const Status status = pull_fable(faulty_).status();
  EXPECT_EQ(status.code(), Code::kCorrupt);
  EXPECT_THAT(std::string(status.message()), HasSubstr(source_.name()));
  EXPECT_TRUE(cache_.models().empty());
  EXPECT_EQ(cache_.usage().blob_bytes, 0U);
}

TEST_F(Pull, OutagesAreWaitedForOnlyIfTheyMayPass) {
  faulty_.on_read = [](int number, MutableBytes) {
    return number < 3 ? Unavailable("503") : Status();
  };
  options_.parallel = 1;
  EXPECT_TRUE(pull_fable(faulty_).ok());
  faulty_.reads = 0;
  faulty_.on_read = [](int, MutableBytes) { return NotFound("404"); };
  EXPECT_EQ(cache_.remove([](const auto&) { return true; }, true).ok(), true);
  EXPECT_EQ(pull_fable(faulty_).status().code(), Code::kNotFound);
  EXPECT_EQ(faulty_.reads, 1);
}

TEST_F(Pull, GoesOnFromWhatIsVerified) {
  std::atomic<bool> stop{false};
  faulty_.on_read = [&](int number, MutableBytes) {
    if (number == 3) stop = true;  // the small file, then two chunks
    return Status();
  };
  options_.parallel = 1;
  options_.stop = [&] { return stop.load(); };
  EXPECT_EQ(pull_fable(faulty_).status().code(), Code::kCancelled);
  EXPECT_TRUE(cache_.models().empty());
  stop = false;
  faulty_.reads = 0;
  faulty_.on_read = nullptr;
  const auto pulled = pull_fable(faulty_);
  ASSERT_TRUE(pulled.ok()) << pulled.status().message();
  EXPECT_EQ(faulty_.reads, 1);  // the fourth chunk; the stop came after the third was written
  EXPECT_EQ(pulled->fetched, 1000U);
}

TEST_F(Pull, APartialIsNotBelieved) {
  const std::string path = cache_.folder() + "/partial/" + fs::path(blob()).filename().string();
  auto bytes = testing::some_bytes(kModelBytes + 5000, 1);  // too long, and one chunk is wrong
  bytes[kChunkSize + 17] ^= 1;
  ASSERT_TRUE(write_file_atomically(path, bytes).ok());
  const auto pulled = pull_fable(source_);
  ASSERT_TRUE(pulled.ok()) << pulled.status().message();
  EXPECT_EQ(pulled->fetched, kChunkSize + 7);
  EXPECT_EQ(*read_file(cached_file(), 1 << 20), testing::some_bytes(kModelBytes, 1));
}

TEST_F(Pull, DamageInTheCacheIsFoundAndMended) {
  ASSERT_TRUE(pull_fable(source_).ok());
  std::minstd_rand random(7);
  for (int i = 0; i < 200; ++i) {
    const uint64_t at = random() % kModelBytes;
    flip_byte(cached_file(), at);
    const Status status = open_cached(cache_, {"fable", ""}, {trust_}).status();
    EXPECT_EQ(status.code(), Code::kCorrupt) << at;
    if (i % 50 != 0) {
      flip_byte(cached_file(), at);
      continue;
    }
    const auto mended = pull_fable(source_);
    ASSERT_TRUE(mended.ok()) << mended.status().message();
    EXPECT_LE(mended->fetched, kChunkSize);
    EXPECT_TRUE(open_cached(cache_, {"fable", ""}, {trust_}).ok()) << at;
  }
}

TEST_F(Pull, SeveralAtOnceFetchOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> failures{0};
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { failures += pull_fable(faulty_).ok() ? 0 : 1; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(faulty_.reads, 5);
  EXPECT_TRUE(open_cached(cache_, {"fable", ""}, {trust_}).ok());
}

TEST_F(Pull, TooLargeForTheCache) {
  options_.max_bytes = kModelBytes;
  EXPECT_EQ(pull_fable(faulty_).status().code(), Code::kResourceExhausted);
  EXPECT_EQ(faulty_.reads, 0);
}

TEST_F(Pull, WhatWasNotUsedForLongestMakesRoom) {
  ASSERT_TRUE(pull_fable(source_).ok());
  const auto other = testing::some_bytes(kModelBytes, 2);
  ASSERT_TRUE(write_file_atomically(folder_ / "registry/fable/1.1.0/onnx/model.onnx", other).ok());
  ManifestFields fields;
  fields.id = "fable";
  fields.version = "1.2.0";
  fields.type = "text-generation";
  fs::rename(folder_ / "registry/fable/1.1.0", folder_ / "registry/fable/1.2.0");
  const std::string folder = folder_ / "registry/fable/1.2.0";
  const std::string manifest = *build_manifest(folder, {"config.json", "onnx/model.onnx"}, fields);
  ASSERT_TRUE(write_file_atomically(folder + "/manifest.json", as_bytes(manifest)).ok());
  ASSERT_TRUE(
      write_file_atomically(folder + "/manifest.sig", as_bytes(*sign_manifest(manifest, key_)))
          .ok());
  options_.max_bytes = kModelBytes + 2000;
  ASSERT_TRUE(pull_fable(source_).ok());
  ASSERT_EQ(cache_.models().size(), 1U);
  EXPECT_EQ(cache_.models()[0].version, "1.2.0");
  EXPECT_LE(cache_.usage().blob_bytes, options_.max_bytes);
}

TEST_F(Pull, RemovingWaitsForWhoAdds) {
  ASSERT_TRUE(pull_fable(source_).ok());
  const auto everything = [](const CachedModel&) { return true; };
  {
    const auto adding = cache_.lock_shared(nullptr);
    EXPECT_EQ(cache_.remove(everything, true).status().code(), Code::kConflict);
  }
  EXPECT_EQ(*cache_.remove(everything, true), kModelBytes + 7);
  EXPECT_TRUE(cache_.models().empty());
  EXPECT_TRUE(fs::is_empty(cache_.folder() + "/blobs"));
  EXPECT_TRUE(fs::is_empty(cache_.folder() + "/tmp"));
}

}  // namespace
}  // namespace enm::distribution
