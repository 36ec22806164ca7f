// What commands that let a model write have in common: flags, the text as it comes, the answer.
#pragma once

#include <functional>
#include <string>

#include "cli/commands/model_options.h"
#include "enm/pipeline/session.h"

namespace cli {

struct WritingOptions {
  enm::pipeline::GenerateOptions generate;
  std::string schema_file;
  std::string grammar_file;
};

void add_writing_options(CLI::App* verb, WritingOptions& options, ModelOptions& model);

/// With what stands in the files.
enm::Result<enm::pipeline::GenerateOptions> read_options(const WritingOptions& options);

struct Written : enm::pipeline::GenerateResult {
  double prefill = 0, decode = 0;  // tokens a second
};

using Generate = std::function<enm::Result<enm::pipeline::GenerateResult>(
    const enm::pipeline::Session::Piece& piece, const std::function<void()>& prompt_done)>;

/// Runs `generate` with a clock beside it. Pieces go to standard output as they come, and the end
/// of their line, unless the answer is to be JSON; Ctrl-C ends the text.
enm::Result<Written> write_text(const Context& context, const Generate& generate);

/// {text, tokens, prompt_tokens, finish_reason, prefill_tokens_per_second,
/// decode_tokens_per_second, peak_rss_bytes, logprobs?}
void print_document(const Written& written, bool with_logprobs, const Context& context);

/// kCancelled if it was.
enm::Status ending(const Written& written);

}  // namespace cli
