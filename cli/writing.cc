#include "cli/writing.h"

#include "cli/flags.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"
#include "enm/base/file_posix.h"
#include "enm/pipeline/requests.h"

namespace cli {

using enm::pipeline::GenerateOptions;
using enm::pipeline::GenerateResult;

namespace {

constexpr size_t kMostGrammarBytes = size_t{1} << 20;

enm::Result<std::string> read_text(const std::string& path) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, enm::read_file(path, kMostGrammarBytes));
  return std::string(enm::as_text(bytes));
}

double tokens_per_second(int64_t tokens, double seconds) {
  return seconds > 0 ? static_cast<double>(tokens) / seconds : 0;
}

}  // namespace

void add_writing_options(CLI::App* verb, WritingOptions& options, ModelOptions& model) {
  GenerateOptions& generate = options.generate;
  auto& sampling = generate.sampling;
  verb->add_option("-n,--max-tokens", generate.max_tokens, "Tokens to write at most")
      ->check(not_negative())
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
  verb->add_option("--stop", generate.stop, "End the text before this; may be repeated");
  verb->add_option("--context", model.context, "Positions to make room for; 0 for the model's")
      ->check(not_negative());
  verb->add_option("--logprobs", generate.logprobs,
                   "With --json: each token's log-probability, and so many of the likeliest")
      ->check(CLI::Range(0, 20));
  verb->add_option("--json-schema", options.schema_file,
                   "File with a JSON schema: the text is a document that it allows");
  verb->add_option("--grammar", options.grammar_file,
                   "File with a grammar in GBNF: the text fits it");
}

enm::Result<GenerateOptions> read_options(const WritingOptions& options) {
  GenerateOptions out = options.generate;
  if (!options.schema_file.empty()) {
    ENM_ASSIGN_OR_RETURN(const std::string text, read_text(options.schema_file));
    auto schema = enm::Json::parse(text);
    if (!schema.ok()) return schema.status().in(options.schema_file);
    out.json_schema = *std::move(schema);
  }
  if (!options.grammar_file.empty()) {
    ENM_ASSIGN_OR_RETURN(out.grammar, read_text(options.grammar_file));
  }
  return out;
}

enm::Result<Written> write_text(const Context& context, const Generate& generate) {
  const Stopwatch stopwatch;
  double prompt_seconds = 0;
  const auto piece = [&](std::string_view text) {
    if (!context.json) context.stream(text);
    return !interrupted();
  };
  ENM_ASSIGN_OR_RETURN(GenerateResult result,
                       generate(piece, [&] { prompt_seconds = stopwatch.seconds(); }));
  if (!context.json) context.stream("\n");
  Written out{std::move(result)};
  out.prefill = tokens_per_second(out.prompt_tokens, prompt_seconds);
  out.decode = tokens_per_second(out.tokens, stopwatch.seconds() - prompt_seconds);
  return out;
}

void print_document(const Written& written, bool with_logprobs, const Context& context) {
  JsonObject document;
  document.add("text", written.text)
      .add("tokens", written.tokens)
      .add("prompt_tokens", written.prompt_tokens)
      .add("finish_reason", enm::pipeline::finish_name(written.finish))
      .add("prefill_tokens_per_second", written.prefill)
      .add("decode_tokens_per_second", written.decode)
      .add("peak_rss_bytes", peak_rss_bytes());
  if (with_logprobs) {
    document.add("logprobs", RawJson{enm::pipeline::write_logprobs(written.logprobs)});
  }
  context.print(document.str());
}

enm::Status ending(const Written& written) {
  return written.finish == enm::pipeline::Finish::kCancelled ? enm::Cancelled("interrupted")
                                                             : enm::Status();
}

}  // namespace cli
