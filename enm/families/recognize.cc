#include "enm/families/recognize.h"

#include <algorithm>

namespace enm::families {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::ModelDescription;
using graph::Node;
using graph::ValueId;

bool contains(const std::vector<ValueId>& ids, ValueId id) {
  return id != kNoValue && std::find(ids.begin(), ids.end(), id) != ids.end();
}

std::string input_named(const Graph& graph, std::string_view name) {
  return contains(graph.inputs, graph.find_value(name)) ? std::string(name) : std::string();
}

bool has_output(const Graph& graph, std::string_view name) {
  return contains(graph.outputs, graph.find_value(name));
}

int64_t known_dim(const Graph& graph, std::string_view name, size_t axis) {
  const auto& shape = graph.value(graph.find_value(name)).type.shape;
  const bool known = shape && axis < shape->size() && (*shape)[axis].is_known();
  return known ? (*shape)[axis].value() : 0;
}

std::string module_of(const Node& node) {
  const size_t slash = node.name.rfind('/');
  return slash == std::string::npos ? node.name : node.name.substr(0, slash);
}

bool is_weight_product(const Graph& graph, const Node& node) {
  const bool product = node.is("MatMul") || node.is("MatMulNBits", graph::kMicrosoft);
  return product && graph.constant(node.input(1)) != nullptr;
}

// The product that makes the logits, behind a bias, a scale, a cap or a cast.
std::string head_of(const Graph& graph, std::string_view output) {
  ValueId value = graph.find_value(output);
  for (auto node = graph.nodes.rbegin(); node != graph.nodes.rend(); ++node) {
    if (node->output(0) != value || node->inputs.empty()) continue;
    if (node->is("MatMul") || node->is("MatMulNBits", graph::kMicrosoft)) return node->name;
    const bool passes_on = node->is("Add") || node->is("Mul") || node->is("Div") ||
                           node->is("Tanh") || node->is("Cast");
    if (!passes_on) return "";
    const bool first_is_constant = graph.constant(node->inputs[0]) != nullptr;
    value = node->input(first_is_constant ? 1 : 0);
  }
  return "";
}

void find_layers(const Graph& graph, ModelDescription& out) {
  for (size_t i = 0;; ++i) {
    const std::string past = cat("past_key_values.", i, ".");
    const std::string present = cat("present.", i, ".");
    ModelDescription::Layer layer{past + "key", past + "value", present + "key", present + "value"};
    if (input_named(graph, layer.past_key).empty() ||
        input_named(graph, layer.past_value).empty() || !has_output(graph, layer.present_key) ||
        !has_output(graph, layer.present_value)) {
      return;
    }
    layer.kv_heads = known_dim(graph, layer.past_key, 1);
    layer.head_dim = known_dim(graph, layer.past_key, 3);
    out.layers.push_back(std::move(layer));
  }
}

// Lengths and windows that operators' tables and attributes tell.
void look_at_nodes(const Graph& graph, ModelDescription& out) {
  size_t layer = 0;
  for (const Node& node : graph.nodes) {
    if (is_weight_product(graph, node) && node.name != out.head && !node.name.empty()) {
      out.modules.push_back({module_of(node), node.name});
    }
    if (!node.is("GroupQueryAttention", graph::kMicrosoft)) continue;
    const graph::Tensor* cos = graph.constant(node.input(7));
    if (cos != nullptr && !cos->dims.empty()) {
      const int64_t rows = cos->dims[0];
      out.context_length = out.context_length == 0 ? rows : std::min(out.context_length, rows);
    }
    const int64_t window = node.int_or("local_window_size", -1);
    if (layer < out.layers.size() && window > 0) out.layers[layer].window = window;
    ++layer;
  }
}

int64_t position_rows(const Graph& graph) {
  for (const char* suffix : {"", ".stored", ".rows"}) {
    const std::string name = cat("embeddings.position_embeddings.weight", suffix);
    const graph::Tensor* table = graph.constant(graph.find_value(name));
    if (table != nullptr && table->dims.size() == 2) return table->dims[0];
  }
  return 0;
}

}  // namespace

Result<ModelDescription> describe(const Graph& graph) {
  if (graph::has_description(graph)) return graph::read_description(graph);
  ModelDescription out;
  out.input_ids = input_named(graph, "input_ids");
  out.attention_mask = input_named(graph, "attention_mask");
  out.position_ids = input_named(graph, "position_ids");
  out.token_type_ids = input_named(graph, "token_type_ids");
  if (out.input_ids.empty()) return out;
  find_layers(graph, out);
  if (has_output(graph, "logits")) {
    // Without a cache it is a language model all the same, but none that we can run.
    if (!out.layers.empty()) out.task = ModelDescription::Task::kTextGeneration;
    out.output = "logits";
    out.vocabulary = known_dim(graph, "logits", 2);
    out.head = head_of(graph, "logits");
  } else if (has_output(graph, "sentence_embedding")) {
    out.task = ModelDescription::Task::kEmbedding;
    out.output = "sentence_embedding";
    out.dimensions = known_dim(graph, "sentence_embedding", 1);
    out.context_length = position_rows(graph);
  }
  look_at_nodes(graph, out);
  if (out.task != ModelDescription::Task::kUnknown) {
    ENM_RETURN_IF_ERROR(graph::check_description(out, graph).in("[families]"));
  }
  return out;
}

}  // namespace enm::families
