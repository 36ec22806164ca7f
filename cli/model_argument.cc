#include "cli/model_argument.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "cli/remote.h"
#include "enm/formats/gguf_files.h"

namespace cli {

namespace fs = std::filesystem;
namespace dist = enm::distribution;
namespace net = enm::net;

ModelFiles::ModelFiles(const std::string& folder, const std::string& file)
    : files_(std::make_shared<const enm::DirectoryFiles>(folder)) {
  if (file.ends_with(".gguf")) {
    files_ = std::make_shared<const enm::formats::GgufFiles>(std::move(files_), file);
  }
}

namespace {

// The folder's .gguf file, or the first part of it, where the folder has no other model.
enm::Result<ModelArgument> in_folder(const std::string& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name == "onnx" || name.ends_with(".onnx") || name.ends_with(".safetensors")) {
      return ModelArgument{folder, ""};
    }
    const bool is_later_part =
        name.find("-of-") != std::string::npos && name.find("-00001-of-") == std::string::npos;
    if (name.ends_with(".gguf") && !is_later_part) found.push_back(name);
  }
  if (found.size() < 2) return ModelArgument{folder, found.empty() ? "" : found[0]};
  std::sort(found.begin(), found.end());
  return enm::InvalidArgument(folder, " has several models; name one of ", enm::join(found, ", "));
}

}  // namespace

enm::Result<ModelArgument> find_model(const std::string& argument) {
  std::error_code error;
  if (fs::is_directory(argument, error)) return in_folder(argument);
  if (fs::is_regular_file(argument, error)) {
    const fs::path path = fs::absolute(argument);
    if (path.extension() != ".onnx" && path.extension() != ".gguf") {
      return enm::Unsupported(
          argument, " is no .onnx or .gguf file; give the folder of a checkpoint instead");
    }
    return ModelArgument{path.parent_path().string(), path.filename().string()};
  }
  return enm::NotFound("no model at ", enm::quoted(argument),
                       "; expected a folder, an .onnx or a .gguf file");
}

enm::Result<ModelArgument> find_checkpoint(const std::string& argument, const Context& context) {
  if (!net::is_hub_reference(argument)) return find_model(argument);
  ENM_ASSIGN_OR_RETURN(const net::HubRef ref, net::parse_hub_reference(argument));
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  auto found = net::open_cached_hub(cache, context.config.get("hub.endpoint"), ref);
  if (found.status().code() == enm::Code::kCorrupt) context.warn(found.status().message());
  if (!found.ok()) found = pull_hub_model(ref, context);
  if (!found.ok()) return found.status();
  return ModelArgument{found->model.folder, found->file};
}

enm::Result<ModelArgument> resolve_model(const std::string& argument, const Context& context,
                                         bool allow_untrusted) {
  auto local = find_checkpoint(argument, context);
  if (local.status().code() != enm::Code::kNotFound) return local;
  const auto ref = dist::parse_model_ref(argument);
  if (!ref.ok()) return local;
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore store, open_trust(context));
  const auto cached = dist::open_cached(cache, *ref, {store, allow_untrusted});
  if (cached.ok()) return in_folder(cached->model.folder);
  const enm::Code code = cached.status().code();
  if (code == enm::Code::kCorrupt) context.warn(cached.status().message());
  if (code != enm::Code::kCorrupt && code != enm::Code::kNotFound) return cached.status();
  const auto pulled = pull_model(*ref, context, allow_untrusted);
  if (pulled.ok()) return in_folder(pulled->model.folder);
  if (code == enm::Code::kCorrupt) return pulled.status();
  return pulled.status().in(
      enm::cat("no folder or file ", enm::quoted(argument), ", none in the cache"));
}

int thread_count(int asked) {
  if (asked > 0) return asked;
  const unsigned available = std::thread::hardware_concurrency();
  return available > 0 ? static_cast<int>(available) : 1;
}

uint64_t peak_rss_bytes() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace cli
