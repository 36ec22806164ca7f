// A model of a hub as the command line names it: hf:org/name[@revision][/file].
#pragma once

#include <string>
#include <string_view>

#include "enm/base/status.h"

namespace enm::net {

struct HubRef {
  std::string repository;         // "org/name"
  std::string revision = "main";  // a branch, a tag, a commit, or refs/pr/<n>
  std::string file;               // one .gguf or .onnx file; "": the model as a folder

  std::string text() const;
};

/// Whether this is meant as the name of a hub's model, well-formed or not.
bool is_hub_reference(std::string_view text);

/// Of a text that begins with "hf:"; kInvalidArgument says what was expected.
Result<HubRef> parse_hub_reference(std::string_view text);

/// What a cache calls "org/name" among its models: "hf+org+name", which no registry's id can be.
std::string hub_cache_id(std::string_view repository);
/// "hf:org/name" of such a name, and any other as it is.
std::string shown_model_id(std::string_view cache_id);

}  // namespace enm::net
