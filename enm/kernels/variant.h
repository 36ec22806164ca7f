// Files that are compiled once per instruction set name their kernels by it: ENM_VARIANT is Avx2,
// Avx512Vnni, Simd128, ... (set by enm_kernel_variant in this room's CMakeLists.txt).
#pragma once

#define ENM_VARIANT_NAME_INNER(prefix, variant) prefix##variant
#define ENM_VARIANT_NAME_OF(prefix, variant) ENM_VARIANT_NAME_INNER(prefix, variant)
#define ENM_VARIANT_NAME(prefix) ENM_VARIANT_NAME_OF(prefix, ENM_VARIANT)
