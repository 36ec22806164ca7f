// Gemm: alpha A' B' + beta C, A' and B' transposed as the attributes say, C broadcast to the
// result.
#include "enm/ops/broadcast.h"
#include "enm/ops/packed_f32.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

Status gemm_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const bool trans_a = attributes.flag("transA");
  const bool trans_b = attributes.flag("transB");
  if (in[0].dim(trans_a ? 0 : 1) != in[1].dim(trans_b ? 1 : 0)) {
    return InvalidArgument(view_str(in[0]), " and ", view_str(in[1]), " do not fit");
  }
  out[0].set_dims(std::array{in[0].dim(trans_a ? 1 : 0), in[1].dim(trans_b ? 0 : 1)});
  const TensorView* c = operand(in, 2);
  if (c == nullptr) return {};
  TensorView sum;
  ENM_RETURN_IF_ERROR(broadcast_dims(*c, out[0], sum));
  if (sum.same_dims(out[0])) return {};
  return InvalidArgument("C is ", view_str(*c), "; it does not broadcast to ", view_str(out[0]));
}

class Gemm final : public PreparedOp {
 public:
  Gemm(const PrepareContext& context, std::shared_ptr<const PackedF32> weight)
      : kernels_(kernels::matmul_f32_kernels(context.isa)),
        alpha_(context.attributes.number("alpha")),
        beta_(context.attributes.number("beta")),
        trans_a_(context.attributes.flag("transA")),
        trans_b_(context.attributes.flag("transB")),
        weight_(std::move(weight)) {}

  uint64_t scratch_bytes(Inputs in, int) const override {
    return computed_bytes(in) + (trans_a_ ? in[0].bytes() : 0);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const Factor factor = factor_of(in);
    kernels::MatmulF32Args args;
    args.m = out[0].dim(0);
    args.n = args.ldy = factor.n;
    args.k = args.lda = factor.k;
    auto* panels =
        weight_ != nullptr ? weight_->panels() : reinterpret_cast<float*>(context.scratch);
    if (weight_ == nullptr) factor.pack(in[1].as<float>(), *context.pool, panels);
    args.panels = panels;
    args.a = in[0].as<float>();
    args.y = out[0].as<float>();
    if (trans_a_) {
      auto* turned = reinterpret_cast<float*>(context.scratch + computed_bytes(in));
      for (int64_t i = 0; i < args.m * args.k; ++i) {
        turned[i] = args.a[i % args.k * args.m + i / args.k];
      }
      args.a = turned;
    }
    multiply(kernels_, *context.pool, args);
    scale_and_add(operand(in, 2), out[0]);
    return {};
  }

  bool packs(size_t index) const override { return index == 1 && weight_ != nullptr; }

 private:
  Factor factor_of(Inputs in) const {
    return {in[1].dim(trans_b_ ? 1 : 0), in[1].dim(trans_b_ ? 0 : 1), trans_b_};
  }
  // Of B, where it is packed for each run.
  uint64_t computed_bytes(Inputs in) const {
    return weight_ != nullptr ? 0 : factor_of(in).packed_bytes();
  }

  void scale_and_add(const TensorView* c, const TensorView& y) const {
    if (beta_ == 0) c = nullptr;
    if (c == nullptr && alpha_ == 1) return;
    const BroadcastStrides strides(c != nullptr ? *c : TensorView(), y);
    const int64_t width = y.last_dim();
    for (int64_t row = 0; row < row_count(y); ++row) {
      float* to = y.as<float>() + row * width;
      const float* from = c != nullptr ? c->as<float>() + strides.offset(y, row) : nullptr;
      for (int64_t i = 0; i < width; ++i) {
        to[i] = alpha_ * to[i] + (c != nullptr ? beta_ * from[i * strides.step(y)] : 0.0f);
      }
    }
  }

  const kernels::MatmulF32Kernels& kernels_;
  const float alpha_;
  const float beta_;
  const bool trans_a_;
  const bool trans_b_;
  const std::shared_ptr<const PackedF32> weight_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gemm(const PrepareContext& context) {
  ENM_ASSIGN_OR_RETURN(auto weight,
                       pack_constant_factor(context, context.attributes.flag("transB")));
  return make_prepared<Gemm>(context, std::move(weight));
}

constexpr Operand kInputs[] = {Operand("A", kF32).as('T').of_rank(2),
                               Operand("B", kF32).as('T').of_rank(2),
                               Operand("C", kF32).as('T').optional()};
constexpr Operand kOutputs[] = {Operand("Y", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {
    AttributeSpec::real("alpha", 1), AttributeSpec::real("beta", 1),
    AttributeSpec::integer("transA"), AttributeSpec::integer("transB")};

}  // namespace

// Before opset 7 an attribute said whether C is broadcast.
constexpr Op kGemm = {.name = "Gemm",
                      .since = 7,
                      .inputs = kInputs,
                      .outputs = kOutputs,
                      .attributes = kAttributes,
                      .shape = gemm_shape,
                      .traits = kHalfSafe,
                      .cpu = prepare_gemm};

}  // namespace enm::ops
