#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "enm/base/file_posix.h"
#include "enm/base/mutate.h"
#include "enm/distribution/base64.h"
#include "enm/distribution/canonical.h"
#include "enm/distribution/git_blob.h"
#include "enm/distribution/manifest.h"
#include "enm/distribution/manifest_build.h"
#include "enm/distribution/signature.h"
#include "enm/distribution/verify.h"

namespace enm::distribution {
namespace {

using ::testing::HasSubstr;

std::string text_of(const Result<std::string>& result) {
  return result.ok() ? *result : std::string(result.status().message());
}

TEST(Integrity, HashesDoNotDependOnTheCuts) {
  std::vector<uint8_t> bytes(700'000);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(i * 31 >> 3);
  FileHasher whole;
  whole.update(bytes);
  FileHasher parts;
  for (size_t at = 0; at < bytes.size(); at += 9973) {
    parts.update(Bytes(bytes).subspan(at, std::min<size_t>(9973, bytes.size() - at)));
  }
  const FileDigest expected = whole.finish();
  EXPECT_EQ(parts.finish(), expected);
  EXPECT_EQ(expected.chunks.size(), 3u);
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(GitBlob, IdsAreGits) {
  EXPECT_EQ(git_blob_id({}), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(git_blob_id(as_bytes("hello\n")), "ce013625030ba8dba906f756967f9e9ca394464a");
}

TEST(Base64, AcceptsOneSpellingOnly) {
  EXPECT_EQ(to_base64(as_bytes("fooba")), "Zm9vYmE=");
  for (const char* bad : {"Zm9vYmE", "Zm9vYmF=", "Zm9v YmE=", "Zg=a", "====", "Zm9-"}) {
    EXPECT_FALSE(from_base64(bad).ok()) << bad;
  }
}

class FolderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / cat("enm_distribution_", ::getpid());
    std::filesystem::create_directories(folder_ / "model/sub");
    put("model/model.onnx", std::string(600'000, 'm'));
    put("model/tokenizer.json", "{}");
    put("model/sub/x.bin", "x");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  void put(const std::string& name, std::string_view text) {
    ASSERT_TRUE(write_file_atomically(path(name), as_bytes(text)).ok());
  }
  std::string get(const std::string& name) {
    const auto bytes = read_file(path(name), 1 << 24);
    return std::string(as_text(*bytes));
  }
  // Signs the folder; the key is trusted by `trust_`.
  void sign() {
    const auto key = PrivateKey::generate("tester");
    ASSERT_TRUE(key.ok());
    ASSERT_TRUE(trust_.trust(key->public_key()).ok());
    const auto names = list_model_files(path("model"));
    const auto manifest = build_manifest(
        path("model"), *names, {.id = "m", .version = "1.0.0", .type = "text-generation"});
    ASSERT_TRUE(manifest.ok()) << manifest.status().message();
    put("model/manifest.json", *manifest);
    put("model/manifest.sig", *sign_manifest(*manifest, *key));
  }

  std::filesystem::path folder_;
  TrustStore trust_;
};

TEST_F(FolderTest, ASignedFolderVerifies) {
  sign();
  const auto report = verify_folder(path("model"), &trust_);
  ASSERT_TRUE(report.ok());
  EXPECT_TRUE(report->ok());
  EXPECT_EQ(report->signed_by, "tester");
  EXPECT_EQ(parse_manifest(get("model/manifest.json"))->artifacts.size(), 3u);
}

TEST_F(FolderTest, AStrangersSignatureIsRefused) {
  sign();
  const TrustStore nobody;
  const auto report = verify_folder(path("model"), &nobody);
  EXPECT_TRUE(report->untrusted);
  EXPECT_THAT(report->problems[0], HasSubstr("not trusted"));
  EXPECT_TRUE(verify_folder(path("model"), nullptr)->ok());
}

// One bit anywhere in the manifest, the signature or a file: found.
TEST_F(FolderTest, AnyFlippedBitIsFound) {
  sign();
  uint32_t random = 1;
  for (const char* name :
       {"model/manifest.json", "model/manifest.sig", "model/model.onnx", "model/tokenizer.json"}) {
    const std::string good = get(name);
    for (int i = 0; i < 50; ++i) {
      random = random * 1664525 + 1013904223;
      std::string bad = good;
      bad[(random >> 8) % bad.size()] ^= static_cast<char>(1 << (random & 7));
      put(name, bad);
      const auto report = verify_folder(path("model"), &trust_);
      EXPECT_TRUE(!report.ok() || !report->ok()) << name;
    }
    put(name, good);
  }
  EXPECT_TRUE(verify_folder(path("model"), &trust_)->ok());
}

TEST_F(FolderTest, AChangedChunkIsNamed) {
  sign();
  std::string bytes = get("model/model.onnx");
  bytes[300'000] ^= 1;
  put("model/model.onnx", bytes);
  EXPECT_THAT(verify_folder(path("model"), &trust_)->problems,
              ::testing::ElementsAre("model.onnx: bytes 262144 to 524287 were changed"));
}

TEST_F(FolderTest, DamagedManifestsAreRefused) {
  sign();
  const std::string good = get("model/manifest.json");
  Mutator mutator(5);
  for (int i = 0; i < seeded_cases(); ++i) {
    const auto bytes = mutator.mutate(as_bytes(good));
    const auto manifest = parse_manifest(as_text(bytes));
    if (!manifest.ok()) continue;
    // What is accepted says exactly what its bytes say.
    EXPECT_EQ(text_of(canonical(manifest->json)), as_text(bytes));
    for (const Artifact& artifact : manifest->artifacts) {
      EXPECT_TRUE(check_relative_name(artifact.filename).ok());
    }
  }
}

TEST_F(FolderTest, NamesThatLeaveTheFolderAreRefused) {
  sign();
  const std::string good = get("model/manifest.json");
  for (const char* name : {"../x.bin", "/x.bin", "a\\\\x.bin", "sub/../x.bin", "C:x", "con.bin",
                           "manifest.json", ".x"}) {
    std::string bad = good;
    const size_t at = bad.find("\"filename\":\"sub/x.bin\"");
    bad.replace(at, 22, cat("\"filename\":\"", name, "\""));
    EXPECT_FALSE(parse_manifest(bad).ok()) << name;
  }
}

TEST_F(FolderTest, KeysAreSavedPrivatelyAndNeverOverwritten) {
  const auto key = PrivateKey::generate("me");
  const auto public_path = save_key_pair(*key, path("k.pem"));
  ASSERT_TRUE(public_path.ok());
  struct stat info;
  ASSERT_EQ(::stat(path("k.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(save_key_pair(*key, path("k.pem")).status().code(), Code::kConflict);
  EXPECT_EQ(*load_public_key(*public_path), key->public_key());
  EXPECT_EQ(*load_public_key(path("k.pem")), key->public_key());
  EXPECT_EQ(load_private_key(*public_path).status().code(), Code::kCorrupt);
}

TEST(Versions, OrderIsSemantic) {
  const char* kRising[] = {"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta", "1.0.0",
                           "1.0.1",       "1.2.0",         "1.10.0",     "2.0.0"};
  for (size_t i = 1; i < std::size(kRising); ++i) {
    EXPECT_LT(compare_versions(kRising[i - 1], kRising[i]), 0) << kRising[i];
  }
}

}  // namespace
}  // namespace enm::distribution
