// Measuring what `optimize` wrote against what it read.
#pragma once

#include "cli/optimizer/options.h"
#include "cli/output/json_writer.h"
#include "enm/quantize/validate.h"

namespace cli {

/// Opens both models and compares them on `text`, or on the file of --validation-data.
enm::Result<enm::quantize::Comparison> validate(const OptimizeOptions& options,
                                                const ModelArgument& source,
                                                const std::string& output, std::string text,
                                                const Context& context);

/// What the comparison breaks of the thresholds; empty if it holds to all.
std::vector<std::string> broken_thresholds(const OptimizeOptions& options,
                                           const enm::quantize::Comparison& comparison);

/// {perplexity: {before, after, protocol, windows, tokens}, kl, top1, cosine?, least_cosine?,
/// passed}
RawJson validation_json(const enm::quantize::Comparison& comparison, bool passed);
std::string validation_line(const enm::quantize::Comparison& comparison);

}  // namespace cli
