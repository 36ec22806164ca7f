#include "enm/quantize/stages.h"

#include <algorithm>
#include <map>
#include <set>

namespace enm::quantize {

using graph::Graph;
using graph::kNoValue;
using graph::ModelDescription;
using graph::Node;
using graph::ValueId;

namespace {

size_t index(ValueId id) { return static_cast<size_t>(id); }

class Cutter {
 public:
  Cutter(const Graph& graph, const ModelDescription& description)
      : graph_(graph), description_(description), maker_(graph.value_count(), -1) {
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (ValueId id : graph.nodes[n].outputs) {
        if (id != kNoValue) maker_[index(id)] = static_cast<int64_t>(n);
      }
    }
    find_text();
  }

  Result<std::vector<Stage>> run() {
    std::vector<size_t> starts = {0};
    for (size_t layer = 0; layer < description_.layers.size(); ++layer) {
      ENM_ASSIGN_OR_RETURN(const size_t start, start_of(description_.layers[layer]));
      if (layer > 0) starts.push_back(start);
    }
    size_t head = graph_.nodes.size();
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!description_.head.empty() && graph_.nodes[n].name == description_.head) head = n;
    }
    starts.push_back(head);
    starts.push_back(graph_.nodes.size());
    if (!std::is_sorted(starts.begin(), starts.end())) {
      return Unsupported("[quantize] the layers do not follow each other");
    }
    std::vector<Stage> stages;
    for (size_t i = 0; i + 1 < starts.size(); ++i) {
      const bool is_head = i + 2 == starts.size();
      stages.push_back({is_head ? std::string("head") : cat("layer ", i), carried(starts[i]),
                        carried(starts[i + 1]), starts[i], starts[i + 1]});
    }
    return stages;
  }

 private:
  // Marks what depends on the text, and not on its length alone.
  void find_text() {
    is_text_.resize(graph_.value_count(), false);
    for (ValueId id : graph_.inputs) {
      const std::string& name = graph_.value(id).name;
      is_text_[index(id)] = name == description_.input_ids || name == description_.token_type_ids;
    }
    for (const Node& node : graph_.nodes) {
      const bool text = std::any_of(node.inputs.begin(), node.inputs.end(), [&](ValueId id) {
        return id != kNoValue && is_text_[index(id)];
      });
      for (ValueId id : node.outputs) {
        if (text && id != kNoValue) is_text_[index(id)] = true;
      }
    }
  }

  // The first node of a layer: the norm before the product that makes its queries, or that product.
  Result<size_t> start_of(const ModelDescription::Layer& layer) const {
    const ValueId past = graph_.find_value(layer.past_key);
    const auto attention =
        std::find_if(graph_.nodes.begin(), graph_.nodes.end(), [&](const Node& node) {
          return node.is("GroupQueryAttention", graph::kMicrosoft) && node.input(3) == past;
        });
    if (past == kNoValue || attention == graph_.nodes.end()) {
      return Unsupported("[quantize] calibration wants layers whose cache one GroupQueryAttention ",
                         "reads; nothing reads ", quoted(layer.past_key), " so");
    }
    ValueId value = attention->inputs[0];
    for (int64_t n = maker_[index(value)]; n >= 0; n = maker_[index(value)]) {
      const Node& node = graph_.nodes[static_cast<size_t>(n)];
      value = node.inputs[0];
      if (!is_product(node)) continue;
      const int64_t norm = value == kNoValue ? -1 : maker_[index(value)];
      const bool is_norm = norm >= 0 && graph_.nodes[static_cast<size_t>(norm)].op_type.ends_with(
                                            "LayerNormalization");
      return static_cast<size_t>(is_norm ? norm : n);
    }
    return Unsupported("[quantize] no product makes the queries of ", attention->label());
  }

  static bool is_product(const Node& node) {
    return node.is("MatMul") || node.is("MatMulNBits", graph::kMicrosoft);
  }

  // What nodes from `start` on read of the text that nodes before it have made.
  std::vector<ValueId> carried(size_t start) const {
    std::set<ValueId> out;
    for (size_t n = start; n < graph_.nodes.size(); ++n) {
      for (ValueId id : graph_.nodes[n].inputs) {
        if (id == kNoValue || !is_text_[index(id)]) continue;
        if (maker_[index(id)] < static_cast<int64_t>(start)) out.insert(id);
      }
    }
    return {out.begin(), out.end()};
  }

  const Graph& graph_;
  const ModelDescription& description_;
  std::vector<int64_t> maker_;  // a value's node, or -1
  std::vector<bool> is_text_;
};

}  // namespace

Result<std::vector<Stage>> cut_into_stages(const Graph& graph,
                                           const ModelDescription& description) {
  if (description.task != ModelDescription::Task::kTextGeneration || description.layers.empty()) {
    return Unsupported("[quantize] calibration is for decoders");
  }
  return Cutter(graph, description).run();
}

Graph extract(const Graph& graph, const ModelDescription& description,
              const std::vector<ValueId>& inputs, const std::vector<ValueId>& outputs) {
  std::vector<bool> wanted(graph.value_count(), false);
  std::vector<bool> given(graph.value_count(), false);
  std::vector<bool> is_cache(graph.value_count(), false);
  for (const ModelDescription::Layer& layer : description.layers) {
    for (const std::string* name : {&layer.past_key, &layer.past_value}) {
      const ValueId id = graph.find_value(*name);
      if (id != kNoValue) is_cache[index(id)] = true;
    }
  }
  for (ValueId id : inputs) given[index(id)] = true;
  for (ValueId id : outputs) wanted[index(id)] = true;
  std::vector<const Node*> kept;
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    const bool needed = std::any_of(node->outputs.begin(), node->outputs.end(), [&](ValueId id) {
      return id != kNoValue && wanted[index(id)] && !given[index(id)];
    });
    if (!needed) continue;
    kept.push_back(&*node);
    for (ValueId id : node->inputs) {
      if (id != kNoValue && !is_cache[index(id)]) wanted[index(id)] = true;
    }
  }
  Graph out;
  out.opsets = graph.opsets;
  std::vector<ValueId> copies(graph.value_count(), kNoValue);
  for (size_t i = 0; i < copies.size(); ++i) {
    const graph::Value& value = graph.value(static_cast<ValueId>(i));
    if (!wanted[i]) continue;
    const bool is_input = given[i] || std::find(graph.inputs.begin(), graph.inputs.end(),
                                                static_cast<ValueId>(i)) != graph.inputs.end();
    if (value.initializer) {
      copies[i] = out.add_constant(value.name, *value.initializer);
    } else {
      copies[i] =
          is_input ? out.add_input(value.name, value.type) : out.add_value(value.name, value.type);
    }
  }
  for (auto node = kept.rbegin(); node != kept.rend(); ++node) {
    Node copy = **node;
    const auto move = [&](ValueId& id) { id = id == kNoValue ? kNoValue : copies[index(id)]; };
    std::for_each(copy.inputs.begin(), copy.inputs.end(), move);
    std::for_each(copy.outputs.begin(), copy.outputs.end(), move);
    out.nodes.push_back(std::move(copy));
  }
  for (ValueId id : outputs) out.outputs.push_back(copies[index(id)]);
  return out;
}

}  // namespace enm::quantize
