// A GGUF file as the folder of a checkpoint: beside its own bytes stand the files that Hugging Face
// keeps what its metadata says in, made when they are opened.
#pragma once

#include <memory>
#include <string>

#include "enm/base/file.h"

namespace enm::formats {

/// tokenizer.json, tokenizer_config.json, generation_config.json, config.json, and every .gguf file
/// of `base`.
class GgufFiles final : public FileSource {
 public:
  GgufFiles(std::shared_ptr<const FileSource> base, std::string name)
      : base_(std::move(base)), name_(std::move(name)) {}

  Result<Blob> open(std::string_view name) const override;
  bool contains(std::string_view name) const override;

 private:
  const std::shared_ptr<const FileSource> base_;
  const std::string name_;
};

}  // namespace enm::formats
