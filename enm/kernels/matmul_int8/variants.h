// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/matmul_int8/matmul_int8.h"

namespace enm::kernels {

extern const MatmulInt8Kernels kMatmulInt8Scalar;
extern const MatmulInt8Kernels kMatmulInt8Avx2;
extern const MatmulInt8Kernels kMatmulInt8Avx512Vnni;
extern const MatmulInt8Kernels kMatmulInt8Simd128;

inline constexpr std::array kMatmulInt8Variants = {
#if defined(__x86_64__)
    IsaVariant<MatmulInt8Kernels>{Isa::kAvx512Vnni, &kMatmulInt8Avx512Vnni},
    IsaVariant<MatmulInt8Kernels>{Isa::kAvx2, &kMatmulInt8Avx2},
#elif defined(__wasm_simd128__)
    IsaVariant<MatmulInt8Kernels>{Isa::kSimd128, &kMatmulInt8Simd128},
#endif
    IsaVariant<MatmulInt8Kernels>{Isa::kScalar, &kMatmulInt8Scalar},
};

}  // namespace enm::kernels
