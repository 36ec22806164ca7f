// Matrices of floats packed for products: what MatMul and Gemm share.
#pragma once

#include "enm/kernels/matmul_f32/matmul_f32.h"
#include "enm/ops/prepared_op.h"

namespace enm::ops {

/// The second factor of a product, [k, n]; its elements lie in memory as those of [n, k] if it is
/// transposed.
struct Factor {
  int64_t k = 0;
  int64_t n = 0;
  bool transposed = false;

  uint64_t packed_bytes() const {
    return static_cast<uint64_t>(kernels::packed_floats(n, k)) * sizeof(float);
  }
  /// Fills packed_bytes() at `panels`.
  void pack(const float* elements, ThreadPool& pool, float* panels) const;
};

/// One that is constant.
class PackedF32 final : public PackedWeight {
 public:
  PackedF32(const Factor& factor, AlignedMemory memory)
      : factor_(factor), memory_(std::move(memory)) {}

  uint64_t bytes() const override { return memory_.size(); }
  const Factor& factor() const { return factor_; }
  float* panels() const { return reinterpret_cast<float*>(memory_.data()); }

 private:
  Factor factor_;
  AlignedMemory memory_;
};

/// Input 1 of a node in packed form; null if it is computed, or no matrix of floats.
Result<std::shared_ptr<const PackedF32>> pack_constant_factor(const PrepareContext& context,
                                                              bool transposed);

/// kernels::matmul_f32, also for sums of nothing. No bias.
void multiply(const kernels::MatmulF32Kernels& kernels, ThreadPool& pool,
              const kernels::MatmulF32Args& args);

}  // namespace enm::ops
