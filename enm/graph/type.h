// Element types and shapes with symbolic dimensions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace enm::graph {

/// Element types, numbered as ONNX TensorProto.DataType numbers them.
enum class DType : uint8_t {
  kUndefined = 0,
  kFloat32 = 1,
  kUint8 = 2,
  kInt8 = 3,
  kUint16 = 4,
  kInt16 = 5,
  kInt32 = 6,
  kInt64 = 7,
  kString = 8,
  kBool = 9,
  kFloat16 = 10,
  kFloat64 = 11,
  kUint32 = 12,
  kUint64 = 13,
  kBfloat16 = 16,
  kUint4 = 21,
  kInt4 = 22,
};

/// "f32", "u8", "i64", ...; "?" for kUndefined. The text form of the graph uses these.
std::string_view dtype_name(DType type);
std::optional<DType> dtype_from_name(std::string_view name);

/// Bits of one element; 0 for kUndefined and kString, which have no fixed size.
int dtype_bits(DType type);

inline bool is_float(DType type) {
  return type == DType::kFloat32 || type == DType::kFloat16 || type == DType::kBfloat16 ||
         type == DType::kFloat64;
}

/// One dimension: a number, a symbolic expression ("batch", "past + sequence"), or unknown.
class Dim {
 public:
  Dim() = default;  // unknown
  Dim(int64_t value) : value_(value) {}
  Dim(std::string symbol) : symbol_(std::move(symbol)) {}
  Dim(const char* symbol) : symbol_(symbol) {}

  bool is_known() const { return value_ >= 0; }
  bool is_symbolic() const { return !symbol_.empty(); }
  int64_t value() const { return value_; }
  const std::string& symbol() const { return symbol_; }
  /// "12", "past + sequence" or "?"
  std::string str() const;

  bool operator==(const Dim&) const = default;

 private:
  int64_t value_ = -1;
  std::string symbol_;
};

using Shape = std::vector<Dim>;

/// What is known of a value before it exists. No shape means not even the rank is known.
struct Type {
  DType dtype = DType::kUndefined;
  std::optional<Shape> shape;

  bool operator==(const Type&) const = default;
};

/// "f32[batch, sequence, 256]", "i64[]" (a scalar), "f32" (rank unknown)
std::string type_str(const Type& type);

}  // namespace enm::graph
