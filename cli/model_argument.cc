#include "cli/model_argument.h"

#include <sys/resource.h>

#include <filesystem>
#include <thread>

namespace cli {

namespace fs = std::filesystem;

enm::Result<ModelArgument> find_model(const std::string& argument) {
  std::error_code error;
  if (fs::is_directory(argument, error)) return ModelArgument{argument, ""};
  if (fs::is_regular_file(argument, error)) {
    const fs::path path = fs::absolute(argument);
    if (path.extension() != ".onnx") {
      return enm::Unsupported(argument,
                              " is no .onnx file; give the folder of a checkpoint instead");
    }
    return ModelArgument{path.parent_path().string(), path.filename().string()};
  }
  return enm::NotFound("no model at ", enm::quoted(argument),
                       "; expected a folder or an .onnx file");
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
