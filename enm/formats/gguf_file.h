// GGUF: metadata and tensors in one file, or in parts named <model>-00001-of-0000N.gguf.
// Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
//
//   "GGUF" | u32 version (2, 3) | u64 tensors | u64 entries
//   an entry:  string key | u32 type | value      (string: u64 length | bytes)
//   a tensor:  string name | u32 rank | u64 dims, innermost first | u32 type | u64 offset
//   padding to general.alignment (32) | data; offsets count from here
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/file.h"
#include "enm/formats/gguf_types.h"

namespace enm::formats {

/// The types of metadata, numbered as files number them.
enum class GgufType : uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64,
};

/// A value of the metadata: a view of the file.
struct GgufValue {
  GgufType type = GgufType::kUint8;  // of the elements, where it is an array
  bool is_array = false;
  uint64_t count = 1;
  Bytes bytes;                            // the elements, but for strings
  std::vector<std::string_view> strings;  // not more than the file has bytes / 8

  bool is_text() const { return type == GgufType::kString; }
  bool is_flag() const { return type == GgufType::kBool; }
  bool is_number() const { return !is_text() && !is_flag(); }
  bool is_integer() const {
    return is_number() && type != GgufType::kFloat32 && type != GgufType::kFloat64;
  }
  /// Element `index` of integers (wrapped beyond 2^63), of numbers.
  int64_t integer(uint64_t index = 0) const;
  double number(uint64_t index = 0) const;
};

/// Metadata by key. Readers take kNotFound, or kCorrupt for another type, naming the key; those
/// with a fallback take it for a key that is absent.
class GgufMetadata {
 public:
  const GgufValue* find(std::string_view key) const;
  const std::map<std::string_view, GgufValue>& entries() const { return entries_; }

  Result<int64_t> integer(std::string_view key) const;
  Result<int64_t> integer(std::string_view key, int64_t fallback) const;
  Result<double> number(std::string_view key) const;
  Result<double> number(std::string_view key, double fallback) const;
  Result<bool> flag(std::string_view key, bool fallback) const;
  Result<std::string_view> text(std::string_view key) const;
  Result<std::string_view> text(std::string_view key, std::string_view fallback) const;
  /// An array of strings; of integers; of numbers.
  Result<std::span<const std::string_view>> strings(std::string_view key) const;
  Result<std::vector<int64_t>> integers(std::string_view key) const;
  Result<std::vector<float>> numbers(std::string_view key) const;

 private:
  friend class GgufFile;
  using Kind = bool (GgufValue::*)() const;
  Result<const GgufValue*> get(std::string_view key, bool is_array, const Kind& kind,
                               std::string_view expected) const;
  std::map<std::string_view, GgufValue> entries_;
};

struct GgufTensor {
  /// Row-major: outermost first.
  std::vector<int64_t> dims;
  /// Null for a type that is not read, `type_number` saying which; `data` is empty then.
  const GgmlTypeInfo* type = nullptr;
  uint32_t type_number = 0;
  Blob data;  // blocks, row by row
};

class GgufFile {
 public:
  /// The file, and with a first part all the others beside it. Counts are held to what the file has
  /// bytes for; tensors lie within it, aligned, and on no other's bytes.
  static Result<GgufFile> open(const FileSource& files, const std::string& name);

  /// Of the first part.
  const GgufMetadata& metadata() const { return metadata_; }
  const std::map<std::string, GgufTensor, std::less<>>& tensors() const { return tensors_; }

 private:
  Status add_part(const Blob& file, GgufMetadata& metadata);

  std::vector<Blob> files_;  // what the views of the metadata lie in
  GgufMetadata metadata_;
  std::map<std::string, GgufTensor, std::less<>> tensors_;
};

/// True if the bytes begin as a GGUF file does.
bool is_gguf(Bytes bytes);

}  // namespace enm::formats
