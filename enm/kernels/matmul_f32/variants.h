// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/matmul_f32/matmul_f32.h"

namespace enm::kernels {

extern const MatmulF32Kernels kMatmulF32Scalar;
extern const MatmulF32Kernels kMatmulF32Avx2;
extern const MatmulF32Kernels kMatmulF32Avx512Vnni;
extern const MatmulF32Kernels kMatmulF32Simd128;

inline constexpr std::array kMatmulF32Variants = {
#if defined(__x86_64__)
    IsaVariant<MatmulF32Kernels>{Isa::kAvx512Vnni, &kMatmulF32Avx512Vnni},
    IsaVariant<MatmulF32Kernels>{Isa::kAvx2, &kMatmulF32Avx2},
#elif defined(__wasm_simd128__)
    IsaVariant<MatmulF32Kernels>{Isa::kSimd128, &kMatmulF32Simd128},
#endif
    IsaVariant<MatmulF32Kernels>{Isa::kScalar, &kMatmulF32Scalar},
};

}  // namespace enm::kernels
