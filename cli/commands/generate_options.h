// Flags of every command that lets a model write.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/commands/model_options.h"
#include "enm/pipeline/generation.h"

namespace cli {

inline void add_generate_options(CLI::App* verb, enm::pipeline::GenerateOptions& options,
                                 ModelOptions& model) {
  auto& sampling = options.sampling;
  verb->add_option("-n,--max-tokens", options.max_tokens, "Tokens to write at most")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  verb->add_option("--temperature", sampling.temperature, "0 always takes the likeliest token")
      ->capture_default_str();
  verb->add_option("--top-k", sampling.top_k, "Choose among the k likeliest; 0 for all");
  verb->add_option("--top-p", sampling.top_p, "Choose among the likeliest that reach p together");
  verb->add_option("--min-p", sampling.min_p,
                   "Leave out tokens this much less likely than the likeliest");
  verb->add_option("--repetition-penalty", sampling.repetition_penalty,
                   "Above 1 avoids repetition");
  verb->add_option("--seed", sampling.seed, "The same seed writes the same text");
  verb->add_option("--stop", options.stop, "End the text before this; may be repeated");
  verb->add_option("--context", model.context, "Positions to make room for; 0 for the model's")
      ->check(CLI::NonNegativeNumber);
}

/// Tokens a second; 0 if no time passed.
inline double tokens_per_second(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace cli
