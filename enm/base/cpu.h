// Which instruction sets this machine and this build have, and the one in use.
#pragma once

#include <string_view>

#include "enm/base/status.h"

namespace enm {

/// In rising order of preference within a platform. A build knows only its own platform's.
enum class Isa : unsigned char { kScalar, kAvx2, kAvx512Vnni, kNeon, kSimd128, kRelaxedSimd };

/// "scalar", "avx2", "avx512vnni", "neon", "simd128", "relaxed-simd"
std::string_view isa_name(Isa isa);

/// True if this build has the ISA and the machine runs it. kScalar always is.
bool isa_available(Isa isa);

/// The best available ISA, or the one that the environment variable ENM_ISA names (natively; read
/// once). An ISA that is unknown or not available here is refused: a forced ISA that silently fell
/// back would make a test prove nothing.
Result<Isa> select_isa();

}  // namespace enm
