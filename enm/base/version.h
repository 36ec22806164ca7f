// The one place that says which version this is; CMake and the SDK's package.json agree by test.
#pragma once

#include <string_view>

namespace enm {

inline constexpr std::string_view kVersion = "0.1.0";
inline constexpr std::string_view kProgram = "edge-net-models 0.1.0";

}  // namespace enm
