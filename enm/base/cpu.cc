#include "enm/base/cpu.h"

#include <array>
#include <cstdlib>

namespace enm {
namespace {

constexpr std::array kAll = {Isa::kScalar, Isa::kAvx2,    Isa::kAvx512Vnni,
                             Isa::kNeon,   Isa::kSimd128, Isa::kRelaxedSimd};

Isa best_isa() {
  Isa best = Isa::kScalar;
  for (Isa isa : kAll) {
    if (isa_available(isa)) best = isa;
  }
  return best;
}

}  // namespace

std::string_view isa_name(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return "scalar";
    case Isa::kAvx2:
      return "avx2";
    case Isa::kAvx512Vnni:
      return "avx512vnni";
    case Isa::kNeon:
      return "neon";
    case Isa::kSimd128:
      return "simd128";
    case Isa::kRelaxedSimd:
      return "relaxed-simd";
  }
  return "unknown";
}

bool isa_available(Isa isa) {
  switch (isa) {
    case Isa::kScalar:
      return true;
#if defined(__x86_64__)
    case Isa::kAvx2:
      return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
             __builtin_cpu_supports("f16c");
    case Isa::kAvx512Vnni:
      return isa_available(Isa::kAvx2) && __builtin_cpu_supports("avx512f") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
             __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vnni");
#elif defined(__wasm_simd128__)
    case Isa::kSimd128:
      return true;
#if defined(__wasm_relaxed_simd__)
    case Isa::kRelaxedSimd:
      return true;
#endif
#endif
    default:
      return false;
  }
}

Result<Isa> select_isa() {
#if !defined(__wasm__)
  if (const char* forced = std::getenv("ENM_ISA"); forced != nullptr && *forced != '\0') {
    for (Isa isa : kAll) {
      if (isa_name(isa) != forced) continue;
      if (isa_available(isa)) return isa;
      return Unsupported("ENM_ISA=", forced, " is not available on this machine");
    }
    return InvalidArgument("ENM_ISA=", quoted(forced),
                           " is unknown; expected scalar, avx2, avx512vnni or neon");
  }
#endif
  return best_isa();
}

}  // namespace enm
