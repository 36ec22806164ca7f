// Plans and reports as JSON and as tables.
#pragma once

#include "cli/output/json_writer.h"
#include "enm/quantize/plan.h"

namespace cli {

/// {quantization, tensors: [{name, node, method, bits, block, symmetric, rows, columns,
/// bits_per_weight, reason?}], bits_per_weight}
std::string plan_json(const enm::quantize::Plan& plan, std::string_view quantization);
/// The same for eyes.
std::string plan_table(const enm::quantize::Plan& plan);

/// [{name, method, bits, block, error, reason?}]
std::vector<RawJson> tensors_json(const enm::quantize::Report& report);

}  // namespace cli
