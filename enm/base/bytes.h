// Spans of bytes, and a reader over foreign ones that cannot leave them.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"

namespace enm {

static_assert(std::endian::native == std::endian::little, "file formats are read in place");

using Bytes = std::span<const uint8_t>;
using MutableBytes = std::span<uint8_t>;

inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Bytes together with whatever keeps them alive: a vector, a mapped file, a buffer of the host.
/// Copies are cheap and share the owner.
class Blob {
 public:
  Blob() = default;
  Blob(std::shared_ptr<const void> owner, Bytes bytes) : owner_(std::move(owner)), bytes_(bytes) {}

  /// Bytes of a read-only file mapping, whose pages the system can read again.
  static Blob file_mapping(std::shared_ptr<const void> owner, Bytes bytes) {
    Blob blob(std::move(owner), bytes);
    blob.is_file_mapping_ = true;
    return blob;
  }

  static Blob own(std::vector<uint8_t> data) {
    auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(data));
    return Blob(owner, *owner);
  }
  /// Bytes that the caller keeps alive for as long as any copy of the blob.
  static Blob borrow(Bytes bytes) { return Blob(nullptr, bytes); }

  Bytes bytes() const { return bytes_; }
  const uint8_t* data() const { return bytes_.data(); }
  size_t size() const { return bytes_.size(); }

  bool is_file_mapping() const { return is_file_mapping_; }

  /// A part that shares the owner. The caller has checked offset + size <= this->size().
  Blob slice(size_t offset, size_t size) const {
    Blob part(owner_, bytes_.subspan(offset, size));
    part.is_file_mapping_ = is_file_mapping_;
    return part;
  }

  /// Lets go of the memory behind [offset, offset + size) if it is a file's mapping: the next
  /// reader reads the file again. This is how a model of any size streams through little memory.
  void discard_pages(size_t offset, size_t size) const;
  void discard_pages() const { discard_pages(0, size()); }

 private:
  std::shared_ptr<const void> owner_;
  Bytes bytes_;
  bool is_file_mapping_ = false;
};

/// Reads little-endian values from the front of foreign bytes; refuses to run past the end.
class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  size_t remaining() const { return rest_.size(); }

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  Result<T> read() {
    if (rest_.size() < sizeof(T)) return truncated(sizeof(T));
    T value;
    std::memcpy(&value, rest_.data(), sizeof(T));
    rest_ = rest_.subspan(sizeof(T));
    return value;
  }

  Result<Bytes> read_bytes(uint64_t size) {
    if (rest_.size() < size) return truncated(size);
    Bytes out = rest_.first(size);
    rest_ = rest_.subspan(size);
    return out;
  }

 private:
  Status truncated(uint64_t wanted) const {
    return Corrupt("wanted ", wanted, " more bytes, got ", rest_.size());
  }
  Bytes rest_;
};

}  // namespace enm
