// A graph made ready to run: immutable, shared by every session that runs it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "enm/ops/prepared_op.h"

namespace enm::runtime {

class Program {
 public:
  struct Step {
    ops::Attributes attributes;
    std::unique_ptr<const ops::PreparedOp> op;
    std::vector<graph::ValueId> inputs;
    std::vector<graph::ValueId> outputs;  // kNoValue where an optional one is missing
    bool reads_values = false;            // a computed value decides its outputs' shapes
    std::string label;
  };

  /// Runs the passes, prepares every operator for `isa` (packing into `weights`, which outlives the
  /// program) and loads the constants that operators read as they are. kUnsupported names the first
  /// operator that cannot be run.
  static Result<std::shared_ptr<const Program>> compile(graph::Graph graph, Isa isa,
                                                        ThreadPool& pool, ops::Weights& weights);

  const graph::Graph& graph() const { return graph_; }
  const std::vector<Step>& steps() const { return steps_; }
  /// A constant's type, dims and data (none where only packed forms are read); not given for
  /// computed values.
  const ops::TensorView& constant(graph::ValueId id) const {
    return constants_[static_cast<size_t>(id)];
  }
  /// True if some operator has the trait.
  bool has(ops::Trait trait) const;

 private:
  explicit Program(graph::Graph graph) : graph_(std::move(graph)) {}
  Status prepare_steps(Isa isa, ThreadPool& pool, ops::Weights& weights);
  Status load_constants(ops::Weights& weights);

  graph::Graph graph_;
  std::vector<Step> steps_;
  std::vector<ops::TensorView> constants_;
  std::vector<Blob> blobs_;
};

}  // namespace enm::runtime
