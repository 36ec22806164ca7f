#include <map>

#include "enm/quantize/quantize.h"
#include "enm/quantize/row_source.h"
#include "enm/quantize/tables.h"

#include <cstring>

namespace enm::quantize {
namespace {

using graph::DType;
using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::TensorData;
using graph::ValueId;

// W as int8 [K, N], from a source whose rows are its columns.
TensorData int8_columns(const RowSource& columns, int most) {
  const int64_t n = columns.rows();
  const int64_t k = columns.columns();
  return TensorData::produced(
      static_cast<uint64_t>(n * k), [columns, most, n, k](MutableBytes out) -> Status {
        ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, columns.open());
        std::vector<float> values(static_cast<size_t>(k));
        for (int64_t column = 0; column < n; ++column) {
          reader.read(column, values.data());
          const float scale = row_scale(values.data(), k, most);
          for (int64_t i = 0; i < k; ++i) {
            out[static_cast<size_t>(i * n + column)] =
                static_cast<uint8_t>(quantize_value(values[static_cast<size_t>(i)], scale));
          }
          if (column % kRowsAtOnce == kRowsAtOnce - 1) reader.done_with(column);
        }
        return {};
      });
}

class Int8 {
 public:
  Int8(Graph& graph, const Int8Options& options)
      : graph_(graph), most_(options.reduce_range ? 64 : 127) {}

  Report run() {
    old_nodes_.swap(graph_.nodes);
    for (const Node& node : old_nodes_) {
      if (node.is("MatMul")) {
        add_matmul(node);
      } else if (add_int8_table(graph_, old_nodes_, node)) {
        ++report_.tables;
      } else {
        graph_.nodes.push_back(node);
      }
    }
    return report_;
  }

 private:
  struct Activations {
    ValueId bytes, scale, zero;
  };

  ValueId add_node(const std::string& name, const char* op, std::vector<ValueId> inputs,
                   DType dtype) {
    const ValueId out = graph_.add_value(graph_.unique_name(name), {dtype, {}});
    Node node{op, "", name, std::move(inputs), {out}, {}};
    if (node.op_type == "Cast") node.attributes["to"] = int64_t{static_cast<int>(dtype)};
    graph_.nodes.push_back(std::move(node));
    return out;
  }

  const Activations& quantized(const Node& product) {
    const auto [found, is_new] = activations_.try_emplace(product.inputs[0]);
    if (!is_new) return found->second;
    const std::string name = product.name + "/DynamicQuantizeLinear";
    const auto value = [&](const char* suffix, graph::Type type) {
      return graph_.add_value(graph_.unique_name(name + suffix), std::move(type));
    };
    found->second = {value("", {DType::kUint8, {}}), value("/scale", {DType::kFloat32, {{}}}),
                     value("/zero_point", {DType::kUint8, {{}}})};
    graph_.nodes.push_back({"DynamicQuantizeLinear",
                            "",
                            name,
                            {product.inputs[0]},
                            {found->second.bytes, found->second.scale, found->second.zero},
                            {}});
    return found->second;
  }

  void add_matmul(const Node& node) {
    const auto weight = RowSource::find(graph_, old_nodes_, node.inputs[1]);
    if (!weight) {
      graph_.nodes.push_back(node);
      report_.left_in_float.push_back(cat(node.name, ": the second operand is no constant matrix"));
      return;
    }
    const RowSource columns = weight->transposed();
    const std::string name = graph_.value(node.inputs[1]).name;
    const int64_t k = columns.columns();
    const int most = most_;
    const ValueId quants =
        graph_.add_constant(graph_.unique_name(name + ".quants"),
                            {DType::kInt8, {k, columns.rows()}, int8_columns(columns, most)});
    const ValueId scales =
        graph_.add_constant(graph_.unique_name(name + ".scales"),
                            {DType::kFloat32,
                             {columns.rows()},
                             by_rows(columns, 4, [k, most](const float* column, uint8_t* out) {
                               const float scale = row_scale(column, k, most);
                               std::memcpy(out, &scale, sizeof scale);
                             })});
    const Activations& a = quantized(node);
    const ValueId sums = add_node(node.name + "/MatMulInteger", "MatMulInteger",
                                  {a.bytes, quants, a.zero}, DType::kInt32);
    const ValueId floats = add_node(node.name + "/Cast", "Cast", {sums}, DType::kFloat32);
    const ValueId scale = add_node(node.name + "/scale", "Mul", {a.scale, scales}, DType::kFloat32);
    graph_.nodes.push_back({"Mul", "", node.name, {floats, scale}, node.outputs, {}});
    ++report_.matmuls;
  }

  Graph& graph_;
  const int most_;  // the largest magnitude of a weight
  Report report_;
  std::vector<Node> old_nodes_;
  std::map<ValueId, Activations> activations_;
};

}  // namespace

Result<Report> quantize_int8(Graph& graph, const Int8Options& options) {
  return Int8(graph, options).run();
}

}  // namespace enm::quantize
