#include "enm/ops/table.h"

namespace enm::ops {

std::span<const Op> all_ops() {
  static const std::array kOps = {
      kGelu,
      kMicrosoftGelu,
      kFastGelu,
      kBiasGelu,
      kSigmoid,
      kTanh,
      kErf,
      kExp,
      kSqrt,
      kNeg,
      kReciprocal,
      kAbs,
      kRelu,
      kGroupQueryAttention,
      kMultiHeadAttention,
      kAdd,
      kSub,
      kMul,
      kDiv,
      kMax,
      kMin,
      kPow,
      kCast,
      kGather,
      kTranspose,
      kSlice,
      kConcat,
      kMatMul,
      kMatMulNBits,
      kLayerNormalization,
      kSimplifiedLayerNormalization,
      kSkipLayerNormalization,
      kSkipSimplifiedLayerNormalization,
      kReduceSum,
      kReduceMean,
      kReduceMax,
      kLpNormalization,
      kShape,
      kReshape,
      kUnsqueeze,
      kSqueeze,
      kFlatten,
      kIdentity,
  };
  return kOps;
}

}  // namespace enm::ops
