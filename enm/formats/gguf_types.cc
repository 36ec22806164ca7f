#include "enm/formats/gguf_types.h"

#include <array>
#include <cstring>
#include <vector>

#include "enm/base/half.h"
#include "enm/base/strings.h"

namespace enm::formats {
namespace {

float half_at(const uint8_t* bytes) {
  uint16_t half;
  std::memcpy(&half, bytes, sizeof half);
  return half_to_float(half);
}

// f16 at the block's begin is the scale of all its weights.
void one_scale(const uint8_t* block, float* scales, float*) { scales[0] = half_at(block); }

// f16 scale | f16 minimum, to be added
void scale_and_minimum(const uint8_t* block, float* scales, float* minima) {
  scales[0] = half_at(block);
  minima[0] = -half_at(block + 2);
}

// Weight i of 32 in 16 bytes: the first 16 lie in the low halves.
int nibble(const uint8_t* bytes, int i) { return i < 16 ? bytes[i] & 15 : bytes[i - 16] >> 4; }

// Weight i of 256 in 128 bytes: 32 bytes hold 64 weights, the first 32 in the low halves.
int k_nibble(const uint8_t* bytes, int i) {
  return bytes[i / 64 * 32 + i % 32] >> (i % 64 / 32 * 4) & 15;
}

// Weight i of 256 in 64 bytes: 32 bytes hold 128 weights, 32 in each pair of bits.
int two_bits(const uint8_t* bytes, int i) {
  return bytes[i / 128 * 32 + i % 32] >> (i % 128 / 32 * 2) & 3;
}

// Weight i of 256 in 32 bytes: 32 weights in each bit.
int one_bit(const uint8_t* bytes, int i) { return bytes[i % 32] >> (i / 32) & 1; }

template <int kCount, typename Value>
void fill(uint8_t* quants, Value value) {
  for (int i = 0; i < kCount; ++i) quants[i] = static_cast<uint8_t>(value(i));
}

// Q4_0: f16 scale | nibbles
void q4_0_quants(const uint8_t* block, uint8_t* quants) {
  fill<32>(quants, [&](int i) { return nibble(block + 2, i); });
}

// Q4_1: f16 scale | f16 minimum | nibbles
void q4_1_quants(const uint8_t* block, uint8_t* quants) {
  fill<32>(quants, [&](int i) { return nibble(block + 4, i); });
}

// 32 fifth bits | nibbles
int five_bits(const uint8_t* bytes, int i) {
  return nibble(bytes + 4, i) | (bytes[i / 8] >> (i % 8) & 1) << 4;
}

// Q5_0: f16 scale | 32 fifth bits | nibbles, around 16
void q5_0_quants(const uint8_t* block, uint8_t* quants) {
  fill<32>(quants, [&](int i) { return five_bits(block + 2, i) + 128 - 16; });
}

// Q5_1: f16 scale | f16 minimum | 32 fifth bits | nibbles
void q5_1_quants(const uint8_t* block, uint8_t* quants) {
  fill<32>(quants, [&](int i) { return five_bits(block + 4, i); });
}

// Q8_0: f16 scale | 32 signed bytes
void q8_0_quants(const uint8_t* block, uint8_t* quants) {
  fill<32>(quants, [&](int i) { return block[2 + i] ^ 0x80; });
}

// Q2_K: 16 bytes of scale | minimum << 4, of 4 bits each | 64 bytes of pairs of bits
//       | f16 scale of the scales | f16 scale of the minima
void q2_k_quants(const uint8_t* block, uint8_t* quants) {
  fill<256>(quants, [&](int i) { return two_bits(block + 16, i); });
}

void q2_k_scales(const uint8_t* block, float* scales, float* minima) {
  for (int p = 0; p < 16; ++p) {
    scales[p] = half_at(block + 80) * static_cast<float>(block[p] & 15);
    minima[p] = half_at(block + 82) * static_cast<float>(block[p] >> 4);
  }
}

// Q3_K: 32 bytes of third bits | 64 of pairs of bits, together around 4
//       | 12 bytes of scales, of 6 bits around 32 | f16 scale of the scales
void q3_k_quants(const uint8_t* block, uint8_t* quants) {
  fill<256>(quants,
            [&](int i) { return (two_bits(block + 32, i) | one_bit(block, i) << 2) + 8 - 4; });
}

void q3_k_scales(const uint8_t* block, float* scales, float*) {
  const uint8_t* six = block + 96;
  for (int p = 0; p < 16; ++p) {
    const int low = p < 8 ? six[p] & 15 : six[p - 8] >> 4;
    const int high = six[8 + p % 4] >> (p / 4 * 2) & 3;
    scales[p] = half_at(block + 108) * static_cast<float>((low | high << 4) - 32);
  }
}

// Q4_K and Q5_K begin with: f16 scale of the scales | f16 scale of the minima
//       | 12 bytes of 8 scales and 8 minima of 6 bits
void k_scales(const uint8_t* block, float* scales, float* minima) {
  const uint8_t* six = block + 4;
  for (int p = 0; p < 8; ++p) {
    const int scale = p < 4 ? six[p] & 63 : (six[p + 4] & 15) | six[p - 4] >> 6 << 4;
    const int minimum = p < 4 ? six[p + 4] & 63 : six[p + 4] >> 4 | six[p] >> 6 << 4;
    scales[p] = half_at(block) * static_cast<float>(scale);
    minima[p] = half_at(block + 2) * static_cast<float>(minimum);
  }
}

// Q4_K: scales and minima | nibbles
void q4_k_quants(const uint8_t* block, uint8_t* quants) {
  fill<256>(quants, [&](int i) { return k_nibble(block + 16, i); });
}

// Q5_K: scales and minima | 32 bytes of fifth bits | nibbles
void q5_k_quants(const uint8_t* block, uint8_t* quants) {
  fill<256>(quants, [&](int i) { return k_nibble(block + 48, i) | one_bit(block + 16, i) << 4; });
}

// Q6_K: 128 bytes of nibbles, 64 bytes hold 128 weights | 64 of pairs of bits, together around 32
//       | 16 signed scales | f16 scale of the scales
void q6_k_quants(const uint8_t* block, uint8_t* quants) {
  fill<256>(quants, [&](int i) {
    const int low = block[i / 128 * 64 + i % 64] >> (i % 128 / 64 * 4) & 15;
    return (low | two_bits(block + 128, i) << 4) + 128 - 32;
  });
}

void q6_k_scales(const uint8_t* block, float* scales, float*) {
  for (int p = 0; p < 16; ++p) {
    scales[p] = half_at(block + 208) * static_cast<float>(static_cast<int8_t>(block[192 + p]));
  }
}

// IQ4_NL: f16 scale | nibbles that choose one of 16 values
void iq4_nl_quants(const uint8_t* block, uint8_t* quants) {
  static constexpr int8_t kValues[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                         1,    13,   25,  38,  53,  69,  89,  113};
  fill<32>(quants, [&](int i) { return kValues[nibble(block + 2, i)] + 128; });
}

constexpr std::array kTypes = {
    GgmlTypeInfo{GgmlType::kF32, "F32", 1, 4},
    GgmlTypeInfo{GgmlType::kF16, "F16", 1, 2},
    GgmlTypeInfo{GgmlType::kBF16, "BF16", 1, 2},
    GgmlTypeInfo{GgmlType::kQ4_0, "Q4_0", 32, 18, 32, 4, false, q4_0_quants, one_scale},
    GgmlTypeInfo{GgmlType::kQ4_1, "Q4_1", 32, 20, 32, 4, true, q4_1_quants, scale_and_minimum},
    GgmlTypeInfo{GgmlType::kQ5_0, "Q5_0", 32, 22, 32, 8, false, q5_0_quants, one_scale},
    GgmlTypeInfo{GgmlType::kQ5_1, "Q5_1", 32, 24, 32, 8, true, q5_1_quants, scale_and_minimum},
    GgmlTypeInfo{GgmlType::kQ8_0, "Q8_0", 32, 34, 32, 8, false, q8_0_quants, one_scale},
    GgmlTypeInfo{GgmlType::kQ2_K, "Q2_K", 256, 84, 16, 4, true, q2_k_quants, q2_k_scales},
    GgmlTypeInfo{GgmlType::kQ3_K, "Q3_K", 256, 110, 16, 4, false, q3_k_quants, q3_k_scales},
    GgmlTypeInfo{GgmlType::kQ4_K, "Q4_K", 256, 144, 32, 4, true, q4_k_quants, k_scales},
    GgmlTypeInfo{GgmlType::kQ5_K, "Q5_K", 256, 176, 32, 8, true, q5_k_quants, k_scales},
    GgmlTypeInfo{GgmlType::kQ6_K, "Q6_K", 256, 210, 16, 8, false, q6_k_quants, q6_k_scales},
    GgmlTypeInfo{GgmlType::kIQ4_NL, "IQ4_NL", 32, 18, 32, 8, false, iq4_nl_quants, one_scale},
};

void dequantize_floats(const GgmlTypeInfo& type, const uint8_t* from, int64_t count, float* out) {
  if (count == 0) return;  // from no bytes to no floats
  if (type.type == GgmlType::kF32) {
    std::memcpy(out, from, static_cast<size_t>(count) * sizeof(float));
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    uint16_t bits;
    std::memcpy(&bits, from + 2 * i, sizeof bits);
    out[i] = type.type == GgmlType::kF16 ? half_to_float(bits) : bfloat16_to_float(bits);
  }
}

}  // namespace

const GgmlTypeInfo* find_ggml_type(uint32_t number) {
  for (const GgmlTypeInfo& info : kTypes) {
    if (static_cast<uint32_t>(info.type) == number) return &info;
  }
  return nullptr;
}

std::string ggml_type_names() {
  std::vector<std::string> names;
  for (const GgmlTypeInfo& info : kTypes) names.emplace_back(info.name);
  return join(names, ", ");
}

void dequantize_ggml(const GgmlTypeInfo& type, const uint8_t* blocks, int64_t count, float* out) {
  if (type.is_float()) return dequantize_floats(type, blocks, count, out);
  const int middle = type.has_minima ? 0 : type.middle();
  uint8_t quants[kMostGgmlBlock];
  float scales[kMostGgmlParts];
  float minima[kMostGgmlParts] = {};
  for (int64_t begin = 0; begin < count; begin += type.block, blocks += type.bytes) {
    type.quants(blocks, quants);
    type.scales(blocks, scales, minima);
    for (int64_t i = 0; i < type.block; ++i) {
      const int64_t part = i / type.part;
      out[begin + i] = static_cast<float>(quants[i] - middle) * scales[part] - minima[part];
    }
  }
}

}  // namespace enm::formats
