// Gemm: alpha A' B' + beta C, A' and B' transposed as the attributes say, C broadcast to the
// result.
#include <algorithm>

#include "enm/kernels/matmul_f32/matmul_f32.h"
#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

class Gemm final : public PreparedOp {
 public:
  Gemm(const graph::Node& node, const kernels::MatmulF32Kernels& kernels)
      : kernels_(kernels),
        alpha_(node.float_or("alpha", 1.0f)),
        beta_(node.float_or("beta", 1.0f)),
        trans_a_(node.int_or("transA", 0) != 0),
        trans_b_(node.int_or("transB", 0) != 0) {}

  Status pack_constant(const graph::Tensor& b) {
    ENM_ASSIGN_OR_RETURN(Blob loaded, b.data.load());
    const Blob bytes = aligned_elements(std::move(loaded), DType::kFloat32);
    const int64_t k = b.dims[trans_b_ ? 1 : 0];
    const int64_t n = b.dims[trans_b_ ? 0 : 1];
    packed_ = AlignedBytes(std::max<size_t>(kernels::packed_floats(n, k), 1) * sizeof(float));
    pack(reinterpret_cast<const float*>(bytes.data()), n, k,
         reinterpret_cast<float*>(packed_.data()));
    bytes.discard_pages();
    return {};
  }

  Status infer(Inputs in, Outputs out) const override {
    for (size_t i = 0; i < 2; ++i) {
      ENM_RETURN_IF_ERROR(expect_dtype(in[i], DType::kFloat32, i == 0 ? "A" : "B"));
      ENM_RETURN_IF_ERROR(expect_rank(in[i], 2, i == 0 ? "A" : "B"));
    }
    if (in[0].dim(trans_a_ ? 0 : 1) != in[1].dim(trans_b_ ? 1 : 0)) {
      return InvalidArgument(view_str(in[0]), " and ", view_str(in[1]), " do not fit");
    }
    out[0].dtype = DType::kFloat32;
    out[0].set_dims(std::array{in[0].dim(trans_a_ ? 1 : 0), in[1].dim(trans_b_ ? 0 : 1)});
    if (in.size() < 3 || !in[2].given()) return {};
    ENM_RETURN_IF_ERROR(expect_dtype(in[2], DType::kFloat32, "C"));
    TensorView sum;
    ENM_RETURN_IF_ERROR(broadcast_dims(in[2], out[0], sum));
    return sum.same_dims(out[0]) ? Status() : InvalidArgument("C is ", view_str(in[2]));
  }

  size_t scratch_bytes(Inputs in, const ThreadPool&) const override {
    const size_t a = trans_a_ ? static_cast<size_t>(in[0].count()) : 0;
    return (a + b_floats(in)) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    kernels::MatmulF32Args args;
    args.m = out[0].dim(0);
    args.n = args.ldy = out[0].dim(1);
    args.k = args.lda = in[0].dim(trans_a_ ? 0 : 1);
    auto* panels = reinterpret_cast<float*>(packed_.size() > 0 ? packed_.data() : context.scratch);
    if (packed_.size() == 0) pack(in[1].as<float>(), args.n, args.k, panels);
    args.panels = panels;
    args.a = in[0].as<float>();
    args.y = out[0].as<float>();
    if (trans_a_) {
      auto* turned = reinterpret_cast<float*>(context.scratch) + b_floats(in);
      for (int64_t i = 0; i < args.m * args.k; ++i) {
        turned[i] = args.a[i % args.k * args.m + i / args.k];
      }
      args.a = turned;
    }
    kernels::matmul_f32(kernels_, *context.pool, args);
    scale_and_add(in.size() > 2 ? in[2] : TensorView(), out[0]);
    return {};
  }

  bool owns_input(size_t index) const override { return index == 1 && packed_.size() > 0; }
  uint64_t weight_bytes() const override { return packed_.size(); }

 private:
  size_t b_floats(Inputs in) const {
    if (packed_.size() > 0) return 0;
    return kernels::packed_floats(in[1].dim(trans_b_ ? 0 : 1), in[1].dim(trans_b_ ? 1 : 0));
  }

  void pack(const float* b, int64_t n, int64_t k, float* panels) const {
    kernels::pack_f32(b, n, k, trans_b_ ? k : 1, trans_b_ ? 1 : n, 0, kernels::panel_count(n),
                      panels);
  }

  void scale_and_add(const TensorView& c, const TensorView& y) const {
    const bool has_c = c.given() && beta_ != 0;
    const BroadcastStrides strides(has_c ? c : TensorView(), y);
    const int64_t width = y.last_dim();
    for (int64_t row = 0; row < row_count(y); ++row) {
      float* to = y.as<float>() + row * width;
      const float* from = has_c ? c.as<float>() + strides.offset(y, row) : nullptr;
      for (int64_t i = 0; i < width; ++i) {
        to[i] = alpha_ * to[i] + (has_c ? beta_ * from[i * strides.step(y)] : 0.0f);
      }
    }
  }

  const kernels::MatmulF32Kernels& kernels_;
  const float alpha_;
  const float beta_;
  const bool trans_a_;
  const bool trans_b_;
  AlignedBytes packed_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gemm(const PrepareContext& context) {
  auto op = std::make_unique<Gemm>(context.node, kernels::matmul_f32_kernels(context.isa));
  const graph::Tensor* b = context.constant(1);
  if (b != nullptr && b->dims.size() == 2 && b->dtype == DType::kFloat32) {
    ENM_RETURN_IF_ERROR(op->pack_constant(*b));
  }
  return std::unique_ptr<PreparedOp>(std::move(op));
}

}  // namespace

const Op kGemm = {"Gemm", "", 2, 3, 1, prepare_gemm};

}  // namespace enm::ops
