// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/attention/attention.h"
#include "enm/kernels/dispatch.h"

namespace enm::kernels {

extern const AttentionKernels kAttentionScalar;
extern const AttentionKernels kAttentionAvx2;
extern const AttentionKernels kAttentionAvx512Vnni;
extern const AttentionKernels kAttentionSimd128;

inline constexpr std::array kAttentionVariants = {
#if defined(__x86_64__)
    IsaVariant<AttentionKernels>{Isa::kAvx512Vnni, &kAttentionAvx512Vnni},
    IsaVariant<AttentionKernels>{Isa::kAvx2, &kAttentionAvx2},
#elif defined(__wasm_simd128__)
    IsaVariant<AttentionKernels>{Isa::kSimd128, &kAttentionSimd128},
#endif
    IsaVariant<AttentionKernels>{Isa::kScalar, &kAttentionScalar},
};

}  // namespace enm::kernels
