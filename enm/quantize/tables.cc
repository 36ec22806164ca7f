#include "enm/quantize/tables.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace enm::quantize {

using graph::DType;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

namespace {

// True if `node` picks whole rows of its first input.
bool picks_rows(const Graph& graph, const Node& node) {
  if (node.is("Gather")) return node.int_or("axis", 0) == 0;
  if (!node.is("Slice") || node.input(4) != graph::kNoValue) return false;
  const Tensor* axes = graph.constant(node.input(3));
  if (axes == nullptr || axes->dtype != DType::kInt64 || axes->element_count() != 1) return false;
  const auto bytes = axes->data.load();
  int64_t axis = -1;
  if (bytes.ok()) std::memcpy(&axis, bytes->data(), sizeof axis);
  return axis == 0;
}

}  // namespace

float row_scale(const float* row, int64_t columns, int most) {
  float largest = 0;
  for (int64_t i = 0; i < columns; ++i) largest = std::max(largest, std::fabs(row[i]));
  return largest / static_cast<float>(most);
}

int8_t quantize_value(float value, float scale) {
  return scale > 0 ? static_cast<int8_t>(std::nearbyint(value / scale)) : int8_t{0};
}

bool add_int8_table(Graph& graph, std::span<const Node> old_nodes, const Node& node) {
  if (!picks_rows(graph, node)) return false;
  const auto table = RowSource::find(graph, old_nodes, node.inputs[0]);
  if (!table) return false;
  const std::string name = graph.value(node.inputs[0]).name;
  const int64_t columns = table->columns();
  const ValueId quants =
      graph.add_constant(graph.unique_name(name + ".rows"),
                         {DType::kInt8,
                          {table->rows(), columns},
                          by_rows(*table, columns, [=](const float* row, uint8_t* out) {
                            const float scale = row_scale(row, columns, 127);
                            for (int64_t i = 0; i < columns; ++i) {
                              out[i] = static_cast<uint8_t>(quantize_value(row[i], scale));
                            }
                          })});
  const ValueId scales = graph.add_constant(
      graph.unique_name(name + ".row_scales"),
      {DType::kFloat32, {table->rows(), 1}, by_rows(*table, 4, [=](const float* row, uint8_t* out) {
         const float scale = row_scale(row, columns, 127);
         std::memcpy(out, &scale, sizeof scale);
       })});
  const auto pick = [&](const char* suffix, ValueId data, DType dtype) {
    const ValueId out = graph.add_value(graph.unique_name(node.name + suffix), {dtype, {}});
    Node copy = node;
    copy.name += suffix;
    copy.inputs[0] = data;
    copy.outputs = {out};
    graph.nodes.push_back(std::move(copy));
    return out;
  };
  const ValueId rows = pick("/rows", quants, DType::kInt8);
  const ValueId row_scales = pick("/scales", scales, DType::kFloat32);
  const ValueId cast =
      graph.add_value(graph.unique_name(node.name + "/Cast"), {DType::kFloat32, {}});
  graph.nodes.push_back({"Cast", "", node.name + "/Cast", {rows}, {cast}, {{"to", int64_t{1}}}});
  graph.nodes.push_back({"Mul", "", node.name + "/Mul", {cast, row_scales}, node.outputs, {}});
  return true;
}

}  // namespace enm::quantize
