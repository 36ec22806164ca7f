#include "enm/quantize/blocks.h"
#include "enm/quantize/quantize.h"
#include "enm/quantize/row_source.h"
#include "enm/quantize/tables.h"

namespace enm::quantize {
namespace {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

class Int4 {
 public:
  Int4(Graph& graph, const Int4Options& options) : graph_(graph), options_(options) {}

  Result<Report> run() {
    const ValueId head = head_weight();
    old_nodes_.swap(graph_.nodes);
    for (const Node& node : old_nodes_) {
      if (node.is("MatMul")) {
        add_matmul(node, node.inputs[1] == head);
      } else if (node.is("Gather") && options_.embedding_bits == 4 && add_block_table(node)) {
        ++report_.tables;
      } else if (node.is("Gather") && options_.embedding_bits != 0 &&
                 add_int8_table(graph_, old_nodes_, node)) {
        ++report_.tables;
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

  // GatherBlockQuantized from rows of 4-bit blocks. False where rows are not whole blocks.
  bool add_block_table(const Node& node) {
    const auto table = RowSource::find(graph_, old_nodes_, node.inputs[0]);
    if (!table || node.int_or("axis", 0) != 0 || table->columns() % options_.block != 0) {
      return false;
    }
    const BlockFormat format = {table->columns(), options_.block, 4, options_.symmetric};
    const std::string name = graph_.value(node.inputs[0]).name;
    const auto constant = [&](const char* suffix, DType dtype, int64_t width, int64_t row_bytes,
                              auto each) {
      return graph_.add_constant(graph_.unique_name(name + suffix),
                                 {dtype, {table->rows(), width}, by_rows(*table, row_bytes, each)});
    };
    const int64_t bytes = format.row_bytes();
    const ValueId quants =
        constant(".quants", DType::kUint8, bytes, bytes, [format](const float* row, uint8_t* out) {
          quantize_row(format, row, out, nullptr, nullptr);
        });
    const ValueId scales =
        constant(".scales", DType::kFloat32, format.blocks(), format.blocks() * 4,
                 [format](const float* row, uint8_t* out) {
                   quantize_row(format, row, nullptr, reinterpret_cast<float*>(out), nullptr);
                 });
    Node gather{"GatherBlockQuantized",
                std::string(graph::kMicrosoft),
                node.name,
                {quants, node.inputs[1], scales},
                node.outputs,
                {}};
    gather.attributes = {{"bits", int64_t{4}},
                         {"block_size", options_.block},
                         {"gather_axis", int64_t{0}},
                         {"quantize_axis", int64_t{1}}};
    if (!options_.symmetric) {
      const int64_t zeros = format.zero_point_bytes();
      gather.inputs.push_back(constant(".zero_points", DType::kUint8, zeros, zeros,
                                       [format](const float* row, uint8_t* out) {
                                         quantize_row(format, row, nullptr, nullptr, out);
                                       }));
    }
    graph_.nodes.push_back(std::move(gather));
    return true;
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
      (options.embedding_bits != 0 && options.embedding_bits != 4 && options.embedding_bits != 8)) {
    return InvalidArgument("[quantize] head of ", options.head_bits, " bits and embedding of ",
                           options.embedding_bits, "; expected 0, 4 or 8 of each");
  }
  return Int4(graph, options).run();
}

}  // namespace enm::quantize
