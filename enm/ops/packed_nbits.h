// Weights of 4- and 8-bit blocks, packed once for the products that read them.
#pragma once

#include "enm/kernels/matmul_nbits/matmul_nbits.h"
#include "enm/ops/prepared_op.h"

namespace enm::ops {

/// Serves x W^T (matmul_nbits), and rows of W and with them dy W (dequantize_nbits_row).
class PackedBlocks final : public PackedWeight {
 public:
  PackedBlocks(const kernels::NbitsShape& shape, AlignedMemory memory);

  uint64_t bytes() const override { return memory_.size(); }
  const kernels::PackedNbits& weight() const { return weight_; }

 private:
  AlignedMemory memory_;
  kernels::PackedNbits weight_;
};

/// The constants of a weight [n, k] in the layout of MatMulNBits, whatever their dims are;
/// zero_points may be null.
struct BlockConstants {
  const graph::Tensor* quants = nullptr;
  const graph::Tensor* scales = nullptr;
  const graph::Tensor* zero_points = nullptr;
};

/// The packed weight, from the store if it holds it. `format` says all but the kind of scales and
/// of zero points. kCorrupt where a constant has another type or another number of elements than
/// format and shape ask for.
Result<std::shared_ptr<const PackedBlocks>> pack_blocks(const PrepareContext& context,
                                                        kernels::BlockFormat format, int64_t n,
                                                        int64_t k, const BlockConstants& constants);

}  // namespace enm::ops
