#include "enm/quantize/blocks.h"
#include "enm/quantize/quantize.h"
#include "enm/quantize/quantized_weight.h"
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
  Int4(Graph& graph, std::string_view head, const Int4Options& options)
      : graph_(graph), head_(head), options_(options) {}

  Result<Report> run() {
    old_nodes_.swap(graph_.nodes);
    find_head();
    for (const Node& node : old_nodes_) {
      if (node.is("MatMul")) {
        add_matmul(node);
      } else if (node.is("Gather") && add_table(node)) {
        ++report_.tables;
      } else {
        graph_.nodes.push_back(node);
      }
    }
    graph_.opsets.try_emplace(std::string(graph::kMicrosoft), 1);
    return report_;
  }

 private:
  /// The constants of a weight, once they are in the graph.
  struct Blocks {
    QuantizedWeight weight;
    ValueId quants = kNoValue;
    ValueId scales = kNoValue;
    ValueId zero_points = kNoValue;
  };

  BlockFormat format_of(int bits) const {
    BlockFormat format;
    format.bits = bits;
    format.block = options_.block;
    format.zero_points =
        options_.symmetric ? BlockFormat::ZeroPoints::kNone : BlockFormat::ZeroPoints::kInteger;
    return format;
  }

  void keep(const Node& node, std::string_view why) {
    graph_.nodes.push_back(node);
    report_.left_in_float.push_back(cat(node.name, ": ", why));
  }

  ValueId constant(const std::string& name, DType dtype, std::vector<int64_t> dims,
                   const graph::TensorData& data) {
    return graph_.add_constant(graph_.unique_name(name), {dtype, std::move(dims), data});
  }

  // The rows that the head multiplies by, an output a row.
  void find_head() {
    for (const Node& node : old_nodes_) {
      if (!node.is("MatMul") || head_.empty() || node.name != head_) continue;
      const auto weight = RowSource::find(graph_, old_nodes_, node.inputs[1]);
      if (weight) head_rows_ = weight->transposed();
    }
  }

  Blocks add_blocks(const std::string& name, const RowSource& rows, int bits) {
    Blocks out{QuantizedWeight(rows, format_of(bits))};
    const QuantizedWeight& weight = out.weight;
    const int64_t n = weight.rows();
    out.quants = constant(name + ".quants", DType::kUint8,
                          {n, weight.blocks(), options_.block * bits / 8}, weight.quants());
    out.scales = constant(name + ".scales", DType::kFloat32, {n, weight.blocks()}, weight.scales());
    if (!options_.symmetric) {
      out.zero_points = constant(name + ".zero_points", DType::kUint8,
                                 {n, weight.format().row_zero_point_bytes(weight.columns())},
                                 weight.zero_points());
    }
    return out;
  }

  void add_matmul(const Node& node) {
    const bool is_head = !head_.empty() && node.name == head_;
    const int bits = is_head ? options_.head_bits : 4;
    const auto weight = RowSource::find(graph_, old_nodes_, node.inputs[1]);
    if (bits == 0) return keep(node, "the head stays in floats");
    if (!weight) return keep(node, "the second operand is no constant matrix");
    const RowSource rows = weight->transposed();  // [N, K]: an output column a row
    if (!is_head || !tied_) {
      const std::string name = graph_.value(node.inputs[1]).name;
      Blocks made = add_blocks(name, rows, bits);
      add_product(node, made, bits);
    } else {
      add_product(node, *tied_, bits);
    }
    ++report_.matmuls;
  }

  void add_product(const Node& node, const Blocks& blocks, int bits) {
    Node product{"MatMulNBits", std::string(graph::kMicrosoft),
                 node.name,     {node.inputs[0], blocks.quants, blocks.scales},
                 node.outputs,  {}};
    if (blocks.zero_points != kNoValue) product.inputs.push_back(blocks.zero_points);
    product.attributes = {{"K", blocks.weight.columns()},
                          {"N", blocks.weight.rows()},
                          {"bits", int64_t{bits}},
                          {"block_size", options_.block},
                          {"accuracy_level", options_.accuracy_level}};
    graph_.nodes.push_back(std::move(product));
  }

  bool add_table(const Node& node) {
    if (options_.embedding_bits == 0 || node.int_or("axis", 0) != 0) return false;
    const auto table = RowSource::find(graph_, old_nodes_, node.inputs[0]);
    if (!table) return false;
    if (options_.embedding_bits == 8 && add_tied_table(node, *table)) return true;
    if (options_.embedding_bits == 4 && add_block_table(node, *table)) return true;
    return add_int8_table(graph_, old_nodes_, node);
  }

  // Rows of the head's own 8-bit blocks, where head and table are one weight:
  //   Reshape((Cast(Gather(quants)) - zero) * Unsqueeze(Gather(scales)), [0, 0, -1])
  bool add_tied_table(const Node& node, const RowSource& table) {
    const auto& ids = graph_.value(node.inputs[1]).type.shape;
    const bool fits = options_.head_bits == 8 && head_rows_ && head_rows_->is_same(table) &&
                      table.columns() % options_.block == 0 && ids && ids->size() == 2;
    if (!fits) return false;
    if (!tied_) tied_ = add_blocks(graph_.value(node.inputs[0]).name, table, 8);
    const auto step = [&](const char* op, std::vector<ValueId> inputs, const char* suffix,
                          DType dtype) {
      const std::string name = cat(node.name, "/", suffix);
      const ValueId out = graph_.add_value(graph_.unique_name(name), {dtype, {}});
      graph_.nodes.push_back({op, "", name, std::move(inputs), {out}, {}});
      return out;
    };
    const auto cast = [&](ValueId value, const char* suffix) {
      const ValueId out = step("Cast", {value}, suffix, DType::kFloat32);
      graph_.nodes.back().attributes["to"] = int64_t{static_cast<int>(DType::kFloat32)};
      return out;
    };
    const auto numbers = [&](const char* name, const std::vector<int64_t>& values) {
      return graph_.add_constant(
          graph_.unique_name(cat(node.name, "/", name)),
          graph::make_tensor(DType::kInt64, {static_cast<int64_t>(values.size())}, values));
    };
    const ValueId last = numbers("last_axis", {-1});
    const ValueId quants =
        cast(step("Gather", {tied_->quants, node.inputs[1]}, "quants", DType::kUint8), "floats");
    ValueId zero;
    if (tied_->zero_points == kNoValue) {
      zero = graph_.add_constant(graph_.unique_name(node.name + "/zero"),
                                 graph::make_tensor(DType::kFloat32, {}, std::vector{128.0f}));
    } else {
      const ValueId rows =
          step("Gather", {tied_->zero_points, node.inputs[1]}, "zeros", DType::kUint8);
      zero = step("Unsqueeze", {cast(rows, "zero_floats"), last}, "zero_column", DType::kFloat32);
    }
    const ValueId scales =
        step("Gather", {tied_->scales, node.inputs[1]}, "scales", DType::kFloat32);
    const ValueId column = step("Unsqueeze", {scales, last}, "scale_column", DType::kFloat32);
    const ValueId centred = step("Sub", {quants, zero}, "centred", DType::kFloat32);
    const ValueId scaled = step("Mul", {centred, column}, "scaled", DType::kFloat32);
    const ValueId dims = numbers("dims", {0, 0, -1});
    graph_.nodes.push_back(
        {"Reshape", "", node.name + "/Reshape", {scaled, dims}, node.outputs, {}});
    return true;
  }

  // GatherBlockQuantized from rows of 4-bit blocks. False where rows are not whole blocks.
  bool add_block_table(const Node& node, const RowSource& table) {
    if (table.columns() % options_.block != 0) return false;
    const QuantizedWeight weight(table, format_of(4));
    const std::string name = graph_.value(node.inputs[0]).name;
    const int64_t n = weight.rows();
    Node gather{
        "GatherBlockQuantized", std::string(graph::kMicrosoft), node.name, {}, node.outputs, {}};
    gather.inputs = {
        constant(name + ".quants", DType::kUint8, {n, weight.format().row_bytes(weight.columns())},
                 weight.quants()),
        node.inputs[1],
        constant(name + ".scales", DType::kFloat32, {n, weight.blocks()}, weight.scales())};
    if (!options_.symmetric) {
      gather.inputs.push_back(constant(name + ".zero_points", DType::kUint8,
                                       {n, weight.format().row_zero_point_bytes(weight.columns())},
                                       weight.zero_points()));
    }
    gather.attributes = {{"bits", int64_t{4}},
                         {"block_size", options_.block},
                         {"gather_axis", int64_t{0}},
                         {"quantize_axis", int64_t{1}}};
    graph_.nodes.push_back(std::move(gather));
    return true;
  }

  Graph& graph_;
  const std::string head_;
  const Int4Options options_;
  Report report_;
  std::vector<Node> old_nodes_;
  std::optional<RowSource> head_rows_;
  std::optional<Blocks> tied_;  // the head's blocks, where a table reads them too
};

}  // namespace

Result<Report> quantize_int4(Graph& graph, const graph::ModelDescription& description,
                             const Int4Options& options) {
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
  return Int4(graph, description.head, options).run();
}

}  // namespace enm::quantize
