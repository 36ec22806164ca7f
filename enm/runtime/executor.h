// Runs a graph: operators prepared once, memory planned once, nothing allocated per run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"
#include "enm/graph/graph.h"
#include "enm/ops/op.h"
#include "enm/runtime/memory.h"

namespace enm::runtime {

class Executor {
 public:
  /// Folds constants, prepares every operator (packing weights for `isa`) and loads the constants
  /// that operators read as they are. kUnsupported names the first operator that cannot be run.
  static Result<std::unique_ptr<Executor>> open(graph::Graph graph, Isa isa, ThreadPool& pool);

  const graph::Graph& graph() const { return graph_; }

  /// Says where a graph input's data lies, or where an output's is to be written, from now on. The
  /// view's dims are those of the next run; plan() and run() read them.
  void bind(graph::ValueId id, const ops::TensorView& view);

  /// Lays out the memory for runs with shapes up to the ones bound now: each value between its
  /// making and its last use gets a place in one arena. Values of bound outputs stay where they
  /// are.
  Status plan();

  /// Runs all nodes on what is bound. Shapes must fit the plan (kInternal otherwise).
  Status run();

  /// A value after run(): an output, until the next run.
  const ops::TensorView& view(graph::ValueId id) const { return views_[static_cast<size_t>(id)]; }

  uint64_t weight_bytes() const { return weight_bytes_; }
  uint64_t arena_bytes() const { return arena_.size() + scratch_.size(); }

 private:
  struct Step {
    std::unique_ptr<ops::PreparedOp> op;
    std::vector<graph::ValueId> inputs;
    std::vector<graph::ValueId> outputs;
    std::string label;
  };
  /// What plan() decided for a value.
  struct Place {
    uint64_t size = 0;    // at the largest shape
    uint64_t offset = 0;  // in the arena
    bool in_arena = false;
  };
  // Room for one step's operands.
  struct Operands {
    std::array<ops::TensorView, ops::kMaxInputs> in;
    std::array<ops::TensorView, ops::kMaxOutputs> out;
  };

  Executor(graph::Graph graph, ThreadPool& pool) : graph_(std::move(graph)), pool_(pool) {}

  Status prepare_steps(Isa isa);
  Status load_constants();
  Status infer_largest(std::vector<bool>& known, std::vector<uint64_t>& small);
  void place_values();
  void gather(const Step& step, Operands& operands) const;
  bool is_bound(graph::ValueId id) const { return bound_[static_cast<size_t>(id)]; }

  graph::Graph graph_;
  ThreadPool& pool_;
  std::vector<Step> steps_;
  std::vector<ops::TensorView> views_;
  std::vector<Place> places_;
  std::vector<bool> bound_;
  std::vector<Blob> constants_;
  uint64_t weight_bytes_ = 0;
  AlignedMemory arena_;
  AlignedMemory scratch_;
};

}  // namespace enm::runtime
