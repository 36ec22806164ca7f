// The MODEL of the command line: a folder, or an ONNX file in one.
#pragma once

#include <string>

#include "enm/base/file_posix.h"

namespace cli {

struct ModelArgument {
  std::string folder;
  std::string file;  // the ONNX file's name within the folder; empty for a folder

  enm::DirectoryFiles files() const { return enm::DirectoryFiles(folder); }
};

/// kNotFound if there is neither a folder nor a file of that name.
enm::Result<ModelArgument> find_model(const std::string& argument);

/// As many threads as there are processors, unless `asked` is positive.
int thread_count(int asked);

/// Highest resident memory of this process so far, in bytes.
uint64_t peak_rss_bytes();

}  // namespace cli
