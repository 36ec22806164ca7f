#include "enm/families/family.h"

#include <array>

namespace enm::families {
namespace {
constexpr std::array kFamilies = {&kPhi, &kBert};
}

Result<const Family*> find_family(const Json& config) {
  ENM_ASSIGN_OR_RETURN(const std::string model_type, config.get_string("model_type"));
  std::vector<std::string> known;
  for (const Family* family : kFamilies) {
    if (family->model_type == model_type) return family;
    known.emplace_back(family->model_type);
  }
  return Unsupported("model_type ", quoted(model_type),
                     " is not supported; families here: ", join(known, ", "));
}

}  // namespace enm::families
