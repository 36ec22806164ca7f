// 16 floats as one value of the compiler's vector extension: it becomes one zmm, two ymm, four xmm
// or four v128, whichever the file is compiled for. Everything here is internal to the file that
// includes it, so that the linker cannot pick wider code for a machine that lacks it.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

namespace {

typedef float Vec __attribute__((vector_size(64)));
typedef int32_t IntVec __attribute__((vector_size(64)));
constexpr int64_t kLanes = 16;

// One register, for loops that must hold as many values in registers as there are.
#if defined(__AVX512F__)
constexpr int64_t kRegLanes = 16;
#elif defined(__AVX__)
constexpr int64_t kRegLanes = 8;
#else
constexpr int64_t kRegLanes = 4;
#endif
typedef float Reg __attribute__((vector_size(kRegLanes * sizeof(float))));

template <typename V = Vec>
inline V splat(float x) {
  return x - V{};  // not V{} + x, which is an addition: it makes -0 into 0
}

template <typename V = Vec, typename T>
inline V load(const T* p) {
  V v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

template <typename V>
inline void store(float* p, V v) {
  std::memcpy(p, &v, sizeof v);
}

/// The first `count` lanes, zeros in the others.
[[maybe_unused]] inline Vec load_some(const float* p, int64_t count) {
  Vec v = {};
  std::memcpy(&v, p, static_cast<size_t>(count) * sizeof(float));
  return v;
}

[[maybe_unused]] inline void store_some(float* p, Vec v, int64_t count) {
  std::memcpy(p, &v, static_cast<size_t>(count) * sizeof(float));
}

/// Added up in a fixed tree, the same for every instruction set.
[[maybe_unused]] inline float sum(Vec v) {
  float lanes[kLanes];
  store(lanes, v);
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t i = 0; i < width; ++i) lanes[i] += lanes[i + width];
  }
  return lanes[0];
}

template <typename V>
inline V min(V a, V b) {
  return a < b ? a : b;
}
template <typename V>
inline V max(V a, V b) {
  return a > b ? a : b;
}

/// e^x within 2 ulp for x in [-87, 88]; 0 below, about 1.6e38 above; NaN stays NaN. x = n ln 2 + r,
/// e^r by its Taylor polynomial of degree 6 on |r| <= ln 2 / 2.
template <typename V>
inline V exp(V x) {
  using Int = decltype(x < x);
  const V clamped = min(max(x, splat<V>(-87.3f)), splat<V>(88.3f));
  const V magic = splat<V>(12582912.0f);  // 1.5 * 2^23: adding it rounds to the nearest integer
  const V shifted = clamped * 1.44269504f + magic;
  const V n = shifted - magic;
  const V r = (clamped - n * 0.693359375f) - n * -2.12194440e-4f;
  V p = splat<V>(1.0f / 720);
  p = p * r + 1.0f / 120;
  p = p * r + 1.0f / 24;
  p = p * r + 1.0f / 6;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  Int exponent;  // n stands in the last bits of what was shifted
  std::memcpy(&exponent, &shifted, sizeof exponent);
  exponent = (exponent + 127) << 23;
  V power;
  std::memcpy(&power, &exponent, sizeof power);
  const V result = x < -87.3f ? V{} : p * power;
  return x == x ? result : x;
}

/// tanh by a rational approximation on [-7.9, 7.9] (the one of Eigen and XLA), error below 3e-7.
template <typename V>
inline V tanh(V x) {
  const V c = min(max(x, splat<V>(-7.90531110763549805f)), splat<V>(7.90531110763549805f));
  const V c2 = c * c;
  V p = splat<V>(-2.76076847742355e-16f);
  for (float a : {2.00018790482477e-13f, -8.60467152213735e-11f, 5.12229709037114e-08f,
                  1.48572235717979e-05f, 6.37261928875436e-04f, 4.89352455891786e-03f}) {
    p = p * c2 + a;
  }
  V q = splat<V>(1.19825839466702e-06f);
  for (float b : {1.18534705686654e-04f, 2.26843463243900e-03f, 4.89352518554385e-03f}) {
    q = q * c2 + b;
  }
  const V result = c * p / q;
  return x == x ? result : x;
}

/// erf by a rational approximation on [-4, 4] (the one of Eigen and XLA), error below 3e-7.
[[maybe_unused]] inline Vec erf(Vec x) {
  const Vec c = min(max(x, splat(-4.0f)), splat(4.0f));
  const Vec c2 = c * c;
  Vec p = splat(-2.72614225801306e-10f);
  for (float a : {2.77068142495902e-08f, -2.10102402082508e-06f, -5.69250639462346e-05f,
                  -7.34990630326855e-04f, -2.95459980854025e-03f, -1.60960333262415e-02f}) {
    p = p * c2 + a;
  }
  Vec q = splat(-1.45660718464996e-05f);
  for (float b : {-2.13374055278905e-04f, -1.68282697438203e-03f, -7.37332916720468e-03f,
                  -1.42647390514189e-02f}) {
    q = q * c2 + b;
  }
  const Vec result = c * p / q;
  return x == x ? result : x;
}

}  // namespace
