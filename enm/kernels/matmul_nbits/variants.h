// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/matmul_nbits/matmul_nbits.h"

namespace enm::kernels {

extern const MatmulNbitsKernels kMatmulNbitsScalar;
extern const MatmulNbitsKernels kMatmulNbitsAvx2;
extern const MatmulNbitsKernels kMatmulNbitsAvx512Vnni;
extern const MatmulNbitsKernels kMatmulNbitsSimd128;
extern const MatmulNbitsKernels kMatmulNbitsRelaxedSimd;

inline constexpr std::array kMatmulNbitsVariants = {
#if defined(__x86_64__)
    IsaVariant<MatmulNbitsKernels>{Isa::kAvx512Vnni, &kMatmulNbitsAvx512Vnni},
    IsaVariant<MatmulNbitsKernels>{Isa::kAvx2, &kMatmulNbitsAvx2},
#elif defined(__wasm_relaxed_simd__)
    IsaVariant<MatmulNbitsKernels>{Isa::kRelaxedSimd, &kMatmulNbitsRelaxedSimd},
#elif defined(__wasm_simd128__)
    IsaVariant<MatmulNbitsKernels>{Isa::kSimd128, &kMatmulNbitsSimd128},
#endif
    IsaVariant<MatmulNbitsKernels>{Isa::kScalar, &kMatmulNbitsScalar},
};

}  // namespace enm::kernels
