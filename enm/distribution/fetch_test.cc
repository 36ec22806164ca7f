// Files of which only the whole's hash is known: what an interrupted fetch leaves, and what a lie.
#include "enm/distribution/fetch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/distribution/folder_source.h"
#include "enm/distribution/git_blob.h"
#include "enm/distribution/source_test.h"

namespace enm::distribution {
namespace {

namespace fs = std::filesystem;

constexpr size_t kModelBytes = 3 * kChunkSize + 1000;

class Fetch : public ::testing::Test {
 protected:
  Fetch() {
    options_.retry.retries = 0;
    options_.parallel = 1;
    testing::write_model(folder_ / "registry", "1.0.0", *PrivateKey::generate("team"));
  }
  Result<Fetched> fetch(const RemoteFile& file) {
    return fetch_files(faulty_, {file}, cache_, options_);
  }
  bool no_partials() const { return fs::is_empty(cache_.folder() + "/partial"); }

  const std::vector<uint8_t> bytes_ = testing::some_bytes(kModelBytes, 1);
  testing::TemporaryFolder folder_;
  FolderSource source_{folder_ / "registry"};
  testing::FaultySource faulty_{source_};
  Cache cache_ = *Cache::open(folder_ / "cache");
  DownloadOptions options_;
  RemoteFile by_sha256_{"m",
                        "fable/1.0.0/onnx/model.onnx",
                        kModelBytes,
                        {ContentHash::Kind::kSha256, to_hex(sha256(bytes_))},
                        {}};
  RemoteFile by_git_{"m",
                     "fable/1.0.0/onnx/model.onnx",
                     kModelBytes,
                     {ContentHash::Kind::kGitBlob, git_blob_id(bytes_)},
                     {}};
};

TEST_F(Fetch, GoesOnFromWhatTheNotesSay) {
  for (const RemoteFile& file : {by_sha256_, by_git_}) {
    faulty_.reads = 0;
    faulty_.on_read = [](int number, MutableBytes) {
      return number < 2 ? Status() : Unavailable("gone");
    };
    EXPECT_EQ(fetch(file).status().code(), Code::kUnavailable);
    const std::string partial = cat(cache_.folder(), "/partial/", file.hash.key());
    const auto damage = File::open_write(partial);
    ASSERT_TRUE(damage->write_at(17, as_bytes("x")).ok());
    faulty_.on_read = nullptr;
    const auto fetched = fetch(file);
    ASSERT_TRUE(fetched.ok()) << fetched.status().message();
    EXPECT_EQ(fetched->bytes, kModelBytes - kChunkSize);  // the second chunk was here and right
    EXPECT_EQ(fetched->digests[0].chunks.size(), 4U);
    EXPECT_TRUE(no_partials());
    EXPECT_EQ(fetch(file)->bytes, 0U);
    ASSERT_TRUE(cache_.remove([](auto&) { return true; }, true).ok());
  }
}

TEST_F(Fetch, ALieSpoilsTheWholeAndLeavesNothing) {
  for (const RemoteFile& file : {by_sha256_, by_git_}) {
    faulty_.reads = 0;
    faulty_.on_read = [](int number, MutableBytes bytes) {
      bytes[0] ^= number == 2 ? 1 : 0;
      return Status();
    };
    EXPECT_EQ(fetch(file).status().code(), Code::kCorrupt);
    EXPECT_TRUE(no_partials());
    EXPECT_TRUE(fs::is_empty(cache_.folder() + "/blobs"));
  }
}

TEST_F(Fetch, OneContentIsOneBlobByWhateverHash) {
  ASSERT_TRUE(fetch(by_sha256_).ok());
  const std::string blob = cat(cache_.folder(), "/blobs/", by_sha256_.hash.hex);
  fs::create_hard_link(blob, folder_ / "in use");
  ASSERT_TRUE(fetch(by_git_).ok());
  EXPECT_EQ(fs::hard_link_count(blob), 2U);
  EXPECT_EQ(*cache_.named(by_git_.hash.key()), "blobs/" + by_sha256_.hash.hex);
  ASSERT_TRUE(fs::remove(blob));
  EXPECT_EQ(cache_.named(by_git_.hash.key()).status().code(), Code::kNotFound);
}

TEST_F(Fetch, AnEmptyFileNeedsNoRead) {
  const RemoteFile empty{"e", "nowhere", 0, {ContentHash::Kind::kGitBlob, git_blob_id({})}, {}};
  const auto fetched = fetch(empty);
  ASSERT_TRUE(fetched.ok()) << fetched.status().message();
  EXPECT_EQ(faulty_.reads, 0);
}

TEST_F(Fetch, ManySmallFilesComeSideBySide) {
  options_.parallel = 4;
  std::vector<RemoteFile> files;
  for (int i = 0; i < 40; ++i) {
    const std::string text = cat("file ", i);
    const std::string path = cat("fable/", i);
    ASSERT_TRUE(write_file_atomically(folder_ / ("registry/" + path), as_bytes(text)).ok());
    files.push_back(
        {path, path, text.size(), {ContentHash::Kind::kGitBlob, git_blob_id(as_bytes(text))}, {}});
  }
  files.push_back(by_sha256_);
  uint64_t last = 0;
  options_.report = [&](uint64_t here, uint64_t total, uint64_t) {
    EXPECT_GE(here, last);
    EXPECT_LE(here, total);
    last = here;
  };
  const auto fetched = fetch_files(faulty_, files, cache_, options_);
  ASSERT_TRUE(fetched.ok()) << fetched.status().message();
  EXPECT_EQ(fetched->bytes, last);
  EXPECT_EQ(to_hex(fetched->digests[7].sha256), to_hex(sha256(as_bytes("file 7"))));
}

}  // namespace
}  // namespace enm::distribution
