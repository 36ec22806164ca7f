// The metadata of a GGUF file as a family's config.
#pragma once

#include <map>
#include <string>

#include "enm/families/decoder_config.h"
#include "enm/formats/gguf_tensor.h"

namespace enm::formats {

/// The decoder that the file holds, its modules named as Hugging Face names them. kUnsupported
/// naming the architecture, or a key of it that may change what the model computes and is not
/// understood.
Result<families::DecoderConfig> read_gguf_config(const GgufFile& file);

/// The architecture that files call such a decoder by; empty if they have none for it.
std::string_view gguf_architecture(const families::DecoderConfig& config);

/// A tensor's name in files: "model.layers.3.mlp.up_proj.weight" -> "blk.3.ffn_up.weight". Empty
/// for a name that is none of the config's modules'.
std::string gguf_tensor_name(const families::DecoderConfig& config, std::string_view name);

/// The order of a tensor's rows in files of the config's architecture.
RowOrder gguf_row_order(const families::DecoderConfig& config, std::string_view file_name);

/// The file's tensors under the names that `config` gives its modules.
class GgufCheckpoint final : public families::TensorSource {
 public:
  /// kUnsupported for a tensor that no module of the config owns. Unless `keep_blocks`, all tensors
  /// are floats.
  static Result<GgufCheckpoint> open(const GgufFile& file, const families::DecoderConfig& config,
                                     bool keep_blocks);

  std::optional<families::BlockWeight> blocks(std::string_view name) const override;
  Result<graph::Tensor> get(std::string_view name) const override;
  bool contains(std::string_view name) const override { return entries_.contains(name); }
  std::vector<std::string> names() const override;

 private:
  struct Entry {
    std::string file_name;
    GgufTensor tensor;
    RowOrder order;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  bool keep_blocks_ = true;
};

}  // namespace enm::formats
