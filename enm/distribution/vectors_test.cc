// tests/vectors: one set of figures that this library and the TypeScript package both must give.
#include <gtest/gtest.h>

#include <bit>
#include <charconv>

#include "enm/base/file_posix.h"
#include "enm/base/json.h"
#include "enm/distribution/canonical.h"
#include "enm/distribution/integrity.h"
#include "enm/distribution/keys.h"

namespace enm::distribution {
namespace {

Json vectors(std::string_view name) {
  const auto bytes = read_file(cat(ENM_SOURCE_DIR, "/tests/vectors/", name), 1 << 20);
  if (!bytes.ok()) ADD_FAILURE() << bytes.status().message();
  const std::string text = bytes.ok() ? std::string(bytes->begin(), bytes->end()) : "null";
  Result<Json> json = Json::parse(text);
  if (!json.ok()) ADD_FAILURE() << json.status().message();
  return json.ok() ? *std::move(json) : Json();
}

/// Items of a list that must be there and not empty.
const std::vector<Json>& items(const Json& json, std::string_view key) {
  static const std::vector<Json> none;
  const Json* list = json.find(key);
  if (list == nullptr || list->items().empty()) ADD_FAILURE() << "no vectors in " << key;
  return list == nullptr ? none : list->items();
}

std::vector<uint8_t> from_hex(std::string_view text) {
  std::vector<uint8_t> out(text.size() / 2);
  for (size_t i = 0; i < out.size(); ++i) {
    std::from_chars(text.data() + 2 * i, text.data() + 2 * i + 2, out[i], 16);
  }
  return out;
}

TEST(Vectors, NumbersAreEcmascripts) {
  const Json file = vectors("canonical.json");
  for (const Json& pair : items(file, "numbers")) {
    const std::string& hex = pair.items()[0].string();
    uint64_t bits = 0;
    std::from_chars(hex.data(), hex.data() + hex.size(), bits, 16);
    EXPECT_EQ(ecmascript_number(std::bit_cast<double>(bits)), pair.items()[1].string()) << hex;
  }
}

TEST(Vectors, CanonicalFormsAreThoseOfTheRfc) {
  const Json file = vectors("canonical.json");
  for (const Json& pair : items(file, "rewritten")) {
    const auto value = Json::parse(pair.items()[0].string());
    ASSERT_TRUE(value.ok()) << value.status().message();
    const auto text = canonical(*value);
    ASSERT_TRUE(text.ok()) << text.status().message();
    EXPECT_EQ(*text, pair.items()[1].string());
    EXPECT_TRUE(parse_canonical(*text).ok()) << *text;
    EXPECT_FALSE(parse_canonical(pair.items()[0].string()).ok());
  }
  for (const Json& text : items(file, "accepted")) {
    EXPECT_TRUE(parse_canonical(text.string()).ok()) << text.string();
  }
  for (const Json& text : items(file, "refused")) {
    EXPECT_FALSE(parse_canonical(text.string()).ok()) << text.string();
  }
}

/// Chunk `index` of the content that a file's entry describes.
std::vector<uint8_t> chunk_of(const Json& file, uint64_t index, uint64_t length) {
  std::vector<uint8_t> chunk(length);
  if (const Json* text = file.find("text")) {
    chunk.assign(text->string().begin(), text->string().end());
  } else if (file.find("numbered") != nullptr) {
    chunk[0] = static_cast<uint8_t>(index);
    if (length > 1) chunk[1] = static_cast<uint8_t>(index >> 8);
  }
  return chunk;
}

uint64_t size_of(const Json& file) {
  if (const Json* text = file.find("text")) return text->string().size();
  const Json* size = file.find(file.find("zeros") != nullptr ? "zeros" : "numbered");
  return static_cast<uint64_t>(size->integer());
}

TEST(Vectors, CidsAreThoseOfIpfs) {
  const Json vector_file = vectors("integrity.json");
  for (const Json& file : items(vector_file, "files")) {
    const uint64_t size = size_of(file);
    FileHasher hasher;
    for (uint64_t i = 0; i < chunk_count(size); ++i) {
      hasher.update(chunk_of(file, i, chunk_length(size, i)));
    }
    const FileDigest digest = hasher.finish();
    EXPECT_EQ(digest.size, size);
    EXPECT_EQ(cid(digest.size, digest.chunks), file.find("cid")->string()) << size;
  }
}

TEST(Vectors, RootsAreThoseOfRfc6962) {
  const Json file = vectors("integrity.json");
  for (const Json& tree : items(file, "roots")) {
    std::vector<Digest> leaves;
    for (int64_t i = 0; i < tree.find("leaves")->integer(); ++i) {
      leaves.push_back(sha256(as_bytes(std::to_string(i))));
    }
    EXPECT_EQ(to_hex(merkle_root(leaves)), tree.find("root")->string()) << leaves.size();
  }
}

bool verifies(const Json& entry) {
  const std::vector<uint8_t> key_bytes = from_hex(entry.find("publicKey")->string());
  const std::vector<uint8_t> raw = from_hex(entry.find("signature")->string());
  PublicKey key{.key_id = "rfc", .bytes = {}};
  SignatureBytes signature;
  EXPECT_EQ(key_bytes.size(), key.bytes.size());
  EXPECT_EQ(raw.size(), signature.size());
  std::copy_n(key_bytes.begin(), key.bytes.size(), key.bytes.begin());
  std::copy_n(raw.begin(), signature.size(), signature.begin());
  return key.verifies(from_hex(entry.find("message")->string()), signature);
}

TEST(Vectors, SignaturesAreThoseOfRfc8032) {
  const Json file = vectors("signature.json");
  for (const Json& entry : items(file, "accepted")) EXPECT_TRUE(verifies(entry));
  for (const Json& entry : items(file, "refused")) EXPECT_FALSE(verifies(entry));
}

}  // namespace
}  // namespace enm::distribution
