// Rounding 16 rows of a weight to low-bit grids, columns from the last to the first, each told what
// the ones behind it have cost:
//   v[c] = w[c] + s[c] / u[c][c];  q[c] = round(v[c] / scale) + zero;  e[c] = w[c] - (q[c] - zero)
//   scale s[j] += u[j][c] e[c] for j < c
// What GPTQ does (enm/quantize/statistics.h has the factor u and why).
#pragma once

#include <cstdint>

#include "enm/base/cpu.h"

namespace enm::kernels {

inline constexpr int64_t kMostGroup = 256;

/// Arrays of lanes are [count][16], a row of the weight a lane.
struct ErrorFeedbackArgs {
  int64_t count = 0;               // columns
  const float* w = nullptr;        // lanes
  float* s = nullptr;              // lanes
  float* e = nullptr;              // lanes, written
  uint8_t* q = nullptr;            // lanes, written
  const float* factor = nullptr;   // [count][count]: u[j][c] stands at factor[c * count + j]
  const int32_t* group = nullptr;  // of each column; columns of a group that is chosen lie together
  float* scales = nullptr;         // [groups][16]; each a half exactly
  float* zeros = nullptr;          // [groups][16], whole numbers
  int levels = 16;                 // 2^bits
  bool symmetric = true;           // zeros are levels / 2
  /// Grids are chosen when the loop comes to a group, for what its columns are to be by then;
  /// otherwise they were chosen before.
  bool choose = true;
  float* cost = nullptr;  // [16]: sum of (u[c][c] (v[c] - rounded v[c]))^2 is added
};

struct ErrorFeedbackKernels {
  void (*round)(const ErrorFeedbackArgs& args);
  /// The grid of `count` columns v, lanes, that makes sum of weight (v - rounded v)^2 smallest
  /// among 21 scales of either sign, or 21 scales with 3 zeros each: [16] scales and zeros.
  void (*choose)(const float* v, const float* weights, int64_t count, int levels, bool symmetric,
                 float* scale, float* zero);
};

const ErrorFeedbackKernels& error_feedback_kernels(Isa isa);

}  // namespace enm::kernels
