// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/activation/activation.h"
#include "enm/kernels/dispatch.h"

namespace enm::kernels {

extern const ActivationKernels kActivationScalar;
extern const ActivationKernels kActivationAvx2;
extern const ActivationKernels kActivationAvx512Vnni;
extern const ActivationKernels kActivationSimd128;

inline constexpr std::array kActivationVariants = {
#if defined(__x86_64__)
    IsaVariant<ActivationKernels>{Isa::kAvx512Vnni, &kActivationAvx512Vnni},
    IsaVariant<ActivationKernels>{Isa::kAvx2, &kActivationAvx2},
#elif defined(__wasm_simd128__)
    IsaVariant<ActivationKernels>{Isa::kSimd128, &kActivationSimd128},
#endif
    IsaVariant<ActivationKernels>{Isa::kScalar, &kActivationScalar},
};

}  // namespace enm::kernels
