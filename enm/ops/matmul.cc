// MatMul: numpy's matrix product. A constant second operand of two dimensions is packed once; two
// computed operands are multiplied matrix by matrix.
#include <algorithm>

#include "enm/kernels/matmul_f32/matmul_f32.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

Status infer_product(const TensorView& a, const TensorView& b, TensorView& out) {
  ENM_RETURN_IF_ERROR(expect_dtype(a, DType::kFloat32, "A"));
  ENM_RETURN_IF_ERROR(expect_dtype(b, DType::kFloat32, "B"));
  if (a.rank < 2 || b.rank < 2 || a.last_dim() != b.dim(b.rank - 2)) {
    return InvalidArgument(view_str(a), " times ", view_str(b),
                           "; expected matrices of two or more dimensions that fit");
  }
  TensorView stack_a = a;
  TensorView stack_b = b;
  stack_a.rank -= 2;
  stack_b.rank -= 2;
  out.dtype = DType::kFloat32;
  ENM_RETURN_IF_ERROR(broadcast_dims(stack_a, stack_b, out));
  out.dims[static_cast<size_t>(out.rank++)] = a.dim(a.rank - 2);
  if (out.rank == kMaxRank) return Unsupported("more than ", kMaxRank, " dimensions");
  out.dims[static_cast<size_t>(out.rank++)] = b.last_dim();
  return {};
}

class ConstantMatMul final : public PreparedOp {
 public:
  ConstantMatMul(const kernels::MatmulF32Kernels& kernels, int64_t k, int64_t n)
      : kernels_(kernels), k_(k), n_(n), panels_(kernels::packed_floats(n, k) * sizeof(float)) {}

  Status pack(const graph::Tensor& weight, ThreadPool& pool) {
    ENM_ASSIGN_OR_RETURN(Blob loaded, weight.data.load());
    const Blob data = aligned_elements(std::move(loaded), DType::kFloat32);
    const auto* b = reinterpret_cast<const float*>(data.data());
    pool.parallel_for(kernels::panel_count(n_), 8, [&](int64_t begin, int64_t end, int) {
      kernels::pack_f32(b, n_, k_, 1, n_, begin, end, panels());
    });
    data.discard_pages();
    return {};
  }

  Status infer(Inputs in, Outputs out) const override {
    return infer_product(in[0], in[1], out[0]);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    kernels::MatmulF32Args args;
    args.a = in[0].as<float>();
    args.panels = panels();
    args.y = out[0].as<float>();
    args.k = args.lda = k_;
    args.n = args.ldy = n_;
    args.m = k_ == 0 ? 0 : in[0].count() / k_;
    kernels::matmul_f32(kernels_, *context.pool, args);
    return {};
  }

  bool owns_input(size_t index) const override { return index == 1; }
  uint64_t weight_bytes() const override { return panels_.size(); }

 private:
  float* panels() const { return reinterpret_cast<float*>(panels_.data()); }

  const kernels::MatmulF32Kernels& kernels_;
  const int64_t k_;
  const int64_t n_;
  AlignedBytes panels_;
};

class BatchedMatMul final : public PreparedOp {
 public:
  explicit BatchedMatMul(const kernels::MatmulF32Kernels& kernels) : kernels_(kernels) {}

  Status infer(Inputs in, Outputs out) const override {
    return infer_product(in[0], in[1], out[0]);
  }

  size_t scratch_bytes(Inputs in, const ThreadPool&) const override {
    const TensorView& b = in[1];
    return kernels::packed_floats(b.last_dim(), b.dim(b.rank - 2)) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const TensorView& a = in[0];
    const TensorView& b = in[1];
    const TensorView& y = out[0];
    kernels::MatmulF32Args args;
    args.m = y.dim(y.rank - 2);
    args.n = args.ldy = y.last_dim();
    args.k = args.lda = a.last_dim();
    auto* panels = reinterpret_cast<float*>(context.scratch);
    args.panels = panels;
    const int64_t matrices = args.m * args.n == 0 ? 0 : y.count() / (args.m * args.n);
    for (int64_t i = 0; i < matrices; ++i) {
      args.a = a.as<float>() + stack_index(y, a, i) * args.m * args.k;
      args.y = y.as<float>() + i * args.m * args.n;
      const float* matrix = b.as<float>() + stack_index(y, b, i) * args.k * args.n;
      kernels::pack_f32(matrix, args.n, args.k, 1, args.n, 0, kernels::panel_count(args.n), panels);
      kernels::matmul_f32(kernels_, *context.pool, args);
    }
    return {};
  }

 private:
  // Which of operand's matrices belongs to the output's matrix i.
  static int64_t stack_index(const TensorView& y, const TensorView& operand, int64_t i) {
    int64_t index = 0;
    int64_t stride = 1;
    for (int axis = 3; axis <= y.rank; ++axis) {
      const int64_t position = i % y.dim(y.rank - axis);
      i /= y.dim(y.rank - axis);
      if (axis > operand.rank) continue;
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
  const graph::Tensor* weight = context.constant(1);
  if (weight == nullptr || weight->dims.size() != 2 || weight->dtype != DType::kFloat32) {
    return make_prepared<BatchedMatMul>(kernels);
  }
  auto op = std::make_unique<ConstantMatMul>(kernels, weight->dims[0], weight->dims[1]);
  ENM_RETURN_IF_ERROR(op->pack(*weight, *context.pool));
  return std::unique_ptr<PreparedOp>(std::move(op));
}

}  // namespace

const Op kMatMul = {"MatMul", "", 2, 2, 1, prepare_matmul};

}  // namespace enm::ops
