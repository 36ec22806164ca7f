#include "enm/runtime/executor.h"

#include <algorithm>
#include <cstring>

#include "enm/passes/pass.h"

namespace enm::runtime {

using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

namespace {

constexpr uint64_t kAlign = 64;
uint64_t align(uint64_t size) { return (size + kAlign - 1) / kAlign * kAlign; }

// Integers of a shape computation: their values are worked out while planning.
bool is_small_integer(const TensorView& view) {
  return (view.dtype == graph::DType::kInt64 || view.dtype == graph::DType::kInt32) &&
         view.rank <= 1 && view.count() <= ops::kMaxRank;
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::open(graph::Graph graph, Isa isa, ThreadPool& pool) {
  ENM_RETURN_IF_ERROR(passes::run_passes(graph, passes::standard_passes()).status());
  ENM_RETURN_IF_ERROR(passes::run_passes(graph, passes::runtime_passes()).status());
  std::unique_ptr<Executor> executor(new Executor(std::move(graph), pool));
  const size_t count = executor->graph_.value_count();
  executor->views_.resize(count);
  executor->places_.resize(count);
  executor->bound_.resize(count, false);
  ENM_RETURN_IF_ERROR(executor->prepare_steps(isa));
  ENM_RETURN_IF_ERROR(executor->load_constants());
  return executor;
}

Status Executor::prepare_steps(Isa isa) {
  for (const graph::Node& node : graph_.nodes) {
    const auto opset = graph_.opsets.find(node.domain);
    const int64_t version = opset == graph_.opsets.end() ? 1 : opset->second;
    if (node.inputs.size() > ops::kMaxInputs || node.outputs.size() > ops::kMaxOutputs) {
      return Unsupported("[runtime] ", node.label(), " has too many operands");
    }
    ENM_ASSIGN_OR_RETURN(auto op, ops::prepare({graph_, node, version, isa, &pool_}));
    weight_bytes_ += op->weight_bytes();
    steps_.push_back({std::move(op), node.inputs, node.outputs, node.label()});
  }
  return {};
}

// Constants that only packed operators read keep their shape and lose their bytes.
Status Executor::load_constants() {
  std::vector<bool> read_plain(graph_.value_count(), false);
  const auto mark = [&](ValueId id) {
    if (id != kNoValue) read_plain[static_cast<size_t>(id)] = true;
  };
  for (const Step& step : steps_) {
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (!step.op->owns_input(i)) mark(step.inputs[i]);
    }
  }
  std::for_each(graph_.outputs.begin(), graph_.outputs.end(), mark);
  for (size_t i = 0; i < graph_.value_count(); ++i) {
    graph::Value& value = graph_.value(static_cast<ValueId>(i));
    if (!value.initializer) continue;
    const graph::Tensor& tensor = *value.initializer;
    if (tensor.dims.size() > ops::kMaxRank) {
      return Unsupported("[runtime] constant ", quoted(value.name), " has ", tensor.dims.size(),
                         " dimensions; at most ", ops::kMaxRank);
    }
    views_[i].dtype = tensor.dtype;
    views_[i].set_dims(tensor.dims);
    if (!read_plain[i]) {
      value.initializer->data = {};
      continue;
    }
    ENM_ASSIGN_OR_RETURN(Blob loaded, tensor.data.load());
    Blob bytes = ops::aligned_elements(std::move(loaded), tensor.dtype);
    views_[i].data = const_cast<uint8_t*>(bytes.data());
    weight_bytes_ += bytes.size();
    constants_.push_back(std::move(bytes));
  }
  return {};
}

void Executor::bind(ValueId id, const TensorView& view) {
  views_[static_cast<size_t>(id)] = view;
  bound_[static_cast<size_t>(id)] = true;
}

void Executor::gather(const Step& step, Operands& operands) const {
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    const ValueId id = step.inputs[i];
    operands.in[i] = id == kNoValue ? TensorView() : views_[static_cast<size_t>(id)];
  }
  for (size_t i = 0; i < step.outputs.size(); ++i) operands.out[i] = TensorView();
}

// Shapes at the bound sizes, and with them every value's size and the scratch memory. Integers that
// follow from shapes alone are computed (into `small`), for the operators whose shape they decide.
Status Executor::infer_largest(std::vector<bool>& known, std::vector<uint64_t>& small) {
  small.assign(graph_.value_count() * ops::kMaxRank, 0);
  uint64_t scratch = 0;
  Operands operands;
  for (const Step& step : steps_) {
    gather(step, operands);
    bool all_known = true;
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      const ValueId id = step.inputs[i];
      if (id == kNoValue || known[static_cast<size_t>(id)]) continue;
      operands.in[i].data = nullptr;
      all_known = false;
    }
    const ops::Inputs in(operands.in.data(), step.inputs.size());
    const ops::Outputs out(operands.out.data(), step.outputs.size());
    if (const Status status = step.op->infer(in, out); !status.ok()) return status.in(step.label);
    scratch = std::max<uint64_t>(scratch, step.op->scratch_bytes(in, pool_));
    const bool is_shape = step.label.starts_with("Shape ");
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoValue) continue;
      const auto id = static_cast<size_t>(step.outputs[i]);
      places_[id].size = out[i].bytes();
      if (!is_bound(step.outputs[i])) views_[id] = out[i];
      if ((all_known || is_shape) && step.outputs.size() == 1 && is_small_integer(out[i])) {
        views_[id].data = out[i].data = &small[id * ops::kMaxRank];
        known[id] = true;
        ENM_RETURN_IF_ERROR(step.op->run({&pool_, nullptr}, in, out));
      }
    }
  }
  if (scratch > scratch_.size()) scratch_ = AlignedMemory(scratch);
  return scratch_.size() < scratch ? ResourceExhausted("no memory for ", scratch, " bytes")
                                   : Status();
}

// First fit in the order of making: each value takes the lowest gap between the values that live at
// the same time. Models are chains, so this comes within a few per cent of the best.
void Executor::place_values() {
  std::vector<size_t> last_use(graph_.value_count(), 0);
  for (size_t s = 0; s < steps_.size(); ++s) {
    for (ValueId id : steps_[s].inputs) {
      if (id != kNoValue) last_use[static_cast<size_t>(id)] = s;
    }
  }
  for (ValueId id : graph_.outputs) last_use[static_cast<size_t>(id)] = steps_.size();

  struct Live {
    uint64_t begin, end;
    size_t last_use;
  };
  std::vector<Live> live;  // by begin
  uint64_t total = 0;
  for (size_t s = 0; s < steps_.size(); ++s) {
    std::erase_if(live, [&](const Live& other) { return other.last_use < s; });
    for (ValueId output : steps_[s].outputs) {
      if (output == kNoValue || is_bound(output)) continue;
      const auto id = static_cast<size_t>(output);
      const uint64_t size = std::max<uint64_t>(align(places_[id].size), kAlign);
      uint64_t begin = 0;
      auto before = live.begin();
      while (before != live.end() && before->begin < begin + size) {
        begin = std::max(begin, before->end);
        ++before;
      }
      live.insert(before, {begin, begin + size, std::max(last_use[id], s)});
      places_[id].offset = begin;
      places_[id].in_arena = true;
      total = std::max(total, begin + size);
    }
  }
  if (total > arena_.size()) arena_ = AlignedMemory(total);
}

Status Executor::plan() {
  std::vector<bool> known(graph_.value_count(), false);
  for (size_t i = 0; i < known.size(); ++i) {
    known[i] = graph_.value(static_cast<ValueId>(i)).initializer && views_[i].data != nullptr;
  }
  std::vector<uint64_t> small;
  ENM_RETURN_IF_ERROR(infer_largest(known, small).in("[runtime] planning"));
  place_values();
  if (arena_.data() == nullptr && !steps_.empty()) {
    return ResourceExhausted("[runtime] no memory for the arena");
  }
  return {};
}

Status Executor::run() {
  Operands operands;
  for (const Step& step : steps_) {
    gather(step, operands);
    const ops::Inputs in(operands.in.data(), step.inputs.size());
    const ops::Outputs out(operands.out.data(), step.outputs.size());
    if (const Status status = step.op->infer(in, out); !status.ok()) return status.in(step.label);
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoValue) continue;
      const auto id = static_cast<size_t>(step.outputs[i]);
      if (places_[id].in_arena) {
        if (out[i].bytes() > std::max<uint64_t>(places_[id].size, kAlign)) {
          return Internal("[runtime] ", step.label, " outgrew its plan");
        }
        out[i].data = arena_.data() + places_[id].offset;
      } else {
        out[i].data = views_[id].data;
        out[i].capacity = views_[id].capacity;
      }
      views_[id] = out[i];
    }
    if (const Status status = step.op->run({&pool_, scratch_.data()}, in, out); !status.ok()) {
      return status.in(step.label);
    }
  }
  return {};
}

}  // namespace enm::runtime
