// The element types of GGUF files: blocks of a few weights that share scales.
// Source: ggml, ggml-common.h and ggml-quants.c.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace enm::formats {

/// Numbered as files number them.
enum class GgmlType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIQ4_NL = 20,
  kBF16 = 30,
};

inline constexpr int64_t kMostGgmlBlock = 256;  // weights
inline constexpr int64_t kMostGgmlParts = 16;   // of a block

/// What is known of a type. A weight of a block is (quant - middle()) * scale in types without
/// minima, and quant * scale - minimum in the others, every `part` weights with a scale of their
/// own. So whole tensors carry over to MatMulNBits as they are: types of less than 4 bits in 4,
/// those between in 8.
struct GgmlTypeInfo {
  GgmlType type;
  std::string_view name;  // "Q4_K"
  int64_t block;          // weights
  int64_t bytes;          // of a block
  int64_t part = 0;       // weights that share a scale; 0 where elements are floats
  int bits = 0;           // 4 or 8
  bool has_minima = false;
  /// A block's quants, one a byte; its scales and, if it has_minima, minima.
  void (*quants)(const uint8_t* block, uint8_t* quants) = nullptr;
  void (*scales)(const uint8_t* block, float* scales, float* minima) = nullptr;

  bool is_float() const { return part == 0; }
  int middle() const { return bits == 4 ? 8 : 128; }
  int64_t parts() const { return block / part; }
  int64_t row_bytes(int64_t columns) const { return columns / block * bytes; }
};

/// Null for a number that is not listed above.
const GgmlTypeInfo* find_ggml_type(uint32_t number);
/// "F32, F16, ...": for messages.
std::string ggml_type_names();

/// `count` weights, a multiple of the type's block, as floats: the values that ggml computes, bit
/// by bit.
void dequantize_ggml(const GgmlTypeInfo& type, const uint8_t* blocks, int64_t count, float* out);

}  // namespace enm::formats
