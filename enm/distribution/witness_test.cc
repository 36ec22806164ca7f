// Held against programs that are not ours: OpenSSL's command line, and Node where it is installed.
#include <gtest/gtest.h>
#include <unistd.h>

#include <bit>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>

#include "enm/base/file_posix.h"
#include "enm/distribution/canonical.h"
#include "enm/distribution/keys.h"

namespace enm::distribution {
namespace {

class WitnessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / cat("enm_witness_", ::getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  /// Exit status of a shell command run in the folder, its output thrown away.
  int run(const std::string& command) const {
    return std::system(cat("cd ", folder_.string(), " && ", command, " > log 2>&1").c_str());
  }

  std::filesystem::path folder_;
};

using OpensslWitness = WitnessTest;

TEST_F(OpensslWitness, VerifiesOurSignatureAndWeItsOwn) {
  const Result<PrivateKey> key = PrivateKey::generate("witness");
  ASSERT_TRUE(key.ok()) << key.status().message();
  const Result<std::string> public_path = save_key_pair(*key, path("k.pem"));
  ASSERT_TRUE(public_path.ok()) << public_path.status().message();
  const std::string_view message = "{\"id\":\"m\"}";
  const Result<SignatureBytes> ours = key->sign(as_bytes(message));
  ASSERT_TRUE(ours.ok()) << ours.status().message();
  ASSERT_TRUE(write_file_atomically(path("m"), as_bytes(message)).ok());
  ASSERT_TRUE(write_file_atomically(path("ours"), *ours).ok());
  EXPECT_EQ(run("openssl pkeyutl -verify -rawin -pubin -inkey k.pub.pem -in m -sigfile ours"), 0);
  EXPECT_EQ(run("openssl pkeyutl -sign -rawin -inkey k.pem -in m -out theirs"), 0);
  const auto theirs = read_file(path("theirs"), 64);
  ASSERT_TRUE(theirs.ok()) << theirs.status().message();
  EXPECT_EQ(*theirs, std::vector<uint8_t>(ours->begin(), ours->end()));  // Ed25519 has no choice

  EXPECT_EQ(run("openssl genpkey -algorithm ed25519 -out o.pem"), 0);
  EXPECT_EQ(run("openssl pkeyutl -sign -rawin -inkey o.pem -in m -out o.sig"), 0);
  const Result<PublicKey> other = load_public_key(path("o.pem"));
  ASSERT_TRUE(other.ok()) << other.status().message();
  const auto bytes = read_file(path("o.sig"), 64);
  ASSERT_TRUE(bytes.ok() && bytes->size() == 64);
  SignatureBytes signature;
  std::copy(bytes->begin(), bytes->end(), signature.begin());
  EXPECT_TRUE(other->verifies(as_bytes(message), signature));
  EXPECT_FALSE(key->public_key().verifies(as_bytes(message), signature));
}

using NodeWitness = WitnessTest;

TEST_F(NodeWitness, AMillionDoublesAreWrittenAsJavaScriptWritesThem) {
  if (run("node --version") != 0) GTEST_SKIP() << "node is not installed";
  constexpr int kCount = 1'000'000;
  std::mt19937_64 random(8785);
  std::vector<double> values;
  while (values.size() < kCount) {
    const auto any = std::bit_cast<double>(random());
    const double decimal = static_cast<double>(random() % 100'000'000) / 1e5;
    values.push_back(values.size() % 2 == 0 && std::isfinite(any) ? any : decimal);
  }
  const auto* raw = reinterpret_cast<const uint8_t*>(values.data());
  ASSERT_TRUE(write_file_atomically(path("in"), {raw, values.size() * sizeof(double)}).ok());
  ASSERT_EQ(
      run("node -e 'const fs=require(\"fs\");const b=fs.readFileSync(\"in\");"
          "const d=new Float64Array(b.buffer,b.byteOffset,b.length/8);"
          "fs.writeFileSync(\"out\",Array.from(d,x=>JSON.stringify(x)).join(\"\\n\")+\"\\n\")'"),
      0);
  std::ifstream out(path("out"));
  std::string expected;
  int wrong = 0;
  for (double value : values) {
    ASSERT_TRUE(std::getline(out, expected));
    if (ecmascript_number(value) == expected) continue;
    if (++wrong <= 5) ADD_FAILURE() << ecmascript_number(value) << ", expected " << expected;
  }
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace enm::distribution
