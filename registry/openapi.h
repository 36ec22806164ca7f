// schemas/registry.openapi.json, put in by the build.
#pragma once

#include <string_view>

namespace enm::registry {

extern const std::string_view kOpenApi;

}  // namespace enm::registry
