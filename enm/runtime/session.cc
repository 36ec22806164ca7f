#include "enm/runtime/session.h"

#include <algorithm>

#include "enm/ops/check.h"
#include "enm/runtime/arena_layout.h"

namespace enm::runtime {

using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

namespace {

constexpr uint64_t kAlign = 64;
uint64_t align(uint64_t size) { return std::max((size + kAlign - 1) / kAlign * kAlign, kAlign); }

bool is_small_integer(const TensorView& view) {
  return (view.dtype == graph::DType::kInt64 || view.dtype == graph::DType::kInt32) &&
         view.rank <= 1 && view.count() <= ops::kMaxRank;
}

size_t index(ValueId id) { return static_cast<size_t>(id); }

}  // namespace

struct Session::KnownValues {
  explicit KnownValues(size_t count) : is_known(count, false), numbers(count) {}
  std::vector<bool> is_known;
  std::vector<std::array<int64_t, ops::kMaxRank>> numbers;
};

Session::Session(std::shared_ptr<const Program> program, ThreadPool& pool, MemoryBudget& budget)
    : program_(std::move(program)), pool_(pool), budget_(budget) {
  const size_t count = program_->graph().value_count();
  for (size_t i = 0; i < count; ++i) {
    views_.push_back(program_->constant(static_cast<ValueId>(i)));
  }
  places_.resize(count);
  maker_.resize(count, -1);
  for (size_t s = 0; s < program_->steps().size(); ++s) {
    for (ValueId id : program_->steps()[s].outputs) {
      if (id != kNoValue) maker_[index(id)] = static_cast<int64_t>(s);
    }
  }
  changed_.resize(count, 0);
  settled_.resize(program_->steps().size(), false);
}

void Session::store(ValueId id, const TensorView& view) {
  TensorView& known = views_[index(id)];
  if (!known.same_dims(view) || known.dtype != view.dtype) changed_[index(id)] = run_;
  known = view;
}

void Session::bind(ValueId id, const TensorView& view, uint64_t room) {
  store(id, view);
  if (maker_[index(id)] >= 0) settled_[static_cast<size_t>(maker_[index(id)])] = false;
  places_[index(id)].is_bound = true;
  places_[index(id)].size = room;
}

void Session::gather(const Program::Step& step, Operands& operands) const {
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    operands.in[i] = step.inputs[i] == kNoValue ? TensorView() : views_[index(step.inputs[i])];
  }
  operands.inputs = ops::Inputs(operands.in.data(), step.inputs.size());
  operands.outputs = ops::Outputs(operands.out.data(), step.outputs.size());
}

// Shapes at the bound sizes, and with them the sizes of the outputs and the scratch memory.
Status Session::measure_step(const Program::Step& step, KnownValues& known, uint64_t& scratch) {
  Operands operands;
  gather(step, operands);
  bool all_known = true;
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const ValueId id = step.inputs[i];
    if (id == kNoValue || known.is_known[index(id)]) continue;
    operands.in[i].data = nullptr;
    all_known = false;
  }
  ENM_RETURN_IF_ERROR(ops::infer(step.attributes, operands.inputs, operands.outputs));
  const uint64_t wanted = step.op->scratch_bytes(operands.inputs, pool_.size());
  scratch = std::max(scratch, wanted);
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const ValueId id = step.outputs[i];
    if (id == kNoValue || places_[index(id)].is_bound) continue;
    places_[index(id)].size = std::max(places_[index(id)].size, operands.out[i].bytes());
    store(id, operands.out[i]);
  }
  const ops::Op& op = step.attributes.op();
  const ValueId id = step.outputs[0];
  const bool follows = (all_known || op.has(ops::kShapeOnly)) && !op.has(ops::kDataSized);
  if (!follows || step.outputs.size() != 1 || id == kNoValue || wanted > 0 ||
      !is_small_integer(operands.out[0])) {
    return {};
  }
  operands.out[0].data = known.numbers[index(id)].data();
  ENM_RETURN_IF_ERROR(step.op->run({&pool_, nullptr}, operands.inputs, operands.outputs));
  if (!places_[index(id)].is_bound) views_[index(id)].data = operands.out[0].data;
  known.is_known[index(id)] = !places_[index(id)].is_bound;
  return {};
}

// The step that reads a value last; one behind the last for the graph's outputs.
std::vector<size_t> Session::last_uses() const {
  const std::vector<Program::Step>& steps = program_->steps();
  std::vector<size_t> last_use(views_.size(), 0);
  for (size_t s = 0; s < steps.size(); ++s) {
    for (ValueId id : steps[s].inputs) {
      if (id != kNoValue) last_use[index(id)] = s;
    }
    for (ValueId id : steps[s].outputs) {
      if (id != kNoValue) last_use[index(id)] = s;
    }
  }
  for (ValueId id : program_->graph().outputs) last_use[index(id)] = steps.size();
  return last_use;
}

// An input that step `s` reads last and whose place its first output may have; kNoValue if none.
ValueId Session::reusable_input(size_t s, const std::vector<size_t>& last_use) const {
  const Program::Step& step = program_->steps()[s];
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const ValueId id = step.inputs[i];
    if ((step.attributes.op().alias >> i & 1) == 0 || id == kNoValue) continue;
    const Place& place = places_[index(id)];
    const bool once = std::count(step.inputs.begin(), step.inputs.end(), id) == 1;
    const bool fits = align(place.size) == align(places_[index(step.outputs[0])].size);
    if (place.in_arena && once && fits && last_use[index(id)] == s) return id;
  }
  return kNoValue;
}

// Whose outputs take the most room, for messages.
std::string_view Session::largest_step() const {
  uint64_t most = 0;
  std::string_view label;
  for (size_t i = 0; i < places_.size(); ++i) {
    if (maker_[i] < 0 || places_[i].is_bound || places_[i].size <= most) continue;
    most = places_[i].size;
    label = program_->steps()[static_cast<size_t>(maker_[i])].label;
  }
  return label;
}

Status Session::grow(AlignedMemory& memory, uint64_t size, std::string_view what) {
  if (size <= memory.size()) return {};
  memory = {};
  auto grown = AlignedMemory::allocate(size, budget_, what);
  if (!grown.ok()) return ResourceExhausted("[runtime] ", grown.status().message());
  memory = *std::move(grown);
  return {};
}

Status Session::place_values() {
  const std::vector<size_t> last_use = last_uses();
  const std::vector<Program::Step>& steps = program_->steps();
  ArenaLayout layout;
  std::vector<std::vector<ValueId>> ends(steps.size() + 1);  // values by their last use
  for (Place& place : places_) place.in_arena = false;
  for (size_t s = 0; s < steps.size() && layout.total() <= budget_.limit(); ++s) {
    for (ValueId id : steps[s].outputs) {
      if (id == kNoValue || places_[index(id)].is_bound) continue;
      Place& place = places_[index(id)];
      const ValueId reused = id == steps[s].outputs[0] ? reusable_input(s, last_use) : kNoValue;
      if (reused != kNoValue) {
        place.offset = places_[index(reused)].offset;
        places_[index(reused)].in_arena = false;  // the place is the output's from here on
      } else {
        place.offset = layout.take(align(place.size));
      }
      place.in_arena = true;
      ends[last_use[index(id)]].push_back(id);
    }
    for (ValueId id : ends[s]) {
      const Place& place = places_[index(id)];
      if (place.in_arena) layout.give(place.offset, align(place.size));
    }
  }
  return grow(arena_, layout.total(),
              cat("values between operators, the largest of ", largest_step()));
}

Status Session::plan() {
  planned_ = false;
  for (ValueId id : program_->graph().inputs) {
    if (places_[index(id)].is_bound) continue;
    return InvalidArgument("[runtime] input ", quoted(program_->graph().value(id).name),
                           " is not given");
  }
  KnownValues known(views_.size());
  for (size_t i = 0; i < views_.size(); ++i) {
    known.is_known[i] = program_->constant(static_cast<ValueId>(i)).data != nullptr;
  }
  uint64_t scratch = 0;
  std::string_view wants_most;
  for (const Program::Step& step : program_->steps()) {
    const uint64_t before = scratch;
    const Status status = measure_step(step, known, scratch);
    if (scratch > before) wants_most = step.label;
    if (!status.ok()) return status.in(cat("[runtime] planning: ", step.label));
  }
  std::fill(settled_.begin(), settled_.end(), false);
  ENM_RETURN_IF_ERROR(place_values());
  ENM_RETURN_IF_ERROR(grow(scratch_, scratch, cat("scratch of ", wants_most)));
  planned_ = true;
  return {};
}

bool Session::inputs_changed(const Program::Step& step) const {
  return std::any_of(step.inputs.begin(), step.inputs.end(),
                     [&](ValueId id) { return id != kNoValue && changed_[index(id)] == run_; });
}

// The outputs' types and dims, asked for again only where they may be others than in the last run;
// held against the memory that was planned for them.
Status Session::settle_shapes(size_t at, Operands& operands) {
  const Program::Step& step = program_->steps()[at];
  if (settled_[at] && !step.reads_values && !inputs_changed(step)) {
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      const ValueId id = step.outputs[i];
      operands.out[i] = id == kNoValue ? TensorView() : views_[index(id)];
    }
    return {};
  }
  ENM_RETURN_IF_ERROR(ops::infer(step.attributes, operands.inputs, operands.outputs));
  if (step.op->scratch_bytes(operands.inputs, pool_.size()) > scratch_.size()) {
    return ResourceExhausted("it wants more scratch memory than was planned");
  }
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    const ValueId id = step.outputs[i];
    TensorView& out = operands.out[i];
    if (id == kNoValue) {  // optional, and nobody asked
      out = {};
      continue;
    }
    const Place& place = places_[index(id)];
    out.cache_layer = place.is_bound ? views_[index(id)].cache_layer : ops::kNoCache;
    if (out.is_cache()) continue;
    if (out.bytes() > (place.is_bound ? place.size : align(place.size))) {
      return ResourceExhausted("output ", i, " is ", view_str(out), "; there is room for ",
                               place.size, " bytes");
    }
    out.data = place.is_bound ? views_[index(id)].data : arena_.data() + place.offset;
  }
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    if (step.outputs[i] != kNoValue) store(step.outputs[i], operands.out[i]);
  }
  settled_[at] = true;
  return {};
}

Status Session::run_step(size_t at, const ops::RunContext& context) {
  const Program::Step& step = program_->steps()[at];
  Operands operands;
  gather(step, operands);
  ENM_RETURN_IF_ERROR(settle_shapes(at, operands));
  ENM_RETURN_IF_ERROR(step.op->run(context, operands.inputs, operands.outputs));
  if (!step.attributes.op().has(ops::kDataSized)) return {};
  for (size_t i = 0; i < step.outputs.size(); ++i) {
    if (step.outputs[i] != kNoValue) store(step.outputs[i], operands.out[i]);
  }
  return {};
}

Status Session::run(const ops::KvRun* cache) {
  if (!planned_) return Internal("[runtime] no memory was planned");
  const ops::RunContext context{&pool_, scratch_.data(), cache};
  Status status;
  for (size_t at = 0; at < program_->steps().size() && status.ok(); ++at) {
    const Program::Step& step = program_->steps()[at];
    if (observer_ != nullptr) observer_->before(step);
    status = run_step(at, context);
    if (!status.ok()) status = status.in(cat("[runtime] ", step.label));
    if (observer_ != nullptr) observer_->after(step);
  }
  ++run_;
  // Steps behind a failure have not seen this run's dims.
  if (!status.ok()) std::fill(settled_.begin(), settled_.end(), false);
  return status;
}

}  // namespace enm::runtime
