// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/norm/norm.h"

namespace enm::kernels {

extern const NormKernels kNormScalar;
extern const NormKernels kNormAvx2;
extern const NormKernels kNormAvx512Vnni;
extern const NormKernels kNormSimd128;

inline constexpr std::array kNormVariants = {
#if defined(__x86_64__)
    IsaVariant<NormKernels>{Isa::kAvx512Vnni, &kNormAvx512Vnni},
    IsaVariant<NormKernels>{Isa::kAvx2, &kNormAvx2},
#elif defined(__wasm_simd128__)
    IsaVariant<NormKernels>{Isa::kSimd128, &kNormSimd128},
#endif
    IsaVariant<NormKernels>{Isa::kScalar, &kNormScalar},
};

}  // namespace enm::kernels
