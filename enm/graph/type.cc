#include "enm/graph/type.h"

#include <array>
#include <utility>

#include "enm/base/strings.h"

namespace enm::graph {
namespace {

struct DTypeFacts {
  DType type;
  std::string_view name;
  int bits;
};

constexpr std::array kFacts = {
    DTypeFacts{DType::kUndefined, "?", 0},    DTypeFacts{DType::kFloat32, "f32", 32},
    DTypeFacts{DType::kUint8, "u8", 8},       DTypeFacts{DType::kInt8, "i8", 8},
    DTypeFacts{DType::kUint16, "u16", 16},    DTypeFacts{DType::kInt16, "i16", 16},
    DTypeFacts{DType::kInt32, "i32", 32},     DTypeFacts{DType::kInt64, "i64", 64},
    DTypeFacts{DType::kString, "str", 0},     DTypeFacts{DType::kBool, "bool", 8},
    DTypeFacts{DType::kFloat16, "f16", 16},   DTypeFacts{DType::kFloat64, "f64", 64},
    DTypeFacts{DType::kUint32, "u32", 32},    DTypeFacts{DType::kUint64, "u64", 64},
    DTypeFacts{DType::kBfloat16, "bf16", 16}, DTypeFacts{DType::kUint4, "u4", 4},
    DTypeFacts{DType::kInt4, "i4", 4},
};

}  // namespace

std::string_view dtype_name(DType type) {
  for (const DTypeFacts& facts : kFacts) {
    if (facts.type == type) return facts.name;
  }
  return "?";
}

std::optional<DType> dtype_from_name(std::string_view name) {
  for (const DTypeFacts& facts : kFacts) {
    if (facts.name == name) return facts.type;
  }
  return std::nullopt;
}

int dtype_bits(DType type) {
  for (const DTypeFacts& facts : kFacts) {
    if (facts.type == type) return facts.bits;
  }
  return 0;
}

std::string Dim::str() const {
  if (is_known()) return cat(value_);
  return symbol_.empty() ? "?" : symbol_;
}

std::string type_str(const Type& type) {
  std::string out(dtype_name(type.dtype));
  if (!type.shape) return out;
  std::vector<std::string> dims;
  for (const Dim& dim : *type.shape) dims.push_back(shown(dim.str()));
  return cat(out, "[", join(dims, ", "), "]");
}

}  // namespace enm::graph
