#include <algorithm>
#include <cmath>

#include "enm/base/half.h"
#include "enm/kernels/error_feedback/variants.h"

namespace enm::kernels {
namespace {

constexpr int kLanes = 16;

struct Grid {
  float scale = 0;
  float zero = 0;
  float gain = 0;  // how much less than rounding everything to 0 it costs
};

// The scale of least squares for what `scale` and `zero` round to.
Grid fitted(const float* v, const float* weights, int64_t count, int levels, float scale,
            float zero) {
  if (scale == 0) return {};
  float vq = 0;
  float qq = 0;
  for (int64_t c = 0; c < count; ++c) {
    const float q = std::nearbyint(v[c * kLanes] / scale);
    const float kept = std::clamp(q, -zero, static_cast<float>(levels - 1) - zero);
    vq += weights[c] * v[c * kLanes] * kept;
    qq += weights[c] * kept * kept;
  }
  return qq > 0 ? Grid{vq / qq, zero, vq * vq / qq} : Grid{};
}

Grid best(const float* v, const float* weights, int64_t count, int levels, bool symmetric) {
  float low = 0;
  float high = 0;
  for (int64_t c = 0; c < count; ++c) {
    low = std::min(low, v[c * kLanes]);
    high = std::max(high, v[c * kLanes]);
  }
  const auto half = static_cast<float>(levels / 2);
  const auto most = static_cast<float>(levels - 1);
  Grid out{0, half, 0};
  const auto consider = [&](float scale, float zero) {
    const Grid grid = fitted(v, weights, count, levels, scale, zero);
    if (grid.gain > out.gain) out = grid;
  };
  for (int i = 0; i <= 20; ++i) {
    const float part = 1.1f - 0.025f * static_cast<float>(i);
    if (symmetric) {
      const float extreme = -low > high ? low : high;
      consider(extreme / (-half * part), half);
      consider(extreme / (half * part), half);
    } else {
      const float scale = (high - low) / most * part;
      const float middle = scale == 0 ? 0 : most / 2 - (low + high) / 2 / scale;
      for (float off : {-1.0f, 0.0f, 1.0f}) {
        consider(scale, std::clamp(std::nearbyint(middle) + off, 0.0f, most));
      }
    }
  }
  return out;
}

void choose(const float* v, const float* weights, int64_t count, int levels, bool symmetric,
            float* scale, float* zero) {
  for (int lane = 0; lane < kLanes; ++lane) {
    const Grid grid = best(v + lane, weights, count, levels, symmetric);
    scale[lane] = half_to_float(float_to_half(std::clamp(grid.scale, -65504.0f, 65504.0f)));
    zero[lane] = grid.zero;
  }
}

// What the columns [begin, end] are to be, given what those behind have cost.
void choose_group(const ErrorFeedbackArgs& args, int64_t begin, int64_t end) {
  float v[kMostGroup * kLanes];
  float weights[kMostGroup];
  for (int lane = 0; lane < kLanes; ++lane) {
    float x[kMostGroup];
    for (int64_t c = end; c >= begin; --c) {
      float total = args.s[c * kLanes + lane];
      for (int64_t j = end; j > c; --j) total -= args.factor[j * args.count + c] * x[j - begin];
      const float diagonal = args.factor[c * args.count + c];
      x[c - begin] = total / diagonal;
      v[(c - begin) * kLanes + lane] = args.w[c * kLanes + lane] + x[c - begin];
      weights[c - begin] = diagonal * diagonal;
    }
  }
  const int64_t group = args.group[end];
  choose(v, weights, end - begin + 1, args.levels, args.symmetric, args.scales + group * kLanes,
         args.zeros + group * kLanes);
}

void round(const ErrorFeedbackArgs& args) {
  for (int64_t c = args.count - 1; c >= 0; --c) {
    const int64_t group = args.group[c];
    if (args.choose && (c == args.count - 1 || args.group[c + 1] != group)) {
      int64_t begin = c;
      while (begin > 0 && args.group[begin - 1] == group) --begin;
      choose_group(args, begin, c);
    }
    const float* u = args.factor + c * args.count;
    for (int lane = 0; lane < kLanes; ++lane) {
      const int64_t at = c * kLanes + lane;
      const float scale = args.scales[group * kLanes + lane];
      const float zero = args.zeros[group * kLanes + lane];
      const float v = args.w[at] + args.s[at] / u[c];
      const float q = scale == 0 ? 0 : std::nearbyint(v / scale);
      const float kept = std::clamp(q, -zero, static_cast<float>(args.levels - 1) - zero);
      args.q[at] = static_cast<uint8_t>(kept + zero);
      args.e[at] = args.w[at] - kept * scale;
      const float cost = u[c] * (v - kept * scale);
      args.cost[lane] += cost * cost;
      for (int64_t j = 0; j < c; ++j) args.s[j * kLanes + lane] += u[j] * args.e[at];
    }
  }
}

}  // namespace

const ErrorFeedbackKernels kErrorFeedbackScalar = {round, choose};

}  // namespace enm::kernels
