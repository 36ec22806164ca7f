#include "cli/optimizer/report.h"

#include "cli/output/format.h"

namespace cli {

using enm::quantize::Plan;
using enm::quantize::PlanRow;

namespace {

std::string method_of(const PlanRow& row) { return row.method.empty() ? "none" : row.method; }

double bits_per_weight(const Plan& plan) {
  double bits = 0;
  double weights = 0;
  for (const PlanRow& row : plan.rows) {
    // A table of the head's blocks takes no room of its own where the head stands in the plan.
    if (row.form == PlanRow::Form::kHeadBlocks) continue;
    const auto count = static_cast<double>(row.rows * row.columns);
    bits += count * row.bits_per_weight();
    weights += count;
  }
  return weights > 0 ? bits / weights : 0;
}

}  // namespace

std::string plan_json(const Plan& plan, std::string_view quantization) {
  std::vector<RawJson> tensors;
  for (const PlanRow& row : plan.rows) {
    JsonObject item;
    item.add("name", row.tensor)
        .add("node", row.node)
        .add("method", method_of(row))
        .add("bits", row.bits())
        .add("block", row.bits() > 0 ? row.block() : 0)
        .add("symmetric", !row.format.has_zero_points())
        .add("rows", row.rows)
        .add("columns", row.columns)
        .add("bits_per_weight", row.bits_per_weight());
    if (!row.reason.empty()) item.add("reason", row.reason);
    tensors.push_back(item.raw());
  }
  return JsonObject()
      .add("quantization", quantization)
      .add("bits_per_weight", bits_per_weight(plan))
      .add("tensors", tensors)
      .str();
}

std::string plan_table(const Plan& plan) {
  std::vector<std::vector<std::string>> rows = {
      {"TENSOR", "ROWS", "COLUMNS", "METHOD", "BITS", "BLOCK", "BITS/WEIGHT", "REASON"}};
  for (const PlanRow& row : plan.rows) {
    rows.push_back({row.tensor, enm::cat(row.rows), enm::cat(row.columns), method_of(row),
                    enm::cat(row.bits()), enm::cat(row.bits() > 0 ? row.block() : 0),
                    fixed(row.bits_per_weight(), 2), row.reason});
  }
  return enm::cat(table(rows), fixed(bits_per_weight(plan), 3), " bits a weight");
}

std::vector<RawJson> tensors_json(const enm::quantize::Report& report) {
  std::vector<RawJson> out;
  for (const enm::quantize::TensorReport& tensor : report.tensors) {
    JsonObject item;
    item.add("name", tensor.name)
        .add("method", tensor.method.empty() ? std::string("none") : tensor.method)
        .add("bits", tensor.bits)
        .add("block", tensor.block);
    if (tensor.error) {
      item.add("error", tensor.error());
    } else {
      item.add("error", RawJson{"null"});
    }
    if (!tensor.reason.empty()) item.add("reason", tensor.reason);
    out.push_back(item.raw());
  }
  return out;
}

}  // namespace cli
