#include "enm/kernels/vector.h"
#include "enm/base/half.h"
#include "enm/kernels/error_feedback/variants.h"
#include "enm/kernels/variant.h"

namespace enm::kernels {
namespace {

// To the nearest whole number, ties to even, of |x| < 2^22.
Vec rounded(Vec x) {
  const Vec magic = splat(12582912.0f);  // 1.5 * 2^23
  return (x + magic) - magic;
}

Vec clamped(Vec x, Vec low, Vec high) { return min(max(x, low), high); }

// 1 / x, 0 where x is.
Vec inverse(Vec x) { return x == 0.0f ? Vec{} : 1.0f / x; }

struct Columns {
  const float* v;
  const float* weights;
  int64_t count;
};

struct Grid {
  Vec scale, zero;
  Vec gain;  // how much less than rounding everything to 0 it costs
};

// Takes the scale of least squares for what `scale` and `zero` round to, where it gains more.
void consider(const Columns& columns, float most, Vec scale, Vec zero, Grid& best) {
  const Vec factor = inverse(scale);
  const Vec low = -zero;
  const Vec high = most - zero;
  Vec vq = {};
  Vec qq = {};
  for (int64_t c = 0; c < columns.count; ++c) {
    const Vec v = load<Vec>(columns.v + c * kLanes);
    const Vec q = rounded(clamped(v * factor, low, high));
    const Vec weighted = q * columns.weights[c];
    vq += weighted * v;
    qq += weighted * q;
  }
  const Vec fitted = vq * inverse(qq);
  const Vec gain = vq * fitted;
  const auto better = gain > best.gain;
  best.scale = better ? fitted : best.scale;
  best.zero = better ? zero : best.zero;
  best.gain = better ? gain : best.gain;
}

void choose(const float* v, const float* weights, int64_t count, int levels, bool symmetric,
            float* scale, float* zero) {
  const Columns columns{v, weights, count};
  const auto half = static_cast<float>(levels / 2);
  const auto most = static_cast<float>(levels - 1);
  Vec low = {};
  Vec high = {};
  for (int64_t c = 0; c < count; ++c) {
    low = min(low, load<Vec>(v + c * kLanes));
    high = max(high, load<Vec>(v + c * kLanes));
  }
  const Vec extreme = -low > high ? low : high;
  Grid best{Vec{}, splat(half), Vec{}};
  for (int i = 0; i <= 20; ++i) {
    const float part = 1.1f - 0.025f * static_cast<float>(i);
    if (symmetric) {
      consider(columns, most, extreme / (-half * part), splat(half), best);
      consider(columns, most, extreme / (half * part), splat(half), best);
      continue;
    }
    const Vec step = (high - low) / most * part;
    const Vec middle = rounded(most / 2 - (low + high) / 2 * inverse(step));
    for (float off : {-1.0f, 0.0f, 1.0f}) {
      consider(columns, most, step, clamped(middle + off, Vec{}, splat(most)), best);
    }
  }
  for (int lane = 0; lane < kLanes; ++lane) {
    const float kept = best.scale[lane] > 65504    ? 65504
                       : best.scale[lane] < -65504 ? -65504
                                                   : best.scale[lane];
    scale[lane] = half_to_float(float_to_half(kept));
  }
  store(zero, best.zero);
}

// What the columns [begin, end] are to be, given what those behind have cost.
void choose_group(const ErrorFeedbackArgs& args, int64_t begin, int64_t end) {
  alignas(64) float x[kMostGroup * kLanes];
  alignas(64) float v[kMostGroup * kLanes];
  float weights[kMostGroup];
  for (int64_t c = end; c >= begin; --c) {
    Vec total = load<Vec>(args.s + c * kLanes);
    for (int64_t j = end; j > c; --j) {
      total -= load<Vec>(x + (j - begin) * kLanes) * args.factor[j * args.count + c];
    }
    const float diagonal = args.factor[c * args.count + c];
    total = total / diagonal;
    store(x + (c - begin) * kLanes, total);
    store(v + (c - begin) * kLanes, load<Vec>(args.w + c * kLanes) + total);
    weights[c - begin] = diagonal * diagonal;
  }
  const int64_t group = args.group[end];
  choose(v, weights, end - begin + 1, args.levels, args.symmetric, args.scales + group * kLanes,
         args.zeros + group * kLanes);
}

void round(const ErrorFeedbackArgs& args) {
  const auto most = static_cast<float>(args.levels - 1);
  Vec cost = load<Vec>(args.cost);
  for (int64_t c = args.count - 1; c >= 0; --c) {
    const int64_t group = args.group[c];
    if (args.choose && (c == args.count - 1 || args.group[c + 1] != group)) {
      int64_t begin = c;
      while (begin > 0 && args.group[begin - 1] == group) --begin;
      choose_group(args, begin, c);
    }
    const float* u = args.factor + c * args.count;
    const Vec scale = load<Vec>(args.scales + group * kLanes);
    const Vec zero = load<Vec>(args.zeros + group * kLanes);
    const Vec w = load<Vec>(args.w + c * kLanes);
    const Vec v = w + load<Vec>(args.s + c * kLanes) / u[c];
    const Vec q = rounded(clamped(v * inverse(scale), -zero, most - zero));
    const Vec e = w - q * scale;
    store(args.e + c * kLanes, e);
    const Vec off = (v - q * scale) * u[c];
    cost += off * off;
    for (int lane = 0; lane < kLanes; ++lane) {
      args.q[c * kLanes + lane] = static_cast<uint8_t>(q[lane] + zero[lane]);
    }
    for (int64_t j = 0; j < c; ++j) {
      store(args.s + j * kLanes, load<Vec>(args.s + j * kLanes) + e * u[j]);
    }
  }
  store(args.cost, cost);
}

}  // namespace

extern const ErrorFeedbackKernels ENM_VARIANT_NAME(kErrorFeedback) = {round, choose};

}  // namespace enm::kernels
