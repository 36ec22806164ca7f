// com.microsoft.GatherBlockQuantized: rows of a table of 4- or 8-bit blocks, dequantized as they
// are picked. Inputs: data u8, i4 or u4 [rows, width] (u8 holds 8 / bits values a byte, low bits
// first), indices, scales f32 [rows, blocks], zero_points? of data's kind. Rows along axis 0,
// blocks along the last. An index outside of the table is an error, as in Gather. Source: ONNX
// Runtime, docs/ContribOperators.md
#include <algorithm>

#include "enm/ops/packed_nbits.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

struct Form {
  int bits;
  int64_t block;

  // Values of a row of the table.
  int64_t width(const TensorView& data) const {
    return data.dtype == DType::kUint8 ? data.dim(1) * (8 / bits) : data.dim(1);
  }
};

Result<Form> form_of(const Attributes& attributes) {
  const int64_t bits = attributes.integer("bits");
  const int64_t block = attributes.integer("block_size");
  const int64_t axis = attributes.integer("quantize_axis");
  if ((bits != 4 && bits != 8) || block < 16 || (axis != 1 && axis != -1)) {
    return Unsupported("bits ", bits, ", block_size ", block, ", quantize_axis ", axis,
                       "; supported are 4 or 8 bits, blocks of 16 or more, rows of two axes");
  }
  return Form{static_cast<int>(bits), block};
}

Status gather_block_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const Form form, form_of(attributes));
  const TensorView& data = in[0];
  const bool is_bytes = data.dtype == DType::kUint8;
  if (!is_bytes && form.bits != 4) {
    return Unsupported("data is ", view_str(data), " with bits of ", form.bits);
  }
  const int64_t width = form.width(data);
  const int64_t blocks = width == 0 ? 0 : (width - 1) / form.block + 1;
  if (in[2].dim(0) != data.dim(0) || in[2].dim(1) != blocks) {
    return InvalidArgument("scales are ", view_str(in[2]), "; expected [", data.dim(0), ", ",
                           blocks, "]");
  }
  const int64_t zeros_width = is_bytes ? (blocks * form.bits + 7) / 8 : blocks;
  const TensorView* zeros = operand(in, 3);
  if (zeros != nullptr && (zeros->dim(0) != data.dim(0) || zeros->dim(1) != zeros_width)) {
    return InvalidArgument("zero_points are ", view_str(*zeros), "; expected [", data.dim(0), ", ",
                           zeros_width, "]");
  }
  out[0].set_dims(in[1].shape());
  return push_dim(out[0], width);
}

class GatherBlockQuantized final : public PreparedOp {
 public:
  /// `packed` is the table where it is one that products read too, else null.
  GatherBlockQuantized(const Form& form, std::shared_ptr<const PackedBlocks> packed)
      : form_(form), packed_(std::move(packed)) {}

  bool packs(size_t index) const override { return packed_ != nullptr && index != 1; }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const TensorView& indices = in[1];
    const int64_t width = out[0].last_dim();
    const int64_t rows = in[0].dim(0);
    for (int64_t i = 0; i < indices.count(); ++i) {
      const int64_t index = index_at(indices, i);
      const int64_t row = index < 0 ? index + rows : index;
      if (row < 0 || row >= rows) {
        return InvalidArgument("index ", index, " is outside of ", rows, " rows");
      }
      float* to = out[0].as<float>() + i * width;
      if (packed_ != nullptr) {
        kernels::dequantize_nbits_row(packed_->weight(), row, to);
      } else {
        dequantize(in, row, width, to);
      }
    }
    return {};
  }

 private:
  // Element `column` of row `row`; rows of u8 begin at whole bytes, those of nibbles anywhere.
  int value(const TensorView& view, int64_t row, int64_t column) const {
    const auto* bytes = view.as<uint8_t>();
    if (form_.bits == 8) return bytes[row * view.dim(1) + column];
    const bool is_bytes = view.dtype == DType::kUint8;
    const int64_t at = is_bytes ? row * view.dim(1) * 2 + column : row * view.dim(1) + column;
    const int nibble = bytes[at / 2] >> (at % 2 * 4) & 15;
    return view.dtype == DType::kInt4 && nibble >= 8 ? nibble - 16 : nibble;
  }

  void dequantize(Inputs in, int64_t row, int64_t width, float* out) const {
    const int middle = in[0].dtype == DType::kUint8 ? 1 << (form_.bits - 1) : 0;
    const TensorView* zeros = operand(in, 3);
    const int64_t blocks = in[2].dim(1);
    for (int64_t b = 0; b < blocks; ++b) {
      const float scale = in[2].as<float>()[row * blocks + b];
      const int zero = zeros != nullptr ? value(*zeros, row, b) : middle;
      const int64_t begin = b * form_.block;
      const int64_t end = begin + std::min(width - begin, form_.block);
      for (int64_t c = begin; c < end; ++c) {
        out[c] = static_cast<float>(value(in[0], row, c) - zero) * scale;
      }
    }
  }

  const Form form_;
  const std::shared_ptr<const PackedBlocks> packed_;
};

// A constant table in the layout of MatMulNBits, which a tied head multiplies by, is packed with
// it.
Result<std::shared_ptr<const PackedBlocks>> pack_table(const PrepareContext& context,
                                                       const Form& form) {
  const graph::Tensor* data = context.constant(0);
  const graph::Tensor* scales = context.constant(2);
  const graph::Tensor* zeros = context.constant(3);
  const bool zeros_computed = zeros == nullptr && context.node().input(3) != graph::kNoValue;
  const bool block_ok = form.block <= 256 && (form.block & (form.block - 1)) == 0;
  if (data == nullptr || scales == nullptr || zeros_computed || !block_ok ||
      data->dtype != DType::kUint8 || data->dims.size() != 2 || data->dims[0] < 1 ||
      data->dims[1] * (8 / form.bits) % form.block != 0 || data->dims[1] < 1) {
    return std::shared_ptr<const PackedBlocks>();
  }
  return pack_blocks(context, {form.bits, form.block}, data->dims[0],
                     data->dims[1] * (8 / form.bits), {data, scales, zeros});
}

Result<std::unique_ptr<PreparedOp>> prepare_gather_block(const PrepareContext& context) {
  ENM_ASSIGN_OR_RETURN(const Form form, form_of(context.attributes));
  ENM_ASSIGN_OR_RETURN(auto packed, pack_table(context, form));
  return make_prepared<GatherBlockQuantized>(form, std::move(packed));
}

constexpr Types kTables = {DType::kUint8, DType::kInt4, DType::kUint4};
constexpr Operand kInputs[] = {Operand("data", kTables).as('D').of_rank(2),
                               Operand("indices", kIndices),
                               Operand("scales", kF32).as('T').of_rank(2),
                               Operand("zero_points", kTables).as('D').of_rank(2).optional()};
constexpr Operand kOutputs[] = {Operand("output", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {
    AttributeSpec::integer("bits", 4), AttributeSpec::integer("block_size", 128),
    AttributeSpec::integer("gather_axis").only(), AttributeSpec::integer("quantize_axis", 1)};

}  // namespace

constexpr Op kGatherBlockQuantized = {.name = "GatherBlockQuantized",
                                      .domain = graph::kMicrosoft,
                                      .inputs = kInputs,
                                      .outputs = kOutputs,
                                      .attributes = kAttributes,
                                      .shape = gather_block_shape,
                                      .cpu = prepare_gather_block};

}  // namespace enm::ops
