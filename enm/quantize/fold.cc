#include "enm/quantize/fold.h"

#include <algorithm>
#include <array>

#include "enm/passes/pass.h"
#include "enm/quantize/row_source.h"
#include "enm/quantize/stages.h"

namespace enm::quantize {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::ValueId;

namespace {

class Finder {
 public:
  explicit Finder(const Graph& graph) : graph_(graph), readers_(graph.value_count()) {
    maker_.resize(graph.value_count(), -1);
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (ValueId id : graph.nodes[n].outputs) {
        if (id != kNoValue) maker_[static_cast<size_t>(id)] = static_cast<int64_t>(n);
      }
      for (ValueId id : graph.nodes[n].inputs) {
        if (id != kNoValue) readers_[static_cast<size_t>(id)].push_back(n);
      }
    }
    for (ValueId id : graph.outputs)
      readers_[static_cast<size_t>(id)].push_back(graph.nodes.size());
  }

  std::optional<FoldPlace> find(ValueId input, const std::vector<size_t>& products) const {
    if (readers_[static_cast<size_t>(input)] != products) return std::nullopt;
    FoldPlace out{input, products};
    const int64_t maker = maker_[static_cast<size_t>(input)];
    if (maker < 0) return std::nullopt;
    const Node& node = graph_.nodes[static_cast<size_t>(maker)];
    if (node.op_type.ends_with("LayerNormalization")) {
      out.maker = static_cast<size_t>(maker);
      out.is_norm = true;
      return node.output(0) == input ? std::optional(out) : std::nullopt;
    }
    if (node.is("GroupQueryAttention", graph::kMicrosoft)) {
      const bool alike = node.int_or("num_heads", 0) == node.int_or("kv_num_heads", -1);
      return alike && find_product(node.input(2), out) ? std::optional(out) : std::nullopt;
    }
    if (!node.is("Mul")) return std::nullopt;
    for (ValueId factor : node.inputs) {
      if (find_product(factor, out)) return out;
    }
    return std::nullopt;
  }

 private:
  // `value` is a product by a constant weight, perhaps with a bias, and read once.
  bool find_product(ValueId value, FoldPlace& out) const {
    for (int depth = 0; depth < 2; ++depth) {
      if (value == kNoValue || readers_[static_cast<size_t>(value)].size() != 1) return false;
      const int64_t maker = maker_[static_cast<size_t>(value)];
      if (maker < 0) return false;
      const Node& node = graph_.nodes[static_cast<size_t>(maker)];
      if (node.is("MatMul")) {
        out.maker = static_cast<size_t>(maker);
        return RowSource::find(graph_, graph_.nodes, node.inputs[1]).has_value();
      }
      if (!node.is("Add") || depth > 0) return false;
      out.bias = maker;
      value = maker_[static_cast<size_t>(node.inputs[0])] >= 0 ? node.inputs[0] : node.inputs[1];
    }
    return false;
  }

  const Graph& graph_;
  std::vector<int64_t> maker_;
  std::vector<std::vector<size_t>> readers_;  // nodes; behind the last for the graph's outputs
};

// The floats of a value that follows from constants.
Result<std::vector<float>> floats_of(const Graph& graph, ValueId value, size_t count) {
  Graph part = extract(graph, {}, {}, {value});
  const ValueId copy = part.outputs[0];
  // Folding leaves outputs as they are: another node's is one.
  part.outputs = {part.add_value(part.unique_name("output"))};
  part.nodes.push_back({"Identity", "", "output", {copy}, part.outputs, {}});
  ENM_RETURN_IF_ERROR(passes::run_passes(part, std::array{&passes::kConstantFolding}).status());
  const graph::Tensor* tensor = part.constant(copy);
  if (tensor == nullptr || tensor->dtype != DType::kFloat32 ||
      tensor->element_count() != static_cast<int64_t>(count)) {
    return Unsupported("[quantize] ", quoted(graph.value(value).name), " is no vector of ", count,
                       " floats");
  }
  std::vector<float> out(count);
  ENM_RETURN_IF_ERROR(
      tensor->data.load_into({reinterpret_cast<uint8_t*>(out.data()), count * sizeof(float)}));
  return out;
}

Status divide_vector(Graph& graph, Node& node, size_t input, const std::vector<float>& scales) {
  if (node.input(input) == kNoValue) return {};
  ENM_ASSIGN_OR_RETURN(auto values, floats_of(graph, node.inputs[input], scales.size()));
  for (size_t i = 0; i < values.size(); ++i) values[i] /= scales[i];
  const std::string name = graph.value(node.inputs[input]).name + ".scaled";
  node.inputs[input] = graph.add_constant(
      graph.unique_name(name),
      graph::make_tensor(DType::kFloat32, {static_cast<int64_t>(values.size())}, values));
  return {};
}

// The second factor of a MatMul with its rows (inputs) or its columns (outputs) times `scales`.
Status scale_weight(Graph& graph, Node& node, const std::vector<float>& scales, bool by_input) {
  const auto found = RowSource::find(graph, graph.nodes, node.inputs[1]);
  if (!found) return Internal("[quantize] no constant weight: ", node.label());
  const RowSource rows = found->transposed();  // an output a row
  const int64_t n = rows.rows();
  const int64_t k = rows.columns();
  auto producer = [rows, scales, by_input, n, k](MutableBytes out) -> Status {
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, rows.open());
    auto* to = reinterpret_cast<float*>(out.data());
    std::vector<float> row(static_cast<size_t>(k));
    for (int64_t r = 0; r < n; ++r) {
      reader.read(r, row.data());
      for (int64_t c = 0; c < k; ++c) {
        to[c * n + r] = row[static_cast<size_t>(c)] * scales[static_cast<size_t>(by_input ? c : r)];
      }
    }
    reader.done_with(n);
    return {};
  };
  node.inputs[1] =
      graph.add_constant(graph.unique_name(found->name() + ".scaled"),
                         {DType::kFloat32,
                          {k, n},
                          graph::TensorData::produced(static_cast<uint64_t>(n * k) * sizeof(float),
                                                      std::move(producer))});
  return {};
}

}  // namespace

std::optional<FoldPlace> find_fold(const Graph& graph, ValueId input,
                                   const std::vector<size_t>& products) {
  return Finder(graph).find(input, products);
}

Status apply_fold(Graph& graph, const FoldPlace& place, const std::vector<float>& scales) {
  for (size_t n : place.products) {
    ENM_RETURN_IF_ERROR(scale_weight(graph, graph.nodes[n], scales, true));
  }
  Node& maker = graph.nodes[place.maker];
  if (place.is_norm) {
    const size_t weight = maker.op_type.starts_with("Skip") ? 2 : 1;
    ENM_RETURN_IF_ERROR(divide_vector(graph, maker, weight, scales));
    const bool has_bias = maker.op_type.find("Simplified") == std::string::npos;
    return has_bias ? divide_vector(graph, maker, weight + 1, scales) : Status();
  }
  std::vector<float> inverse = scales;
  for (float& scale : inverse) scale = 1 / scale;
  ENM_RETURN_IF_ERROR(scale_weight(graph, maker, inverse, false));
  if (place.bias < 0) return {};
  Node& add = graph.nodes[static_cast<size_t>(place.bias)];
  return divide_vector(graph, add, add.inputs[0] == maker.outputs[0] ? 1 : 0, scales);
}

}  // namespace enm::quantize
