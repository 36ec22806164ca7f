// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/outer_f32/outer_f32.h"

namespace enm::kernels {

extern const OuterF32Kernels kOuterF32Scalar;
extern const OuterF32Kernels kOuterF32Avx2;
extern const OuterF32Kernels kOuterF32Avx512Vnni;

inline constexpr std::array kOuterF32Variants = {
#if defined(__x86_64__)
    IsaVariant<OuterF32Kernels>{Isa::kAvx512Vnni, &kOuterF32Avx512Vnni},
    IsaVariant<OuterF32Kernels>{Isa::kAvx2, &kOuterF32Avx2},
#endif
    IsaVariant<OuterF32Kernels>{Isa::kScalar, &kOuterF32Scalar},
};

}  // namespace enm::kernels
