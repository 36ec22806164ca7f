// For tests: a source in memory that can misbehave, and what every Source must do.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "enm/base/file_posix.h"
#include "enm/base/os_file.h"
#include "enm/distribution/manifest_build.h"
#include "enm/distribution/signature.h"
#include "enm/distribution/source.h"

namespace enm::distribution::testing {

/// A folder that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string path = std::filesystem::temp_directory_path() / "enm-XXXXXX";
    path_ = ::mkdtemp(path.data());
  }
  ~TemporaryFolder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  std::string operator/(std::string_view name) const { return path_ + "/" + std::string(name); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// Bytes that no two places share.
inline std::vector<uint8_t> some_bytes(size_t size, uint32_t seed) {
  std::vector<uint8_t> out(size);
  for (uint8_t& byte : out) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<uint8_t>(seed >> 24);
  }
  return out;
}

/// Writes <root>/fable/<version>/ with two files, the larger of three chunks and a bit, signed.
inline SignedManifest write_model(const std::string& root, const std::string& version,
                                  const PrivateKey& key) {
  const std::string folder = root + "/fable/" + version;
  EXPECT_TRUE(make_folders(folder + "/onnx").ok());
  const auto model = some_bytes(3 * kChunkSize + 1000, 1);
  EXPECT_TRUE(write_file_atomically(folder + "/onnx/model.onnx", model).ok());
  EXPECT_TRUE(write_file_atomically(folder + "/config.json", as_bytes("{}" + version)).ok());
  ManifestFields fields;
  fields.id = "fable";
  fields.version = version;
  fields.type = "text-generation";
  SignedManifest out;
  out.manifest = *build_manifest(folder, {"config.json", "onnx/model.onnx"}, fields);
  out.signature = *sign_manifest(out.manifest, key);
  EXPECT_TRUE(write_file_atomically(folder + "/manifest.json", as_bytes(out.manifest)).ok());
  EXPECT_TRUE(write_file_atomically(folder + "/manifest.sig", as_bytes(out.signature)).ok());
  return out;
}

/// A source in front of another that loses, delays or changes what passes.
class FaultySource final : public Source {
 public:
  explicit FaultySource(Source& inner) : inner_(inner) {}

  const std::string& name() const override { return inner_.name(); }
  Result<SignedManifest> manifest(const ModelRef& ref) override {
    ENM_ASSIGN_OR_RETURN(SignedManifest out, inner_.manifest(ref));
    if (on_manifest) on_manifest(out);
    return out;
  }
  Status read(const RemoteFile& file, uint64_t offset, MutableBytes out) override {
    const int number = reads++;
    ENM_RETURN_IF_ERROR(inner_.read(file, offset, out));
    return on_read ? on_read(number, out) : Status();
  }

  std::function<void(SignedManifest&)> on_manifest;
  std::function<Status(int number, MutableBytes bytes)> on_read;
  std::atomic<int> reads{0};

 private:
  Source& inner_;
};

/// Expects `source` to have what write_model wrote as 1.0.0 and 1.1.0.
inline void check_source(Source& source, const SignedManifest& old, const SignedManifest& newest) {
  const auto latest = source.manifest({"fable", ""});
  ASSERT_TRUE(latest.ok()) << latest.status().message();
  EXPECT_EQ(latest->manifest, newest.manifest);
  EXPECT_EQ(latest->signature, newest.signature);
  const auto first = source.manifest({"fable", "1.0.0"});
  ASSERT_TRUE(first.ok()) << first.status().message();
  EXPECT_EQ(first->manifest, old.manifest);
  EXPECT_EQ(first->signature, old.signature);
  EXPECT_EQ(source.manifest({"fable", "2.0.0"}).status().code(), Code::kNotFound);
  EXPECT_EQ(source.manifest({"nobody", ""}).status().code(), Code::kNotFound);
  EXPECT_EQ(source.manifest({"../fable", ""}).status().code(), Code::kInvalidArgument);
  EXPECT_FALSE(source.name().empty());

  const auto manifest = parse_manifest(old.manifest);
  const RemoteFile file = remote_file(*manifest, *manifest->find_file("onnx/model.onnx"));
  const auto expected = some_bytes(3 * kChunkSize + 1000, 1);
  for (uint64_t i = 0; i < file.chunks.size(); ++i) {
    std::vector<uint8_t> got(chunk_length(file.size, i));
    const Status status = source.read(file, i * kChunkSize, got);
    ASSERT_TRUE(status.ok()) << status.message();
    EXPECT_TRUE(std::equal(got.begin(), got.end(), expected.begin() + i * kChunkSize)) << i;
  }
  EXPECT_TRUE(source.read(file, 0, {}).ok());
}

}  // namespace enm::distribution::testing
