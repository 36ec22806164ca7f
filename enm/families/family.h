// A model family: config + named tensors -> graph. Shared by every checkpoint format.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/graph/graph.h"

namespace enm::families {

/// The tensors of a checkpoint by name. Reading one is cheap: a handle, no bytes.
class TensorSource {
 public:
  virtual ~TensorSource() = default;
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
};

/// One family. `build` refuses (kUnsupported) config keys that change the numbers and are not
/// understood, and (kCorrupt) tensors whose shapes disagree with the config.
struct Family {
  std::string_view model_type;  // of config.json: "phi", "bert"
  Result<graph::Graph> (*build)(const Checkpoint& checkpoint);
};

extern const Family kPhi;
extern const Family kBert;

/// The family of config.json's model_type; kUnsupported naming it and the ones there are.
Result<const Family*> find_family(const Json& config);

}  // namespace enm::families
