#include "enm/kernels/vector.h"
#include "enm/kernels/quantize_linear/variants.h"
#include "enm/kernels/variant.h"

namespace enm::kernels {
namespace {

typedef uint8_t ByteVec __attribute__((vector_size(16)));

void range(const float* x, int64_t n, float* low, float* high) {
  Vec least = splat(*low);
  Vec most = splat(*high);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Vec v = load(x + i);
    least = min(v, least);  // NaN compares false: the second operand stays
    most = max(v, most);
  }
  // Lanes beyond the end repeat what is known.
  Vec rest = least;
  std::memcpy(&rest, x + i, static_cast<size_t>(n - i) * sizeof(float));
  least = min(rest, least);
  rest = most;
  std::memcpy(&rest, x + i, static_cast<size_t>(n - i) * sizeof(float));
  most = max(rest, most);
  float lanes[kLanes];
  store(lanes, least);
  for (float lane : lanes) *low = lane < *low ? lane : *low;
  store(lanes, most);
  for (float lane : lanes) *high = lane > *high ? lane : *high;
}

// Adding 1.5 * 2^23 rounds to the nearest integer, ties to even.
ByteVec quantize_lanes(Vec x, Vec scale, Vec least, Vec most, int32_t zero) {
  const Vec magic = splat(12582912.0f);
  const Vec rounded = (max(min(x / scale, most), least) + magic) - magic;
  return __builtin_convertvector(__builtin_convertvector(rounded, IntVec) + zero, ByteVec);
}

void quantize(const float* x, int64_t n, float scale, int32_t zero, uint8_t* y) {
  const Vec scales = splat(scale);
  const Vec least = splat(static_cast<float>(-zero));
  const Vec most = splat(static_cast<float>(255 - zero));
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const ByteVec bytes = quantize_lanes(load(x + i), scales, least, most, zero);
    std::memcpy(y + i, &bytes, sizeof bytes);
  }
  if (i == n) return;
  const ByteVec bytes = quantize_lanes(load_some(x + i, n - i), scales, least, most, zero);
  std::memcpy(y + i, &bytes, static_cast<size_t>(n - i));
}

}  // namespace

extern const QuantizeLinearKernels ENM_VARIANT_NAME(kQuantizeLinear) = {range, quantize};

}  // namespace enm::kernels
