#include "enm/quantize/plan.h"

#include "enm/quantize/row_source.h"

namespace enm::quantize {
namespace {

using graph::Graph;
using graph::Node;

Status check(const BlockOptions& options) {
  const bool block_ok =
      options.block >= 16 && options.block <= 256 && (options.block & (options.block - 1)) == 0;
  if (!block_ok) {
    return InvalidArgument("[quantize] block size ", options.block,
                           "; expected 16, 32, 64, 128 or 256");
  }
  if (options.bits != 2 && options.bits != 4 && options.bits != 8) {
    return InvalidArgument("[quantize] ", options.bits, " bits; expected 2, 4 or 8");
  }
  if ((options.head_bits != 0 && options.head_bits != 4 && options.head_bits != 8) ||
      (options.embedding_bits != 0 && options.embedding_bits != 4 && options.embedding_bits != 8)) {
    return InvalidArgument("[quantize] head of ", options.head_bits, " bits and embedding of ",
                           options.embedding_bits, "; expected 0, 4 or 8 of each");
  }
  return {};
}

class Planner {
 public:
  Planner(const Graph& graph, std::string_view head, const BlockOptions& options)
      : graph_(graph), head_(head), options_(options) {}

  Plan run() {
    find_head();
    for (const Node& node : graph_.nodes) {
      if (node.is("MatMul")) {
        add_product(node);
      } else if (node.is("Gather") && node.int_or("axis", 0) == 0) {
        add_table(node);
      }
    }
    return std::move(plan_);
  }

 private:
  // The rows that the head multiplies by, an output a row.
  void find_head() {
    for (const Node& node : graph_.nodes) {
      if (!is_head(node)) continue;
      const auto weight = RowSource::find(graph_, graph_.nodes, node.inputs[1]);
      if (weight) head_rows_ = weight->transposed();
    }
  }

  bool is_head(const Node& node) const {
    return node.is("MatMul") && !head_.empty() && node.name == head_;
  }

  PlanRow& add_row(const Node& node, const std::string& tensor) {
    PlanRow& row = plan_.rows.emplace_back();
    row.tensor = tensor;
    row.node = node.name;
    row.format.block = options_.block;
    row.format.zero_points =
        options_.symmetric ? BlockFormat::ZeroPoints::kNone : BlockFormat::ZeroPoints::kInteger;
    return row;
  }

  void add_product(const Node& node) {
    const auto weight = RowSource::find(graph_, graph_.nodes, node.inputs[1]);
    PlanRow& row = add_row(node, weight ? weight->name() : node.name);
    const int bits = is_head(node) ? options_.head_bits : options_.bits;
    if (!weight) {
      row.reason = "the second operand is no constant matrix";
      return;
    }
    row.rows = weight->columns();
    row.columns = weight->rows();
    if (bits == 0) {
      row.reason = "the head stays in floats";
      return;
    }
    row.form = PlanRow::Form::kBlocks;
    row.method = options_.method;
    row.format.bits = bits;
    if (is_head(node)) row.reason = "head";
  }

  void add_table(const Node& node) {
    const auto table = RowSource::find(graph_, graph_.nodes, node.inputs[0]);
    if (!table) return;
    if (options_.embedding_bits == 0) return;
    PlanRow& row = add_row(node, table->name());
    row.rows = table->rows();
    row.columns = table->columns();
    row.method = round_to_nearest().name();
    row.reason = "table";
    const bool whole_blocks = row.columns % options_.block == 0;
    if (options_.embedding_bits == 8 && is_tied(node, *table)) {
      row.form = PlanRow::Form::kHeadBlocks;
      row.format.bits = 8;
      row.method = options_.method;
      row.reason = "table and head are one weight";
    } else if (options_.embedding_bits == 4 && whole_blocks) {
      row.form = PlanRow::Form::kBlocks;
    } else {
      row.form = PlanRow::Form::kInt8Rows;
      if (options_.embedding_bits == 4) {
        row.reason = cat("table; rows of ", row.columns, " are not whole blocks");
      }
    }
  }

  bool is_tied(const Node& node, const RowSource& table) const {
    const auto& ids = graph_.value(node.inputs[1]).type.shape;
    return options_.head_bits == 8 && head_rows_ && head_rows_->is_same(table) &&
           table.columns() % options_.block == 0 && ids && ids->size() == 2;
  }

  const Graph& graph_;
  const std::string_view head_;
  const BlockOptions& options_;
  Plan plan_;
  std::optional<RowSource> head_rows_;
};

}  // namespace

double PlanRow::bits_per_weight() const {
  switch (form) {
    case Form::kFloat:
      return 32;
    case Form::kInt8Rows:
      return 8 + 32.0 / static_cast<double>(columns);
    case Form::kBlocks:
    case Form::kHeadBlocks:
      break;
  }
  const int64_t bytes = format.row_bytes(columns) + format.blocks_of(columns) * 4 +
                        (format.has_zero_points() ? format.row_zero_point_bytes(columns) : 0);
  return 8.0 * static_cast<double>(bytes) / static_cast<double>(columns);
}

const PlanRow* Plan::find(std::string_view node) const {
  for (const PlanRow& row : rows) {
    if (row.node == node) return &row;
  }
  return nullptr;
}

Result<Plan> plan_blocks(const Graph& graph, const graph::ModelDescription& description,
                         const BlockOptions& options) {
  ENM_RETURN_IF_ERROR(check(options));
  return Planner(graph, description.head, options).run();
}

}  // namespace enm::quantize
