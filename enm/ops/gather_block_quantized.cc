// com.microsoft.GatherBlockQuantized: rows of a table of 4- or 8-bit blocks, dequantized as they
// are picked. Inputs: data u8, i4 or u4 [rows, width] (u8 holds 8 / bits values a byte, low bits
// first), indices, scales f32 [rows, blocks], zero_points? of data's kind. Rows along axis 0,
// blocks along the last. An index outside of the table is an error, as in Gather. Source: ONNX
// Runtime, docs/ContribOperators.md
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

class GatherBlockQuantized final : public PreparedOp {
 public:
  GatherBlockQuantized(int bits, int64_t block) : bits_(bits), block_(block) {}

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& data = in[0];
    const TensorView& indices = in[1];
    const bool is_nibbles = data.dtype == DType::kInt4 || data.dtype == DType::kUint4;
    if ((data.dtype != DType::kUint8 && !(is_nibbles && bits_ == 4)) || data.rank != 2) {
      return Unsupported("data is ", view_str(data), " with bits of ", bits_);
    }
    if (indices.dtype != DType::kInt64 && indices.dtype != DType::kInt32) {
      return InvalidArgument("indices are ", view_str(indices), "; expected i64 or i32");
    }
    const int64_t width = width_of(data);
    const int64_t blocks = (width + block_ - 1) / block_;
    ENM_RETURN_IF_ERROR(expect_dtype(in[2], DType::kFloat32, "scales"));
    if (in[2].rank != 2 || in[2].dim(0) != data.dim(0) || in[2].dim(1) != blocks) {
      return InvalidArgument("scales are ", view_str(in[2]), "; expected [", data.dim(0), ", ",
                             blocks, "]");
    }
    if (has_zeros(in)) ENM_RETURN_IF_ERROR(check_zeros(in, blocks));
    if (indices.rank == kMaxRank) return Unsupported("more than ", kMaxRank, " axes");
    out[0] = indices;
    out[0].capacity = 0;
    out[0].dtype = DType::kFloat32;
    out[0].dims[static_cast<size_t>(out[0].rank++)] = width;
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const TensorView& data = in[0];
    const TensorView& indices = in[1];
    const int64_t width = out[0].last_dim();
    const int64_t rows = data.dim(0);
    for (int64_t i = 0; i < indices.count(); ++i) {
      int64_t row =
          indices.dtype == DType::kInt64 ? indices.as<int64_t>()[i] : indices.as<int32_t>()[i];
      if (row < 0) row += rows;
      if (row < 0 || row >= rows) {
        return InvalidArgument("index ", row, " is outside of ", rows, " rows");
      }
      dequantize(in, row, width, out[0].as<float>() + i * width);
    }
    return {};
  }

 private:
  static bool has_zeros(Inputs in) { return in.size() > 3 && in[3].given(); }

  int64_t width_of(const TensorView& data) const {
    return data.dtype == DType::kUint8 ? data.dim(1) * 8 / bits_ : data.dim(1);
  }

  Status check_zeros(Inputs in, int64_t blocks) const {
    ENM_RETURN_IF_ERROR(expect_dtype(in[3], in[0].dtype, "zero_points"));
    const int64_t row = in[0].dtype == DType::kUint8 ? (blocks * bits_ + 7) / 8 : blocks;
    if (in[3].rank == 2 && in[3].dim(0) == in[0].dim(0) && in[3].dim(1) == row) return {};
    return InvalidArgument("zero_points are ", view_str(in[3]));
  }

  // Element `column` of row `row`; rows of u8 begin at whole bytes, those of nibbles anywhere.
  int value(const TensorView& view, int64_t row, int64_t column) const {
    const auto* bytes = view.as<uint8_t>();
    if (bits_ == 8) return bytes[row * view.dim(1) + column];
    const bool is_bytes = view.dtype == DType::kUint8;
    const int64_t at = is_bytes ? row * view.dim(1) * 2 + column : row * view.dim(1) + column;
    const int nibble = bytes[at / 2] >> (at % 2 * 4) & 15;
    return view.dtype == DType::kInt4 && nibble >= 8 ? nibble - 16 : nibble;
  }

  void dequantize(Inputs in, int64_t row, int64_t width, float* out) const {
    const int middle = in[0].dtype == DType::kUint8 ? 1 << (bits_ - 1) : 0;
    const int64_t blocks = in[2].dim(1);
    for (int64_t b = 0; b < blocks; ++b) {
      const float scale = in[2].as<float>()[row * blocks + b];
      const int zero = has_zeros(in) ? value(in[3], row, b) : middle;
      for (int64_t c = b * block_; c < std::min(width, (b + 1) * block_); ++c) {
        out[c] = static_cast<float>(value(in[0], row, c) - zero) * scale;
      }
    }
  }

  const int bits_;
  const int64_t block_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gather_block(const PrepareContext& context) {
  const graph::Node& node = context.node;
  const int64_t bits = node.int_or("bits", 4);
  const int64_t block = node.int_or("block_size", 128);
  const int64_t axis = node.int_or("quantize_axis", 1);
  if ((bits != 4 && bits != 8) || block < 16 || node.int_or("gather_axis", 0) != 0 ||
      (axis != 1 && axis != -1)) {
    return Unsupported("bits ", bits, ", block_size ", block, ", quantize_axis ", axis,
                       "; supported are 4 or 8 bits, blocks of 16 or more, rows of two axes");
  }
  return make_prepared<GatherBlockQuantized>(static_cast<int>(bits), block);
}

}  // namespace

const Op kGatherBlockQuantized = {"GatherBlockQuantized", graph::kMicrosoft, 3, 4, 1,
                                  prepare_gather_block};

}  // namespace enm::ops
