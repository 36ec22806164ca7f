#include "enm/quantize/plan.h"
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

using Form = PlanRow::Form;

class Writer {
 public:
  Writer(Graph& graph, std::string_view head, const Plan& plan, const BlockOptions& options,
         const Solved& solved)
      : graph_(graph), head_(head), plan_(plan), options_(options), solved_(solved) {}

  Result<Report> run() {
    old_nodes_.swap(graph_.nodes);
    for (const Node& node : old_nodes_) {
      const PlanRow* row = plan_.find(node.name);
      if (row == nullptr) {
        graph_.nodes.push_back(node);
      } else if (row->form == Form::kFloat) {
        keep(node, *row);
      } else if (node.is("MatMul")) {
        ENM_RETURN_IF_ERROR(add_matmul(node, *row));
      } else {
        ENM_RETURN_IF_ERROR(add_table(node, *row));
      }
    }
    graph_.opsets.try_emplace(std::string(graph::kMicrosoft), 1);
    return std::move(report_);
  }

 private:
  /// The constants of a weight, once they are in the graph.
  struct Blocks {
    QuantizedWeight weight;
    ValueId quants = kNoValue;
    ValueId scales = kNoValue;
    ValueId zero_points = kNoValue;
  };

  void keep(const Node& node, const PlanRow& row) {
    graph_.nodes.push_back(node);
    report_.left_in_float.push_back(cat(node.name, ": ", row.reason));
    report_.tensors.push_back({row.tensor, "", 0, 0, row.rows * row.columns, row.reason, {}});
  }

  void tell(const PlanRow& row, std::string_view reason, std::function<double()> error) {
    report_.tensors.push_back({row.tensor, std::string(row.method), row.bits(), row.block(),
                               row.rows * row.columns, std::string(reason), std::move(error)});
  }

  Result<RowSource> source(ValueId value, const Node& node) const {
    auto found = RowSource::find(graph_, old_nodes_, value);
    if (found) return *std::move(found);
    return Internal("[quantize] the plan is not this graph's: ", node.label());
  }

  ValueId constant(const std::string& name, DType dtype, std::vector<int64_t> dims,
                   const graph::TensorData& data) {
    return graph_.add_constant(graph_.unique_name(name), {dtype, std::move(dims), data});
  }

  Blocks add_blocks(const std::string& name, const RowSource& rows, const PlanRow& row) {
    const auto solved = solved_.find(row.form == Form::kHeadBlocks ? head_ : row.node);
    Blocks out{solved != solved_.end() ? solved->second : QuantizedWeight(rows, row.format)};
    const QuantizedWeight& weight = out.weight;
    const BlockFormat& format = weight.format();
    const int64_t n = weight.rows();
    out.quants = constant(name + ".quants", DType::kUint8,
                          {n, weight.blocks(), format.block * format.bits / 8}, weight.quants());
    out.scales = constant(name + ".scales", DType::kFloat32, {n, weight.blocks()}, weight.scales());
    if (format.has_zero_points()) {
      out.zero_points =
          constant(name + ".zero_points", DType::kUint8,
                   {n, format.row_zero_point_bytes(weight.columns())}, weight.zero_points());
    }
    tell(row, row.reason, [weight] { return weight.error(); });
    return out;
  }

  Status add_matmul(const Node& node, const PlanRow& row) {
    ++report_.matmuls;
    if (node.name == head_ && tied_) {
      add_product(node, *tied_);
      return {};
    }
    ENM_ASSIGN_OR_RETURN(const RowSource weight, source(node.inputs[1], node));
    // [N, K]: an output column a row
    add_product(node, add_blocks(graph_.value(node.inputs[1]).name, weight.transposed(), row));
    return {};
  }

  void add_product(const Node& node, const Blocks& blocks) {
    const BlockFormat& format = blocks.weight.format();
    Node product{"MatMulNBits", std::string(graph::kMicrosoft),
                 node.name,     {node.inputs[0], blocks.quants, blocks.scales},
                 node.outputs,  {}};
    if (blocks.zero_points != kNoValue) product.inputs.push_back(blocks.zero_points);
    product.attributes = {{"K", blocks.weight.columns()},
                          {"N", blocks.weight.rows()},
                          {"bits", int64_t{format.bits}},
                          {"block_size", format.block},
                          {"accuracy_level", options_.accuracy_level}};
    graph_.nodes.push_back(std::move(product));
  }

  Status add_table(const Node& node, const PlanRow& row) {
    ENM_ASSIGN_OR_RETURN(const RowSource table, source(node.inputs[0], node));
    ++report_.tables;
    switch (row.form) {
      case Form::kHeadBlocks:
        return add_tied_table(node, table, row);
      case Form::kBlocks:
        return add_block_table(node, table, row);
      default:
        break;
    }
    if (!add_int8_table(graph_, old_nodes_, node)) {
      return Internal("[quantize] no table: ", node.label());
    }
    tell(row, row.reason, {});
    return {};
  }

  // Rows of the head's own 8-bit blocks, where head and table are one weight:
  //   Reshape((Cast(Gather(quants)) - zero) * Unsqueeze(Gather(scales)), [0, 0, -1])
  Status add_tied_table(const Node& node, const RowSource& table, const PlanRow& row) {
    if (!tied_) tied_ = add_blocks(graph_.value(node.inputs[0]).name, table, row);
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
    return {};
  }

  // GatherBlockQuantized from rows of 4-bit blocks.
  Status add_block_table(const Node& node, const RowSource& table, const PlanRow& row) {
    const QuantizedWeight weight(table, row.format);
    const std::string name = graph_.value(node.inputs[0]).name;
    const int64_t n = weight.rows();
    Node gather{
        "GatherBlockQuantized", std::string(graph::kMicrosoft), node.name, {}, node.outputs, {}};
    gather.inputs = {
        constant(name + ".quants", DType::kUint8, {n, weight.format().row_bytes(weight.columns())},
                 weight.quants()),
        node.inputs[1],
        constant(name + ".scales", DType::kFloat32, {n, weight.blocks()}, weight.scales())};
    if (row.format.has_zero_points()) {
      gather.inputs.push_back(constant(name + ".zero_points", DType::kUint8,
                                       {n, weight.format().row_zero_point_bytes(weight.columns())},
                                       weight.zero_points()));
    }
    gather.attributes = {{"bits", int64_t{4}},
                         {"block_size", row.format.block},
                         {"gather_axis", int64_t{0}},
                         {"quantize_axis", int64_t{1}}};
    graph_.nodes.push_back(std::move(gather));
    tell(row, row.reason, [weight] { return weight.error(); });
    return {};
  }

  Graph& graph_;
  const std::string head_;
  const Plan& plan_;
  const BlockOptions& options_;
  const Solved& solved_;
  Report report_;
  std::vector<Node> old_nodes_;
  std::optional<Blocks> tied_;  // the head's blocks, where a table reads them too
};

}  // namespace

Result<Report> apply_plan(Graph& graph, const graph::ModelDescription& description,
                          const Plan& plan, const BlockOptions& options, const Solved& solved) {
  return Writer(graph, description.head, plan, options, solved).run();
}

Result<Report> quantize_blocks(Graph& graph, const graph::ModelDescription& description,
                               const BlockOptions& options) {
  ENM_ASSIGN_OR_RETURN(const Plan plan, plan_blocks(graph, description, options));
  return apply_plan(graph, description, plan, options);
}

}  // namespace enm::quantize
