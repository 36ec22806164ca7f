// Every operator, by the file that defines it.
#pragma once

#include <array>

#include "enm/ops/op.h"

namespace enm::ops {

extern const Op kGelu;
extern const Op kMicrosoftGelu;
extern const Op kFastGelu;
extern const Op kBiasGelu;
extern const Op kSigmoid;
extern const Op kTanh;
extern const Op kErf;
extern const Op kExp;
extern const Op kSqrt;
extern const Op kNeg;
extern const Op kReciprocal;
extern const Op kAbs;
extern const Op kRelu;
extern const Op kGroupQueryAttention;
extern const Op kMultiHeadAttention;
extern const Op kAdd;
extern const Op kSub;
extern const Op kMul;
extern const Op kDiv;
extern const Op kMax;
extern const Op kMin;
extern const Op kPow;
extern const Op kCast;
extern const Op kGather;
extern const Op kTranspose;
extern const Op kSlice;
extern const Op kConcat;
extern const Op kMatMul;
extern const Op kMatMulNBits;
extern const Op kMatMulInteger;
extern const Op kMatMulIntegerToFloat;
extern const Op kDynamicQuantizeMatMul;
extern const Op kDynamicQuantizeLinear;
extern const Op kQuantizeLinear;
extern const Op kDequantizeLinear;
extern const Op kLayerNormalization;
extern const Op kSimplifiedLayerNormalization;
extern const Op kSkipLayerNormalization;
extern const Op kSkipSimplifiedLayerNormalization;
extern const Op kReduceSum;
extern const Op kReduceMean;
extern const Op kReduceMax;
extern const Op kLpNormalization;
extern const Op kEqual;
extern const Op kLess;
extern const Op kLessOrEqual;
extern const Op kGreater;
extern const Op kGreaterOrEqual;
extern const Op kAnd;
extern const Op kOr;
extern const Op kNot;
extern const Op kWhere;
extern const Op kExpand;
extern const Op kSplit;
extern const Op kCumSum;
extern const Op kConstant;
extern const Op kConstantOfShape;
extern const Op kRange;
extern const Op kSoftmax;
extern const Op kGemm;
extern const Op kRotaryEmbedding;
extern const Op kMicrosoftRotaryEmbedding;
extern const Op kGatherBlockQuantized;
extern const Op kClip;
extern const Op kQuickGelu;
extern const Op kShape;
extern const Op kReshape;
extern const Op kUnsqueeze;
extern const Op kSqueeze;
extern const Op kFlatten;
extern const Op kIdentity;

}  // namespace enm::ops
