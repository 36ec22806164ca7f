// A model family: config + named tensors -> graph. Shared by every checkpoint format.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/graph/graph.h"

namespace enm::families {

/// A weight [rows, columns] that the checkpoint keeps in blocks of low-bit numbers, laid out as
/// com.microsoft.MatMulNBits has them.
struct BlockWeight {
  int bits = 4;       // 4 or 8
  int64_t block = 0;  // columns that share a scale
  int64_t rows = 0;
  int64_t columns = 0;
  graph::Tensor quants;  // u8 [rows, blocks, block * bits / 8]
  graph::Tensor scales;  // f32 or f16 [rows, blocks]
  // u8 [rows, bytes] or f32 [rows, blocks]; without dims where it is the middle
  graph::Tensor zero_points;
};

/// The tensors of a checkpoint by name. Reading one is cheap: a handle, no bytes. A weight is in
/// blocks or in floats, not both.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
  /// The weight in blocks, if the checkpoint has it so; only products and embedding tables ask.
  virtual std::optional<BlockWeight> blocks(std::string_view) const { return std::nullopt; }
  /// kNotFound naming the tensor if there is none.
  virtual Result<graph::Tensor> get(std::string_view name) const = 0;
  virtual bool contains(std::string_view name) const = 0;
  virtual std::vector<std::string> names() const = 0;
};

/// How sentence embeddings are made from token states (modules.json, 1_Pooling/config.json).
struct Pooling {
  enum class Mode { kNone, kMean, kCls };
  Mode mode = Mode::kNone;
  bool normalize = false;
};

struct Checkpoint {
  const Json& config;  // config.json
  const TensorSource& tensors;
  Pooling pooling;
  int64_t context = 0;  // positions of a decoder's rotary tables; 0: its own, at most 8192
};

class ConfigReader;
struct DecoderConfig;

/// One family: how its config.json reads. Keys that change the numbers and are not understood are
/// kUnsupported; tensors whose shapes disagree with the config, kCorrupt.
struct Family {
  std::string_view model_type;  // of config.json: "phi", "bert"
  // One of the two.
  void (*decoder)(ConfigReader& config, DecoderConfig& decoder) = nullptr;
  Result<graph::Graph> (*encoder)(const Checkpoint& checkpoint) = nullptr;
};

/// The decoder that a config.json describes; kUnsupported if it is not one.
Result<DecoderConfig> read_decoder_config(const Json& json);

/// The graph of a checkpoint by its config.json's model_type; kUnsupported naming it and the ones
/// there are.
Result<graph::Graph> build(const Checkpoint& checkpoint);

}  // namespace enm::families
