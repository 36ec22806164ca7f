#include <cmath>
#include <memory>

#include "enm/base/half.h"
#include "enm/quantize/blocks.h"
#include "enm/quantize/quantize.h"
#include "enm/quantize/row_source.h"

namespace enm::quantize {
namespace {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::TensorData;
using graph::ValueId;

constexpr int64_t kRowsAtOnce = 256;  // between letting go of the source's pages

// A tensor made by `each(row, values, out)` for every row of the source, `row_bytes` a row.
template <typename Each>
TensorData by_rows(const RowSource& source, int64_t row_bytes, Each each) {
  const auto total = static_cast<uint64_t>(source.rows() * row_bytes);
  return TensorData::produced(total, [source, row_bytes, each](MutableBytes out) -> Status {
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source.open());
    std::vector<float> values(static_cast<size_t>(source.columns()));
    for (int64_t row = 0; row < source.rows(); ++row) {
      reader.read(row, values.data());
      each(values.data(), out.data() + row * row_bytes);
      if (row % kRowsAtOnce == kRowsAtOnce - 1) reader.done_with(row);
    }
    reader.done_with(source.rows());
    return {};
  });
}

class Int4 {
 public:
  Int4(Graph& graph, const Int4Options& options) : graph_(graph), options_(options) {}

  Result<Report> run() {
    const ValueId head = head_weight();
    old_nodes_.swap(graph_.nodes);
    for (const Node& node : old_nodes_) {
      if (node.is("MatMul")) {
        add_matmul(node, node.inputs[1] == head);
      } else if (node.is("Gather") && options_.embedding_bits == 8) {
        add_gather(node);
      } else {
        graph_.nodes.push_back(node);
      }
    }
    graph_.opsets.try_emplace(std::string(graph::kMicrosoft), 1);
    return report_;
  }

 private:
  // The weight of the product that makes the logits.
  ValueId head_weight() const {
    ValueId value = graph_.find_value("logits");
    for (auto node = graph_.nodes.rbegin(); node != graph_.nodes.rend(); ++node) {
      if (node->output(0) != value) continue;
      if (node->is("MatMul")) return node->inputs[1];
      if (!node->is("Add")) return kNoValue;
      value = node->inputs[0];
    }
    return kNoValue;
  }

  void keep(const Node& node, std::string_view why) {
    graph_.nodes.push_back(node);
    report_.left_in_float.push_back(cat(node.name, ": ", why));
  }

  void add_matmul(const Node& node, bool is_head) {
    const int bits = is_head ? options_.head_bits : 4;
    const auto weight = RowSource::find(graph_, old_nodes_, node.inputs[1]);
    if (bits == 0) return keep(node, "the head stays in floats");
    if (!weight) return keep(node, "the second operand is no constant matrix");
    const RowSource rows = weight->transposed();  // [N, K]: an output column a row
    const BlockFormat format = {rows.columns(), options_.block, bits, options_.symmetric};
    const std::string name = graph_.value(node.inputs[1]).name;
    const int64_t blocks = format.blocks();
    Node product{"MatMulNBits", std::string(graph::kMicrosoft),
                 node.name,     {node.inputs[0]},
                 node.outputs,  {}};
    product.attributes = {{"K", rows.columns()},
                          {"N", rows.rows()},
                          {"bits", int64_t{bits}},
                          {"block_size", options_.block},
                          {"accuracy_level", options_.accuracy_level}};
    const auto constant = [&](const char* suffix, Tensor tensor) {
      product.inputs.push_back(
          graph_.add_constant(graph_.unique_name(name + suffix), std::move(tensor)));
    };
    constant(".quants",
             {DType::kUint8,
              {rows.rows(), blocks, options_.block * bits / 8},
              by_rows(rows, format.row_bytes(), [format](const float* row, uint8_t* out) {
                quantize_row(format, row, out, nullptr, nullptr);
              })});
    constant(".scales", {DType::kFloat32,
                         {rows.rows() * blocks},
                         by_rows(rows, blocks * 4, [format](const float* row, uint8_t* out) {
                           quantize_row(format, row, nullptr, reinterpret_cast<float*>(out),
                                        nullptr);
                         })});
    if (!options_.symmetric) {
      constant(".zero_points",
               {DType::kUint8,
                {rows.rows() * format.zero_point_bytes()},
                by_rows(rows, format.zero_point_bytes(), [format](const float* row, uint8_t* out) {
                  quantize_row(format, row, nullptr, nullptr, out);
                })});
    }
    graph_.nodes.push_back(std::move(product));
    ++report_.matmuls;
  }

  // Rows of int8 with one f32 scale each: Gather both, Cast, Mul.
  void add_gather(const Node& node) {
    const auto table = RowSource::find(graph_, old_nodes_, node.inputs[0]);
    if (!table || node.int_or("axis", 0) != 0) {
      graph_.nodes.push_back(node);
      return;
    }
    const std::string name = graph_.value(node.inputs[0]).name;
    const int64_t columns = table->columns();
    const auto scale_of = [columns](const float* row) {
      float largest = 0;
      for (int64_t i = 0; i < columns; ++i) largest = std::max(largest, std::fabs(row[i]));
      return largest / 127.0f;
    };
    const ValueId quants = graph_.add_constant(
        graph_.unique_name(name + ".rows"),
        {DType::kInt8,
         {table->rows(), columns},
         by_rows(*table, columns, [=](const float* row, uint8_t* out) {
           const float scale = scale_of(row);
           for (int64_t i = 0; i < columns; ++i) {
             out[i] = static_cast<uint8_t>(
                 scale > 0 ? static_cast<int>(std::nearbyint(row[i] / scale)) : 0);
           }
         })});
    const ValueId scales =
        graph_.add_constant(graph_.unique_name(name + ".row_scales"),
                            {DType::kFloat32,
                             {table->rows(), 1},
                             by_rows(*table, 4, [=](const float* row, uint8_t* out) {
                               *reinterpret_cast<float*>(out) = scale_of(row);
                             })});
    const auto gather = [&](const char* suffix, ValueId data, DType dtype) {
      const ValueId out = graph_.add_value(graph_.unique_name(node.name + suffix), {dtype, {}});
      graph_.nodes.push_back({"Gather", "", node.name + suffix, {data, node.inputs[1]}, {out}, {}});
      return out;
    };
    const ValueId rows = gather("/rows", quants, DType::kInt8);
    const ValueId row_scales = gather("/scales", scales, DType::kFloat32);
    const ValueId cast =
        graph_.add_value(graph_.unique_name(node.name + "/Cast"), {DType::kFloat32, {}});
    graph_.nodes.push_back({"Cast", "", node.name + "/Cast", {rows}, {cast}, {{"to", int64_t{1}}}});
    graph_.nodes.push_back({"Mul", "", node.name + "/Mul", {cast, row_scales}, node.outputs, {}});
    ++report_.tables;
  }

  Graph& graph_;
  const Int4Options options_;
  Report report_;
  std::vector<Node> old_nodes_;
};

}  // namespace

Result<Report> quantize_int4(Graph& graph, const Int4Options& options) {
  const bool block_ok =
      options.block >= 16 && options.block <= 256 && (options.block & (options.block - 1)) == 0;
  if (!block_ok) {
    return InvalidArgument("[quantize] block size ", options.block,
                           "; expected 16, 32, 64, 128 or 256");
  }
  if ((options.head_bits != 0 && options.head_bits != 4 && options.head_bits != 8) ||
      (options.embedding_bits != 0 && options.embedding_bits != 8)) {
    return InvalidArgument("[quantize] head of ", options.head_bits, " bits and embedding of ",
                           options.embedding_bits, "; expected 0, 4 or 8 and 0 or 8");
  }
  return Int4(graph, options).run();
}

}  // namespace enm::quantize
