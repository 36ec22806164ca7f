// safetensors checkpoints: one file, or shards listed by model.safetensors.index.json.
// Source: https://github.com/huggingface/safetensors#format
//
//   u64 header length | header: JSON {name: {dtype, shape, data_offsets: [begin, end]}} | data
#pragma once

#include <map>
#include <string>

#include "enm/base/file.h"
#include "enm/families/family.h"

namespace enm::formats {

/// The tensors of a checkpoint as handles into its mapped files. F32, F16 and BF16 are read; a
/// tensor of another type is kUnsupported when it is asked for.
class SafetensorsCheckpoint final : public families::TensorSource {
 public:
  /// model.safetensors, or the shards of model.safetensors.index.json. kNotFound if neither is
  /// there.
  static Result<SafetensorsCheckpoint> open(const FileSource& files);

  Result<graph::Tensor> get(std::string_view name) const override;
  bool contains(std::string_view name) const override { return entries_.contains(name); }
  std::vector<std::string> names() const override;

 private:
  struct Entry {
    std::string dtype;
    graph::Tensor tensor;
  };
  Status add_file(const std::string& name, const Blob& file);

  std::map<std::string, Entry, std::less<>> entries_;
};

}  // namespace enm::formats
