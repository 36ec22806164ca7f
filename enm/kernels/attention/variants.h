// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/attention/attention.h"
#include "enm/kernels/dispatch.h"

namespace enm::kernels {

inline constexpr int64_t kAttentionBlock = 64;  // keys of a block
inline constexpr int64_t kAttentionGroup = 8;   // rows that go through a block together, at most

/// What the vector kernels keep in the scratch memory, followed by a block of keys, transposed:
/// [head_dim][kAttentionBlock].
struct AttentionScratch {
  float scores[kAttentionGroup][kAttentionBlock];
  float totals[kAttentionTileRows][16];  // of each row, sum_t exp(s[t] - largest), by lanes
  float largest[kAttentionTileRows];
  int32_t kept[kAttentionBlock];  // the block's part of AttentionTile::keep
};

extern const AttentionKernels kAttentionScalar;
extern const AttentionKernels kAttentionAvx2;
extern const AttentionKernels kAttentionAvx512Vnni;
extern const AttentionKernels kAttentionSimd128;
extern const AttentionKernels kAttentionRelaxedSimd;

inline constexpr std::array kAttentionVariants = {
#if defined(__x86_64__)
    IsaVariant<AttentionKernels>{Isa::kAvx512Vnni, &kAttentionAvx512Vnni},
    IsaVariant<AttentionKernels>{Isa::kAvx2, &kAttentionAvx2},
#elif defined(__wasm_relaxed_simd__)
    IsaVariant<AttentionKernels>{Isa::kRelaxedSimd, &kAttentionRelaxedSimd},
#elif defined(__wasm_simd128__)
    IsaVariant<AttentionKernels>{Isa::kSimd128, &kAttentionSimd128},
#endif
    IsaVariant<AttentionKernels>{Isa::kScalar, &kAttentionScalar},
};

}  // namespace enm::kernels
