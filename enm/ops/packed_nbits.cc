#include "enm/ops/packed_nbits.h"

#include <algorithm>

namespace enm::ops {
namespace {

using graph::DType;
using kernels::NbitsShape;

uint64_t align64(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

uint64_t packed_bytes(const NbitsShape& shape) {
  return align64(shape.quant_bytes()) + align64(shape.scale_bytes()) + shape.zero_point_bytes();
}

Status expect_size(const graph::Tensor& tensor, DType dtype, int64_t count, std::string_view what) {
  const auto got = graph::checked_element_count(tensor.dims);
  const bool fits = tensor.dtype == dtype && got.ok() && *got == count;
  if (fits && tensor.data.size() == graph::byte_size(dtype, count)) return {};
  return Corrupt(what, " is ", type_str(tensor.type()), "; expected ", count, " elements of ",
                 graph::dtype_name(dtype));
}

// A mapped file need not align its floats.
Result<std::vector<float>> load_floats(const graph::Tensor& tensor) {
  std::vector<float> out(static_cast<size_t>(tensor.data.size() / sizeof(float)));
  auto* bytes = reinterpret_cast<uint8_t*>(out.data());
  ENM_RETURN_IF_ERROR(tensor.data.load_into({bytes, out.size() * sizeof(float)}));
  return out;
}

// Stripe by stripe, letting go of the source's pages behind it.
void pack(const kernels::PackedNbits& weight, const Blob& quants, const float* scales,
          const void* zero_points, ThreadPool& pool) {
  const NbitsShape& shape = weight.shape;
  const kernels::NbitsSource source = {quants.data(), scales, zero_points};
  const auto row_bytes = static_cast<size_t>(shape.row_bytes(shape.k));
  constexpr int64_t kStripe = 64;  // tiles
  for (int64_t begin = 0; begin < shape.tiles(); begin += kStripe) {
    const int64_t end = std::min(begin + kStripe, shape.tiles());
    pool.parallel_for(end - begin, 4, [&](int64_t from, int64_t to, int) {
      kernels::pack_nbits(shape, source, begin + from, begin + to,
                          const_cast<uint8_t*>(weight.quants), const_cast<void*>(weight.scales),
                          const_cast<void*>(weight.zero_points));
    });
    const int64_t rows = std::min(end * kernels::kNbitsTile, shape.n) - begin * kernels::kNbitsTile;
    quants.discard_pages(static_cast<size_t>(begin * kernels::kNbitsTile) * row_bytes,
                         static_cast<size_t>(rows) * row_bytes);
  }
}

}  // namespace

PackedBlocks::PackedBlocks(const NbitsShape& shape, AlignedMemory memory)
    : memory_(std::move(memory)) {
  const uint8_t* at = memory_.data();
  weight_.shape = shape;
  weight_.quants = at;
  weight_.scales = at += align64(shape.quant_bytes());
  if (shape.has_zero_points()) weight_.zero_points = at + align64(shape.scale_bytes());
}

Result<std::shared_ptr<const PackedBlocks>> pack_blocks(const PrepareContext& context,
                                                        kernels::BlockFormat format, int64_t n,
                                                        int64_t k,
                                                        const BlockConstants& constants) {
  using Format = kernels::BlockFormat;
  const bool block_ok =
      format.block >= 16 && format.block <= 256 && (format.block & (format.block - 1)) == 0;
  constexpr int64_t kMost = int64_t{1} << 24;
  if (n < 1 || k < 1 || n > kMost || k > kMost) {
    return Corrupt("N is ", n, " and K is ", k, "; expected 1 to ", kMost);
  }
  if ((format.bits != 4 && format.bits != 8) || !block_ok) {
    return Unsupported("bits is ", format.bits, " and block_size ", format.block,
                       "; supported are 4 or 8 bits and blocks of 16, 32, 64, 128 or 256");
  }
  const graph::Tensor* zeros = constants.zero_points;
  const bool float_zeros = zeros != nullptr && zeros->dtype == DType::kFloat32;
  format.zero_points = zeros == nullptr ? Format::ZeroPoints::kNone
                       : float_zeros    ? Format::ZeroPoints::kFloat
                                        : Format::ZeroPoints::kInteger;
  const int64_t blocks = n * format.blocks_of(k);
  ENM_RETURN_IF_ERROR(expect_size(*constants.quants, DType::kUint8, n * format.row_bytes(k), "B"));
  ENM_RETURN_IF_ERROR(expect_size(*constants.scales, DType::kFloat32, blocks, "scales"));
  if (zeros != nullptr) {
    const DType dtype = float_zeros ? DType::kFloat32 : DType::kUint8;
    ENM_RETURN_IF_ERROR(expect_size(
        *zeros, dtype, float_zeros ? blocks : n * format.row_zero_point_bytes(k), "zero_points"));
  }
  const auto make = [&](MemoryBudget& budget) -> Result<std::unique_ptr<PackedWeight>> {
    ENM_ASSIGN_OR_RETURN(const std::vector<float> scales, load_floats(*constants.scales));
    const bool halves = kernels::scales_are_half(scales.data(), blocks);
    format.scales = halves ? Format::Scales::kF16 : Format::Scales::kF32;
    const NbitsShape shape(format, n, k);
    ENM_ASSIGN_OR_RETURN(AlignedMemory memory,
                         AlignedMemory::allocate(packed_bytes(shape), budget, "weights"));
    ENM_ASSIGN_OR_RETURN(const Blob quants, constants.quants->data.load());
    Blob bytes;
    std::vector<float> floats;
    if (float_zeros) {
      ENM_ASSIGN_OR_RETURN(floats, load_floats(*zeros));
    } else if (zeros != nullptr) {
      ENM_ASSIGN_OR_RETURN(bytes, zeros->data.load());
    }
    const void* zero_points = float_zeros ? floats.data() : static_cast<const void*>(bytes.data());
    auto packed = std::make_unique<PackedBlocks>(shape, std::move(memory));
    pack(packed->weight(), quants, scales.data(), zero_points, context.pool);
    return std::unique_ptr<PackedWeight>(std::move(packed));
  };
  const std::string form =
      cat("cpu/blocks ", n, "x", k, " ", format.bits, " bits by ", format.block);
  ENM_ASSIGN_OR_RETURN(
      auto packed, context.weights.packed(
                       form, {constants.quants, constants.scales, constants.zero_points}, make));
  return std::static_pointer_cast<const PackedBlocks>(std::move(packed));
}

}  // namespace enm::ops
