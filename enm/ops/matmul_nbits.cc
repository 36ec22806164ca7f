// com.microsoft.MatMulNBits: inputs A f32 [..., K], B u8 [N, blocks, block * bits / 8], scales f32
// [N * blocks], zero_points? u8 or f32, g_idx? (refused), bias? f32 [N]. accuracy_level 4
// multiplies with int8 activations, every other level with float ones. Source: ONNX Runtime,
// docs/ContribOperators.md
#include "enm/ops/packed_nbits.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

constexpr size_t kZeroPoints = 3;
constexpr size_t kGroupIndex = 4;
constexpr size_t kBias = 5;

Status nbits_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const int64_t n = attributes.integer("N");
  const int64_t k = attributes.integer("K");
  if (n < 1 || k < 1) return Corrupt("N is ", n, " and K is ", k);
  if (in[0].rank < 1 || in[0].last_dim() != k) {
    return InvalidArgument("A is ", view_str(in[0]), "; its last dimension must be ", k);
  }
  const TensorView* bias = operand(in, kBias);
  if (bias != nullptr && bias->count() != n) {
    return InvalidArgument("bias is ", view_str(*bias), "; expected f32[", n, "]");
  }
  out[0].set_dims(in[0].shape());
  out[0].dims[static_cast<size_t>(in[0].rank - 1)] = n;
  return {};
}

class MatMulNBits final : public PreparedOp {
 public:
  MatMulNBits(std::shared_ptr<const PackedBlocks> packed,
              const kernels::MatmulNbitsKernels& kernels, kernels::NbitsMode mode)
      : packed_(std::move(packed)), kernels_(kernels), mode_(mode) {}

  uint64_t scratch_bytes(Inputs in, int) const override {
    return kernels::nbits_scratch_bytes(shape(), in[0].count() / shape().k);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const TensorView* bias = operand(in, kBias);
    kernels::NbitsArgs args;
    args.weight = &packed_->weight();
    args.a = in[0].as<float>();
    args.y = out[0].as<float>();
    args.bias = bias != nullptr ? bias->as<float>() : nullptr;
    args.lda = shape().k;
    args.ldy = shape().n;
    args.m = in[0].count() / shape().k;
    args.mode = mode_;
    args.scratch = context.scratch;
    if (args.m > 0) kernels::matmul_nbits(kernels_, *context.pool, args);
    return {};
  }

  bool packs(size_t index) const override { return index >= 1 && index <= kZeroPoints; }

 private:
  const kernels::NbitsShape& shape() const { return packed_->weight().shape; }

  const std::shared_ptr<const PackedBlocks> packed_;
  const kernels::MatmulNbitsKernels& kernels_;
  const kernels::NbitsMode mode_;
};

Result<std::unique_ptr<PreparedOp>> prepare_matmul_nbits(const PrepareContext& context) {
  const Attributes& attributes = context.attributes;
  if (context.node().input(kGroupIndex) != graph::kNoValue) {
    return Unsupported("g_idx is not supported");
  }
  const kernels::BlockFormat format = {static_cast<int>(attributes.integer("bits")),
                                       attributes.integer("block_size")};
  ENM_ASSIGN_OR_RETURN(
      auto packed,
      pack_blocks(context, format, attributes.integer("N"), attributes.integer("K"),
                  {context.constant(1), context.constant(2), context.constant(kZeroPoints)}));
  const bool int8 = attributes.integer("accuracy_level") == 4;
  return make_prepared<MatMulNBits>(std::move(packed), kernels::matmul_nbits_kernels(context.isa),
                                    int8 ? kernels::NbitsMode::kInt8 : kernels::NbitsMode::kFloat);
}

constexpr Types kBytes = graph::DType::kUint8;
constexpr Types kZeroPointTypes = {graph::DType::kUint8, graph::DType::kFloat32};
constexpr Operand kInputs[] = {Operand("A", kF32).as('T'),
                               Operand("B", kBytes).constant(),
                               Operand("scales", kF32).as('T').constant(),
                               Operand("zero_points", kZeroPointTypes).optional().constant(),
                               Operand("g_idx", graph::DType::kInt32).optional(),
                               Operand("bias", kF32).as('T').of_rank(1).optional()};
constexpr Operand kOutputs[] = {Operand("Y", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {
    AttributeSpec::integer("K").required(),   AttributeSpec::integer("N").required(),
    AttributeSpec::integer("bits", 4),        AttributeSpec::integer("block_size").required(),
    AttributeSpec::integer("accuracy_level"), AttributeSpec::integer("weight_prepacked").only()};

}  // namespace

constexpr Op kMatMulNBits = {.name = "MatMulNBits",
                             .domain = graph::kMicrosoft,
                             .inputs = kInputs,
                             .outputs = kOutputs,
                             .attributes = kAttributes,
                             .shape = nbits_shape,
                             .traits = kRowWise | kHalfSafe,
                             .cpu = prepare_matmul_nbits};

}  // namespace enm::ops
