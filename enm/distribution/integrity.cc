#include "enm/distribution/integrity.h"

#include <openssl/evp.h>

#include <algorithm>
#include <bit>

#include "enm/base/file_posix.h"

namespace enm::distribution {

std::string to_hex(const Digest& digest) { return enm::to_hex(digest.data(), digest.size()); }

Result<Digest> digest_from_hex(std::string_view text) {
  const auto nibble = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return -1;
  };
  Digest digest;
  bool good = text.size() == 2 * digest.size();
  for (size_t i = 0; good && i < digest.size(); ++i) {
    const int high = nibble(text[2 * i]);
    const int low = nibble(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    digest[i] = static_cast<uint8_t>(high << 4 | low);
  }
  if (!good) return Corrupt(quoted(text), " is no digest; expected 64 lower-case hex digits");
  return digest;
}

// A context that OpenSSL cannot give leaves digests of zeros, which match nothing.
Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  EVP_DigestInit_ex(static_cast<EVP_MD_CTX*>(context_.get()), EVP_sha256(), nullptr);
}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;
void Sha256::Free::operator()(void* context) const {
  EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context));
}

void Sha256::update(Bytes bytes) {
  EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_.get()), bytes.data(), bytes.size());
}

Digest Sha256::finish() {
  Digest digest{};
  EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_.get()), digest.data(), nullptr);
  return digest;
}

Digest sha256(Bytes bytes) {
  Sha256 hash;
  hash.update(bytes);
  return hash.finish();
}

void FileHasher::update(Bytes bytes) {
  while (!bytes.empty()) {
    const Bytes part = bytes.first(std::min<uint64_t>(bytes.size(), kChunkSize - in_chunk_));
    whole_.update(part);
    chunk_.update(part);
    in_chunk_ += part.size();
    digest_.size += part.size();
    if (in_chunk_ == kChunkSize) {
      digest_.chunks.push_back(chunk_.finish());
      chunk_ = Sha256();
      in_chunk_ = 0;
    }
    bytes = bytes.subspan(part.size());
  }
}

FileDigest FileHasher::finish() {
  if (in_chunk_ > 0) digest_.chunks.push_back(chunk_.finish());
  digest_.sha256 = whole_.finish();
  return std::move(digest_);
}

Result<FileDigest> hash_file(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(const Blob file, map_file(path));
  FileHasher hasher;
  for (uint64_t i = 0; i < chunk_count(file.size()); ++i) {
    const uint64_t length = chunk_length(file.size(), i);
    hasher.update(file.bytes().subspan(i * kChunkSize, length));
    file.discard_pages(i * kChunkSize, length);
  }
  return hasher.finish();
}

Digest merkle_root(std::span<const Digest> chunks) {
  if (chunks.empty()) return sha256({});
  if (chunks.size() == 1) {
    constexpr uint8_t kLeaf = 0x00;
    Sha256 hash;
    hash.update({&kLeaf, 1});
    hash.update(chunks[0]);
    return hash.finish();
  }
  const size_t split = std::bit_floor(chunks.size() - 1);
  constexpr uint8_t kNode = 0x01;
  Sha256 hash;
  hash.update({&kNode, 1});
  hash.update(merkle_root(chunks.first(split)));
  hash.update(merkle_root(chunks.subspan(split)));
  return hash.finish();
}

namespace {

constexpr size_t kLinksPerNode = 174;

// Multicodec numbers of what a CID points at.
constexpr uint8_t kRaw = 0x55;
constexpr uint8_t kDagPb = 0x70;

/// A block of the UnixFS tree, as its parent's link describes it.
struct Block {
  uint8_t codec;
  Digest digest;
  uint64_t tree_bytes;  // the block and all below it, encoded: the link's Tsize
  uint64_t file_bytes;  // of the file, below it
};

/// CIDv1: version, codec, multihash (sha2-256, 32 bytes).
void append_cid(std::vector<uint8_t>& out, const Block& block) {
  out.insert(out.end(), {0x01, block.codec, 0x12, 0x20});
  out.insert(out.end(), block.digest.begin(), block.digest.end());
}

void append_varint(std::vector<uint8_t>& out, uint64_t value) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<uint8_t>(value | 0x80));
  out.push_back(static_cast<uint8_t>(value));
}

void append_field(std::vector<uint8_t>& out, uint8_t tag, const std::vector<uint8_t>& bytes) {
  out.push_back(tag);
  append_varint(out, bytes.size());
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// dag-pb node over `children`: links (field 2: Hash, empty Name, Tsize) stand before the data
/// (field 1), which is UnixFS {Type = File, filesize, blocksizes unpacked}.
Block file_node(std::span<const Block> children) {
  Block node{kDagPb, {}, 0, 0};
  std::vector<uint8_t> bytes;
  for (const Block& child : children) {
    std::vector<uint8_t> hash;
    append_cid(hash, child);
    std::vector<uint8_t> link;
    append_field(link, 0x0a, hash);
    link.insert(link.end(), {0x12, 0x00, 0x18});
    append_varint(link, child.tree_bytes);
    append_field(bytes, 0x12, link);
    node.tree_bytes += child.tree_bytes;
    node.file_bytes += child.file_bytes;
  }
  std::vector<uint8_t> data{0x08, 0x02, 0x18};
  append_varint(data, node.file_bytes);
  for (const Block& child : children) {
    data.push_back(0x20);
    append_varint(data, child.file_bytes);
  }
  append_field(bytes, 0x0a, data);
  node.tree_bytes += bytes.size();
  node.digest = sha256(bytes);
  return node;
}

/// Multibase "b": RFC 4648 base32, lower case, no padding.
std::string base32(Bytes bytes) {
  constexpr char kAlphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  std::string out = "b";
  uint32_t bits = 0;
  int count = 0;
  for (uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (count += 8; count >= 5; count -= 5) out.push_back(kAlphabet[bits >> (count - 5) & 31]);
  }
  if (count > 0) out.push_back(kAlphabet[bits << (5 - count) & 31]);
  return out;
}

}  // namespace

std::string cid(uint64_t size, std::span<const Digest> chunks) {
  std::vector<Block> level;
  level.reserve(chunks.size());
  for (size_t i = 0; i < chunks.size(); ++i) {
    const uint64_t length = chunk_length(size, i);
    level.push_back({kRaw, chunks[i], length, length});
  }
  if (level.empty()) level.push_back({kRaw, sha256({}), 0, 0});
  while (level.size() > 1) {
    std::vector<Block> parents;
    for (size_t i = 0; i < level.size(); i += kLinksPerNode) {
      const size_t count = std::min(kLinksPerNode, level.size() - i);
      parents.push_back(file_node(std::span(level).subspan(i, count)));
    }
    level = std::move(parents);
  }
  std::vector<uint8_t> bytes;
  append_cid(bytes, level.front());
  return base32(bytes);
}

}  // namespace enm::distribution
