// Hashes of a file: SHA-256 of the whole, SHA-256 of each 256 KiB chunk, and two trees over the
// chunk digests, the Merkle root (RFC 6962) and the CID under which IPFS knows the file. One list
// of chunk digests serves every transport; see docs/formats/manifest.md.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/bytes.h"
#include "enm/base/status.h"

namespace enm::distribution {

using Digest = std::array<uint8_t, 32>;

inline constexpr uint64_t kChunkSize = 262144;

/// Chunks of a file of `size` bytes; an empty file has none.
constexpr uint64_t chunk_count(uint64_t size) {
  return size / kChunkSize + (size % kChunkSize != 0 ? 1 : 0);
}

/// Bytes in chunk `index` of a file of `size` bytes.
constexpr uint64_t chunk_length(uint64_t size, uint64_t index) {
  const uint64_t begin = index * kChunkSize;
  return size - begin < kChunkSize ? size - begin : kChunkSize;
}

std::string to_hex(const Digest& digest);

/// 64 lower-case hexadecimal digits; kCorrupt otherwise.
Result<Digest> digest_from_hex(std::string_view text);

/// SHA-256 of bytes that come in parts.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void update(Bytes bytes);
  /// Once, after the last update.
  Digest finish();

 private:
  struct Free {
    void operator()(void* context) const;
  };
  std::unique_ptr<void, Free> context_;
};

Digest sha256(Bytes bytes);

/// All that identifies a file's content. The two trees follow from size and chunks.
struct FileDigest {
  uint64_t size = 0;
  Digest sha256{};
  std::vector<Digest> chunks;

  bool operator==(const FileDigest&) const = default;
};

/// Digests of bytes that come in parts of any length.
class FileHasher {
 public:
  void update(Bytes bytes);
  FileDigest finish();

 private:
  Sha256 whole_;
  Sha256 chunk_;
  uint64_t in_chunk_ = 0;
  FileDigest digest_;
};

/// Reads the file once. kNotFound, kIo.
Result<FileDigest> hash_file(const std::string& path);

/// RFC 6962, section 2.1: leaf = H(0x00 || chunk digest), node = H(0x01 || left || right), the left
/// subtree holding the largest power of two of leaves below their number; of no leaves, H().
Digest merkle_root(std::span<const Digest> chunks);

/// CIDv1 in base32 of the UnixFS file that `ipfs add --cid-version=1 --raw-leaves` makes: 256 KiB
/// raw leaves, 174 links a node, balanced. `chunks` are those of a file of `size` bytes.
std::string cid(uint64_t size, std::span<const Digest> chunks);

}  // namespace enm::distribution
