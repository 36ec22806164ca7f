// What happens to which weight, said before anything runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "enm/graph/description.h"
#include "enm/quantize/quantize.h"
#include "enm/quantize/quantized_weight.h"

namespace enm::quantize {

struct PlanRow {
  enum class Form : uint8_t {
    kFloat,       // as it was
    kBlocks,      // MatMulNBits, or GatherBlockQuantized for a table
    kHeadBlocks,  // a table that gathers rows of the head's blocks
    kInt8Rows,    // a table of int8 rows with a scale each
  };

  std::string tensor;  // of the checkpoint where it has a name there
  std::string node;    // that reads it
  Form form = Form::kFloat;
  int64_t rows = 0, columns = 0;
  std::string method;  // "RTN"; empty for kFloat
  BlockFormat format;  // of the forms in blocks
  std::string reason;

  /// 0 for kFloat.
  int bits() const { return form == Form::kFloat ? 0 : form == Form::kInt8Rows ? 8 : format.bits; }
  /// Weights that share a scale.
  int64_t block() const { return form == Form::kInt8Rows ? columns : format.block; }
  /// Of the weight in the file, scales and zero points included; 32 bits for floats.
  double bits_per_weight() const;
};

struct Plan {
  std::vector<PlanRow> rows;  // in the graph's order

  const PlanRow* find(std::string_view node) const;
};

/// kInvalidArgument for options out of range.
Result<Plan> plan_blocks(const graph::Graph& graph, const graph::ModelDescription& description,
                         const BlockOptions& options);

/// Solutions of products by the name of their node, where calibration made them.
using Solved = std::map<std::string, QuantizedWeight, std::less<>>;

/// Carries a plan out. Products without a solution are solved by rounding to nearest.
Result<Report> apply_plan(graph::Graph& graph, const graph::ModelDescription& description,
                          const Plan& plan, const BlockOptions& options, const Solved& solved = {});

}  // namespace enm::quantize
