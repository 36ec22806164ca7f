// An operator made ready to run on the CPU.
#pragma once

#include <memory>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"
#include "enm/ops/attributes.h"
#include "enm/ops/kv_cache.h"
#include "enm/ops/weights.h"

namespace enm::ops {

/// What an evaluation may use besides its operands.
struct RunContext {
  ThreadPool* pool = nullptr;
  uint8_t* scratch = nullptr;    // scratch_bytes(), 64-byte aligned
  const KvRun* cache = nullptr;  // where operands are layers of the key-value cache
};

/// Kernels bound, constant weights packed. Const and therefore shared between threads once made.
class PreparedOp {
 public:
  virtual ~PreparedOp() = default;

  /// Scratch memory that run() wants for operands of these shapes, for a pool of `threads`.
  virtual uint64_t scratch_bytes(Inputs inputs, int threads) const {
    (void)inputs, (void)threads;
    return 0;
  }

  /// Fills the outputs, whose dims the shape rule has set and whose memory holds as much; optional
  /// ones that are missing are not given. Allocates nothing. An operator whose row says kDataSized
  /// sets the dims of what it filled.
  virtual Status run(const RunContext& context, Inputs inputs, Outputs outputs) const = 0;

  /// True if the constant input `index` is held in packed form: its view then has no data.
  virtual bool packs(size_t index) const {
    (void)index;
    return false;
  }
};

/// What making an operator ready may look at.
struct PrepareContext {
  const graph::Graph& graph;
  const Attributes& attributes;
  Isa isa;
  ThreadPool& pool;
  Weights& weights;

  const graph::Node& node() const { return attributes.node(); }
  const graph::Tensor* constant(size_t input) const { return graph.constant(node().input(input)); }
};

/// A prepared operator as the base class's pointer inside a Result.
template <typename T, typename... Args>
Result<std::unique_ptr<PreparedOp>> make_prepared(Args&&... args) {
  return std::unique_ptr<PreparedOp>(std::make_unique<T>(std::forward<Args>(args)...));
}

/// Prepares a checked node. Failures name it.
Result<std::unique_ptr<PreparedOp>> prepare(const PrepareContext& context);

/// Runs one node on constants: constant folding, and the tests. Inputs in the node's order, absent
/// ones with dtype kUndefined.
Result<std::vector<graph::Tensor>> evaluate(const graph::Graph& graph, const graph::Node& node,
                                            std::span<const graph::Tensor> inputs);

}  // namespace enm::ops
