// com.microsoft.MatMulNBits: inputs A f32 [..., K], B u8 [N, blocks, block * bits / 8], scales f32
// [N * blocks], zero_points? u8, g_idx? (refused), bias? f32 [N]. accuracy_level 4 multiplies with
// int8 activations, every other level with float ones.
// Source: ONNX Runtime, docs/ContribOperators.md
#include <algorithm>

#include "enm/kernels/matmul_nbits/matmul_nbits.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;
using kernels::NbitsShape;

class MatMulNBits final : public PreparedOp {
 public:
  MatMulNBits(const kernels::MatmulNbitsKernels& kernels, const NbitsShape& shape, bool int8)
      : kernels_(kernels),
        mode_(int8 ? kernels::NbitsMode::kInt8 : kernels::NbitsMode::kFloat),
        quants_(shape.quant_bytes()),
        scales_(shape.scale_bytes()),
        zero_points_(shape.zero_point_bytes()) {
    weight_ = {shape, quants_.data(), scales_.data(),
               shape.has_zero_points ? zero_points_.data() : nullptr};
  }

  // Stripe by stripe, letting go of the source's pages behind it.
  void pack(const Blob& quants, const float* scales, const uint8_t* zero_points, ThreadPool& pool) {
    const NbitsShape& shape = weight_.shape;
    const kernels::NbitsSource source = {quants.data(), scales, zero_points};
    const auto row_bytes = static_cast<size_t>(shape.blocks() * shape.block * shape.bits / 8);
    constexpr int64_t kStripe = 64;  // tiles
    for (int64_t begin = 0; begin < shape.tiles(); begin += kStripe) {
      const int64_t end = std::min(begin + kStripe, shape.tiles());
      pool.parallel_for(end - begin, 4, [&](int64_t from, int64_t to, int) {
        kernels::pack_nbits(shape, source, begin + from, begin + to, quants_.data(), scales_.data(),
                            zero_points_.data());
      });
      const int64_t rows =
          std::min(end * kernels::kNbitsTile, shape.n) - begin * kernels::kNbitsTile;
      quants.discard_pages(static_cast<size_t>(begin * kernels::kNbitsTile) * row_bytes,
                           static_cast<size_t>(rows) * row_bytes);
    }
  }

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& a = in[0];
    ENM_RETURN_IF_ERROR(expect_dtype(a, DType::kFloat32, "A"));
    if (a.rank < 1 || a.last_dim() != weight_.shape.k) {
      return InvalidArgument("A is ", view_str(a), "; its last dimension must be ",
                             weight_.shape.k);
    }
    out[0] = a;
    out[0].dims[static_cast<size_t>(a.rank - 1)] = weight_.shape.n;
    return {};
  }

  size_t scratch_bytes(Inputs in, const ThreadPool&) const override {
    return kernels::nbits_scratch_bytes(weight_.shape, in[0].count() / weight_.shape.k);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    kernels::NbitsArgs args;
    args.weight = &weight_;
    args.a = in[0].as<float>();
    args.y = out[0].as<float>();
    args.bias = in.size() > 5 && in[5].given() ? in[5].as<float>() : nullptr;
    args.lda = weight_.shape.k;
    args.ldy = weight_.shape.n;
    args.m = in[0].count() / weight_.shape.k;
    args.mode = mode_;
    args.scratch = context.scratch;
    kernels::matmul_nbits(kernels_, *context.pool, args);
    return {};
  }

  bool owns_input(size_t index) const override { return index >= 1 && index <= 3; }
  uint64_t weight_bytes() const override {
    return quants_.size() + scales_.size() + zero_points_.size();
  }

 private:
  const kernels::MatmulNbitsKernels& kernels_;
  const kernels::NbitsMode mode_;
  AlignedBytes quants_;
  AlignedBytes scales_;
  AlignedBytes zero_points_;
  kernels::PackedNbits weight_;
};

Result<NbitsShape> read_shape(const graph::Node& node) {
  NbitsShape shape;
  shape.n = node.int_or("N", 0);
  shape.k = node.int_or("K", 0);
  shape.block = node.int_or("block_size", 0);
  shape.bits = static_cast<int>(node.int_or("bits", 4));
  const bool block_ok =
      shape.block >= 16 && shape.block <= 256 && (shape.block & (shape.block - 1)) == 0;
  constexpr int64_t kMost = int64_t{1} << 24;
  if (shape.n < 1 || shape.k < 1 || shape.n > kMost || shape.k > kMost) {
    return Corrupt("N is ", shape.n, " and K is ", shape.k, "; expected 1 to ", kMost);
  }
  if ((shape.bits != 4 && shape.bits != 8) || !block_ok) {
    return Unsupported("bits is ", shape.bits, " and block_size ", shape.block,
                       "; supported are 4 or 8 bits and blocks of 16, 32, 64, 128 or 256");
  }
  return shape;
}

Status expect_size(const graph::Tensor* tensor, DType dtype, int64_t count, std::string_view what) {
  if (tensor == nullptr) return Unsupported(what, " is not a constant");
  if (tensor->dtype != dtype || tensor->element_count() != count) {
    return Corrupt(what, " is ", type_str(tensor->type()), "; expected ", count, " elements of ",
                   graph::dtype_name(dtype));
  }
  return {};
}

Result<std::unique_ptr<PreparedOp>> prepare_matmul_nbits(const PrepareContext& context) {
  const graph::Node& node = context.node;
  ENM_ASSIGN_OR_RETURN(NbitsShape shape, read_shape(node));
  if (node.input(4) != graph::kNoValue) return Unsupported("g_idx is not supported");
  const int64_t blocks = shape.n * shape.blocks();
  const graph::Tensor* quants = context.constant(1);
  const graph::Tensor* scales = context.constant(2);
  ENM_RETURN_IF_ERROR(
      expect_size(quants, DType::kUint8, blocks * shape.block * shape.bits / 8, "B"));
  ENM_RETURN_IF_ERROR(expect_size(scales, DType::kFloat32, blocks, "scales"));
  Blob zero_points;
  if (node.input(3) != graph::kNoValue) {
    const graph::Tensor* zeros = context.constant(3);
    const int64_t row = (shape.blocks() * shape.bits + 7) / 8;
    ENM_RETURN_IF_ERROR(expect_size(zeros, DType::kUint8, shape.n * row, "zero_points"));
    ENM_ASSIGN_OR_RETURN(zero_points, zeros->data.load());
    shape.has_zero_points = true;
  }
  ENM_ASSIGN_OR_RETURN(const Blob scale_bytes, scales->data.load());
  // A mapped file need not align its floats.
  std::vector<float> scale_values(static_cast<size_t>(blocks));
  std::copy_n(scale_bytes.data(), scale_bytes.size(),
              reinterpret_cast<uint8_t*>(scale_values.data()));
  shape.half_scales = kernels::scales_are_half(scale_values.data(), blocks);
  ENM_ASSIGN_OR_RETURN(const Blob quant_bytes, quants->data.load());
  auto op = std::make_unique<MatMulNBits>(kernels::matmul_nbits_kernels(context.isa), shape,
                                          node.int_or("accuracy_level", 0) == 4);
  op->pack(quant_bytes, scale_values.data(), shape.has_zero_points ? zero_points.data() : nullptr,
           *context.pool);
  return std::unique_ptr<PreparedOp>(std::move(op));
}

}  // namespace

const Op kMatMulNBits = {"MatMulNBits", graph::kMicrosoft, 3, 6, 1, prepare_matmul_nbits};

}  // namespace enm::ops
