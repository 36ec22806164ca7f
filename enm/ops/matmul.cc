// MatMul: numpy's matrix product, of matrices of two or more dimensions. A constant second operand
// of two dimensions is packed once; two computed operands are multiplied matrix by matrix.
#include "enm/ops/packed_f32.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

Status matmul_shape(const Attributes&, Inputs in, Outputs out) {
  const TensorView& a = in[0];
  const TensorView& b = in[1];
  if (a.rank < 2 || b.rank < 2 || a.last_dim() != b.dim(b.rank - 2)) {
    return InvalidArgument(view_str(a), " times ", view_str(b),
                           "; expected matrices of two or more dimensions that fit");
  }
  TensorView stack_a = a;
  TensorView stack_b = b;
  stack_a.rank -= 2;
  stack_b.rank -= 2;
  ENM_RETURN_IF_ERROR(broadcast_dims(stack_a, stack_b, out[0]));
  ENM_RETURN_IF_ERROR(push_dim(out[0], a.dim(a.rank - 2)));
  return push_dim(out[0], b.last_dim());
}

class ConstantMatMul final : public PreparedOp {
 public:
  ConstantMatMul(const kernels::MatmulF32Kernels& kernels, std::shared_ptr<const PackedF32> weight)
      : kernels_(kernels), weight_(std::move(weight)) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    kernels::MatmulF32Args args;
    args.a = in[0].as<float>();
    args.panels = weight_->panels();
    args.y = out[0].as<float>();
    args.k = args.lda = weight_->factor().k;
    args.n = args.ldy = weight_->factor().n;
    args.m = row_count(out[0]);
    multiply(kernels_, *context.pool, args);
    return {};
  }

  bool packs(size_t index) const override { return index == 1; }

 private:
  const kernels::MatmulF32Kernels& kernels_;
  const std::shared_ptr<const PackedF32> weight_;
};

class BatchedMatMul final : public PreparedOp {
 public:
  explicit BatchedMatMul(const kernels::MatmulF32Kernels& kernels) : kernels_(kernels) {}

  uint64_t scratch_bytes(Inputs in, int) const override { return factor_of(in).packed_bytes(); }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const TensorView& a = in[0];
    const TensorView& b = in[1];
    const TensorView& y = out[0];
    if (y.count() == 0) return {};
    const Factor factor = factor_of(in);
    kernels::MatmulF32Args args;
    args.m = y.dim(y.rank - 2);
    args.n = args.ldy = factor.n;
    args.k = args.lda = factor.k;
    auto* panels = reinterpret_cast<float*>(context.scratch);
    args.panels = panels;
    const int64_t matrices = y.count() / (args.m * args.n);
    for (int64_t i = 0; i < matrices; ++i) {
      args.a = a.as<float>() + stack_index(y, a, i) * args.m * args.k;
      args.y = y.as<float>() + i * args.m * args.n;
      const float* matrix = b.as<float>() + stack_index(y, b, i) * args.k * args.n;
      factor.pack(matrix, *context.pool, panels);
      multiply(kernels_, *context.pool, args);
    }
    return {};
  }

 private:
  static Factor factor_of(Inputs in) { return {in[0].last_dim(), in[1].last_dim()}; }

  // Which of operand's matrices belongs to the output's matrix i.
  static int64_t stack_index(const TensorView& y, const TensorView& operand, int64_t i) {
    int64_t index = 0;
    int64_t stride = 1;
    for (int axis = 3; axis <= operand.rank; ++axis) {
      const int64_t position = i % y.dim(y.rank - axis);
      i /= y.dim(y.rank - axis);
      const int64_t own = operand.dim(operand.rank - axis);
      index += (own == 1 ? 0 : position) * stride;
      stride *= own;
    }
    return index;
  }

  const kernels::MatmulF32Kernels& kernels_;
};

Result<std::unique_ptr<PreparedOp>> prepare_matmul(const PrepareContext& context) {
  const auto& kernels = kernels::matmul_f32_kernels(context.isa);
  ENM_ASSIGN_OR_RETURN(auto weight, pack_constant_factor(context, false));
  if (weight == nullptr) return make_prepared<BatchedMatMul>(kernels);
  return make_prepared<ConstantMatMul>(kernels, std::move(weight));
}

constexpr Operand kInputs[] = {Operand("A", kF32).as('T'), Operand("B", kF32).as('T')};
constexpr Operand kOutputs[] = {Operand("Y", kF32).as('T')};

}  // namespace

constexpr Op kMatMul = {.name = "MatMul",
                        .inputs = kInputs,
                        .outputs = kOutputs,
                        .shape = matmul_shape,
                        .traits = kRowWise | kHalfSafe,
                        .cpu = prepare_matmul};

}  // namespace enm::ops
