// The MODEL of the command line: a folder, an ONNX or GGUF file in one, a model of a hub, or the id
// of a published model.
#pragma once

#include <memory>
#include <string>

#include "cli/context.h"
#include "enm/base/file_posix.h"

namespace cli {

/// The folder's files; beside a GGUF file those that it tells in their stead.
class ModelFiles final : public enm::FileSource {
 public:
  ModelFiles(const std::string& folder, const std::string& file);
  enm::Result<enm::Blob> open(std::string_view name) const override { return files_->open(name); }
  bool contains(std::string_view name) const override { return files_->contains(name); }

 private:
  std::shared_ptr<const enm::FileSource> files_;
};

struct ModelArgument {
  std::string folder;
  std::string file;  // the ONNX or GGUF file's name within the folder; empty: found by name

  ModelFiles files() const { return {folder, file}; }
};

/// kNotFound if there is neither a folder nor a file of that name.
enm::Result<ModelArgument> find_model(const std::string& argument);

/// find_model, or the hub's model of "hf:org/name[@revision][/file]": what the cache has of it,
/// each byte verified, or else what the hub has.
enm::Result<ModelArgument> find_checkpoint(const std::string& argument, const Context& context);

/// find_checkpoint, or else the model of that id ("name", "name@version"): from the cache, each
/// byte verified, or from the registry, if the cache lacks it or its bytes were damaged.
enm::Result<ModelArgument> resolve_model(const std::string& argument, const Context& context,
                                         bool allow_untrusted = false);

/// As many threads as there are processors, unless `asked` is positive.
int thread_count(int asked);

/// Highest resident memory of this process so far, in bytes.
uint64_t peak_rss_bytes();

}  // namespace cli
