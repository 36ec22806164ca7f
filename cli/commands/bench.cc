#include "cli/commands/commands.h"
#include "cli/commands/model_options.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"

namespace cli {
namespace {

struct Options {
  ModelOptions model;
  int64_t prompt = 64;
  int64_t tokens = 32;
};

enm::Status run(const Options& options, const Context& context) {
  const Stopwatch loading;
  ENM_ASSIGN_OR_RETURN(const auto model, open_model(options.model, context));
  const double load_seconds = loading.seconds();
  if (!model->is_decoder()) return enm::Unsupported("bench measures language models only");
  auto& decoder = model->decoder();
  std::vector<int32_t> ids(static_cast<size_t>(options.prompt));
  for (size_t i = 0; i < ids.size(); ++i) {
    ids[i] = static_cast<int32_t>((i * 7919 + 13) % static_cast<size_t>(decoder.vocab()));
  }
  ENM_RETURN_IF_ERROR(decoder.append(0, ids));  // the first pass touches memory for the first time
  decoder.truncate(0, 0);
  const Stopwatch prefill;
  ENM_RETURN_IF_ERROR(decoder.append(0, ids));
  const double prefill_rate = static_cast<double>(options.prompt) / prefill.seconds();
  const Stopwatch decode;
  for (int64_t i = 0; i < options.tokens; ++i) {
    if (interrupted()) return enm::Cancelled("interrupted");
    const int32_t token = ids[static_cast<size_t>(i % options.prompt)];
    ENM_RETURN_IF_ERROR(decoder.append(0, {&token, 1}));
  }
  const double decode_rate = static_cast<double>(options.tokens) / decode.seconds();
  ENM_ASSIGN_OR_RETURN(const enm::Isa isa, enm::select_isa());
  const int threads = thread_count(options.model.threads);
  if (context.json) {
    context.print(JsonObject()
                      .add("model", options.model.model)
                      .add("threads", threads)
                      .add("isa", enm::isa_name(isa))
                      .add("load_seconds", load_seconds)
                      .add("prefill_tokens_per_second", prefill_rate)
                      .add("decode_tokens_per_second", decode_rate)
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  } else {
    context.print(
        table({{"THREADS", "ISA", "LOAD S", "PREFILL TOK/S", "DECODE TOK/S", "PEAK MEMORY"},
               {enm::cat(threads), std::string(enm::isa_name(isa)), fixed(load_seconds, 2),
                fixed(prefill_rate, 1), fixed(decode_rate, 1), human_bytes(peak_rss_bytes())}}));
  }
  return {};
}

}  // namespace

void add_bench(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("bench", "Measure a model's speed");
  add_model_options(verb, options->model);
  verb->add_option("--prompt-tokens", options->prompt, "Tokens read at once")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->add_option("--tokens", options->tokens, "Tokens written one by one")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str();
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
