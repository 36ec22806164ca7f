#include "enm/ops/packed_f32.h"

#include <algorithm>

namespace enm::ops {
namespace {

// A file need not align its numbers.
Result<Blob> aligned_floats(Blob bytes) {
  if (reinterpret_cast<uintptr_t>(bytes.data()) % alignof(float) == 0) return bytes;
  ENM_ASSIGN_OR_RETURN(AlignedMemory copy, AlignedMemory::allocate(bytes.size(), "a constant"));
  std::copy_n(bytes.data(), bytes.size(), copy.data());
  return AlignedMemory::as_blob(std::move(copy));
}

}  // namespace

void Factor::pack(const float* elements, ThreadPool& pool, float* panels) const {
  if (k == 0) return;
  pool.parallel_for(kernels::panel_count(n), 8, [&](int64_t begin, int64_t end, int) {
    kernels::pack_f32(elements, n, k, transposed ? k : 1, transposed ? 1 : n, begin, end, panels);
  });
}

Result<std::shared_ptr<const PackedF32>> pack_constant_factor(const PrepareContext& context,
                                                              bool transposed) {
  const graph::Tensor* b = context.constant(1);
  if (b == nullptr || b->dims.size() != 2 || b->dtype != graph::DType::kFloat32) {
    return std::shared_ptr<const PackedF32>();
  }
  const Factor factor = {b->dims[transposed ? 1 : 0], b->dims[transposed ? 0 : 1], transposed};
  const auto make = [&](MemoryBudget& budget) -> Result<std::unique_ptr<PackedWeight>> {
    ENM_ASSIGN_OR_RETURN(AlignedMemory memory,
                         AlignedMemory::allocate(factor.packed_bytes(), budget, "weights"));
    auto packed = std::make_unique<PackedF32>(factor, std::move(memory));
    ENM_ASSIGN_OR_RETURN(const Blob loaded, b->data.load());
    ENM_ASSIGN_OR_RETURN(const Blob bytes, aligned_floats(loaded));
    factor.pack(reinterpret_cast<const float*>(bytes.data()), context.pool, packed->panels());
    loaded.discard_pages();
    return std::unique_ptr<PackedWeight>(std::move(packed));
  };
  const std::string form = cat("cpu/", transposed ? "transposed " : "", type_str(b->type()));
  ENM_ASSIGN_OR_RETURN(const auto packed, context.weights.packed(form, {b}, make));
  return std::static_pointer_cast<const PackedF32>(packed);
}

void multiply(const kernels::MatmulF32Kernels& kernels, ThreadPool& pool,
              const kernels::MatmulF32Args& args) {
  if (args.k > 0) return kernels::matmul_f32(kernels, pool, args);
  for (int64_t row = 0; row < args.m && args.n > 0; ++row) {
    std::fill_n(args.y + row * args.ldy, args.n, 0.0f);
  }
}

}  // namespace enm::ops
