// The protobuf wire format, as far as ONNX needs it: a bounded reader over foreign bytes and a
// writer. Source: https://protobuf.dev/programming-guides/encoding
//
// Ready-made libraries throw or need generated code and RTTI; see docs/decisions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/bytes.h"

namespace enm::formats {

enum class Wire : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

/// One field as it stands in the message. Which member holds the value depends on `wire`.
struct ProtoField {
  uint32_t number = 0;
  Wire wire = Wire::kVarint;
  uint64_t integer = 0;  // varint or fixed
  Bytes bytes;           // kBytes: inside the message's own bytes

  std::string_view text() const { return as_text(bytes); }
  float as_float() const { return std::bit_cast<float>(static_cast<uint32_t>(integer)); }
  double as_double() const { return std::bit_cast<double>(integer); }
  int64_t as_int() const { return static_cast<int64_t>(integer); }
};

/// Walks the fields of one message. Groups (wire types 3, 4) are refused.
class ProtoReader {
 public:
  explicit ProtoReader(Bytes message) : rest_(message) {}

  bool done() const { return rest_.empty(); }
  Result<ProtoField> next();

 private:
  Result<uint64_t> varint();
  Bytes rest_;
};

/// Appends the integers of a repeated field, packed or single.
Status read_packed_ints(const ProtoField& field, std::vector<int64_t>& out);
Status read_packed_floats(const ProtoField& field, std::vector<float>& out);
Status read_packed_doubles(const ProtoField& field, std::vector<double>& out);

/// Builds a message front to back.
class ProtoWriter {
 public:
  void integer(uint32_t number, int64_t value);
  void float32(uint32_t number, float value);
  void bytes(uint32_t number, Bytes value);
  void text(uint32_t number, std::string_view value) { bytes(number, as_bytes(value)); }
  void message(uint32_t number, const ProtoWriter& value) { bytes(number, value.out_); }
  void packed_ints(uint32_t number, const std::vector<int64_t>& values);
  void packed_floats(uint32_t number, const std::vector<float>& values);
  /// Tag and length of a kBytes field whose `size` bytes the caller writes itself.
  void header(uint32_t number, uint64_t size);
  /// Bytes that are whole fields already.
  void raw(Bytes fields) { out_.insert(out_.end(), fields.begin(), fields.end()); }

  const std::vector<uint8_t>& result() const { return out_; }
  size_t size() const { return out_.size(); }

 private:
  void varint(uint64_t value);
  void tag(uint32_t number, Wire wire);
  std::vector<uint8_t> out_;
};

}  // namespace enm::formats
