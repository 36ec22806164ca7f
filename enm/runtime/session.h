// Runs a program: what is bound, and memory planned once. Cheap; many may run one program, each on
// a thread of its own with a pool of its own.
#pragma once

#include <memory>
#include <vector>

#include "enm/runtime/program.h"

namespace enm::runtime {

/// Told of every step of a run: for profiles.
class StepObserver {
 public:
  virtual ~StepObserver() = default;
  virtual void before(const Program::Step& step) = 0;
  virtual void after(const Program::Step& step) = 0;
};

class Session {
 public:
  /// `pool` and `budget` outlive the session.
  Session(std::shared_ptr<const Program> program, ThreadPool& pool, MemoryBudget& budget);

  const Program& program() const { return *program_; }

  /// Says where a graph input's data lies, or where an output's is to be written, from now on:
  /// `room` bytes. The view's dims are those of the next run; plan() and run() read them. An output
  /// may be bound to the memory of an input where its operator allows it.
  void bind(graph::ValueId id, const ops::TensorView& view, uint64_t room);
  void bind(graph::ValueId id, const ops::TensorView& view) { bind(id, view, view.bytes()); }

  /// Makes room for runs with shapes up to the ones bound now, beside those of earlier calls: each
  /// value between its making and its last use gets a place in one arena. Values of bound outputs
  /// stay where they are. kResourceExhausted if the budget has not as much.
  Status plan();

  /// Runs all steps on what is bound; allocates nothing. `cache` where operands are bound to layers
  /// of the key-value cache. kResourceExhausted if a value outgrows its place.
  Status run(const ops::KvRun* cache = nullptr);

  /// A value after run(): an output, until the next run.
  const ops::TensorView& view(graph::ValueId id) const { return views_[static_cast<size_t>(id)]; }

  uint64_t arena_bytes() const { return arena_.size() + scratch_.size(); }
  void observe(StepObserver* observer) { observer_ = observer; }

 private:
  /// What plan() decided for a value.
  struct Place {
    uint64_t size = 0;      // at the largest shape so far
    uint64_t offset = 0;    // in the arena
    bool in_arena = false;  // and nobody else's, while places are planned
    bool is_bound = false;  // then `size` is the memory's
  };
  /// Room for one step's operands.
  struct Operands {
    std::array<ops::TensorView, ops::kMaxInputs> in;
    std::array<ops::TensorView, ops::kMaxOutputs> out;
    ops::Inputs inputs;
    ops::Outputs outputs;
  };
  /// Integers that follow from shapes alone, worked out while planning, for the operators whose
  /// shape they decide.
  struct KnownValues;

  void gather(const Program::Step& step, Operands& operands) const;
  Status measure_step(const Program::Step& step, KnownValues& known, uint64_t& scratch);
  std::vector<size_t> last_uses() const;
  graph::ValueId reusable_input(size_t step, const std::vector<size_t>& last_use) const;
  std::string_view largest_step() const;
  Status place_values();
  Status grow(AlignedMemory& memory, uint64_t size, std::string_view what);
  Status settle_shapes(size_t at, Operands& operands);
  Status run_step(size_t at, const ops::RunContext& context);
  bool inputs_changed(const Program::Step& step) const;
  void store(graph::ValueId id, const ops::TensorView& view);

  const std::shared_ptr<const Program> program_;
  ThreadPool& pool_;
  MemoryBudget& budget_;
  StepObserver* observer_ = nullptr;
  std::vector<ops::TensorView> views_;
  std::vector<Place> places_;
  std::vector<uint64_t> changed_;  // the run in which a value's dims were last new
  std::vector<int64_t> maker_;     // the step that makes a value, or -1
  bool planned_ = false;
  std::vector<bool> settled_;  // steps whose outputs' dims are those of their inputs' in views_
  uint64_t run_ = 1;
  AlignedMemory arena_;
  AlignedMemory scratch_;
};

}  // namespace enm::runtime
