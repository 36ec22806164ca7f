// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/quantize_linear/quantize_linear.h"

namespace enm::kernels {

extern const QuantizeLinearKernels kQuantizeLinearScalar;
extern const QuantizeLinearKernels kQuantizeLinearAvx2;
extern const QuantizeLinearKernels kQuantizeLinearAvx512Vnni;
extern const QuantizeLinearKernels kQuantizeLinearSimd128;

inline constexpr std::array kQuantizeLinearVariants = {
#if defined(__x86_64__)
    IsaVariant<QuantizeLinearKernels>{Isa::kAvx512Vnni, &kQuantizeLinearAvx512Vnni},
    IsaVariant<QuantizeLinearKernels>{Isa::kAvx2, &kQuantizeLinearAvx2},
#elif defined(__wasm_simd128__)
    IsaVariant<QuantizeLinearKernels>{Isa::kSimd128, &kQuantizeLinearSimd128},
#endif
    IsaVariant<QuantizeLinearKernels>{Isa::kScalar, &kQuantizeLinearScalar},
};

}  // namespace enm::kernels
