#include "enm/ops/table.h"

namespace enm::ops {

std::span<const Op> all_ops() {
  // clang-format off: a name a line would be a page
  static const std::array kOps = {
      kGelu, kMicrosoftGelu, kFastGelu, kBiasGelu, kSigmoid, kTanh, kErf, kExp, kSqrt, kNeg,
      kReciprocal, kAbs, kRelu, kGroupQueryAttention, kMultiHeadAttention, kAdd, kSub, kMul, kDiv,
      kMax, kMin, kPow, kCast, kGather, kTranspose, kSlice, kConcat, kMatMul, kMatMulNBits,
      kMatMulInteger, kMatMulIntegerToFloat, kDynamicQuantizeMatMul, kDynamicQuantizeLinear,
      kQuantizeLinear, kDequantizeLinear, kLayerNormalization, kSimplifiedLayerNormalization,
      kSkipLayerNormalization, kSkipSimplifiedLayerNormalization, kReduceSum, kReduceMean,
      kReduceMax, kLpNormalization, kEqual, kLess, kLessOrEqual, kGreater, kGreaterOrEqual, kAnd,
      kOr, kNot, kWhere, kExpand, kSplit, kCumSum, kConstant, kConstantOfShape, kRange, kSoftmax,
      kGemm, kRotaryEmbedding, kMicrosoftRotaryEmbedding, kGatherBlockQuantized, kClip,
      kQuickGelu, kShape, kReshape, kUnsqueeze, kSqueeze, kFlatten, kIdentity,
  };
  // clang-format on
  return kOps;
}

}  // namespace enm::ops
