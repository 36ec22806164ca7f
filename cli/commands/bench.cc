#include <map>
#include <utility>

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
  int64_t batch = 1;
  bool profile = false;
};

// Seconds by operator.
class Profile final : public enm::runtime::StepObserver {
 public:
  void before(const enm::runtime::Program::Step&) override { watch_ = Stopwatch(); }
  void after(const enm::runtime::Program::Step& step) override {
    seconds_[std::string(step.attributes.op().name)] += watch_.seconds();
  }
  /// What was counted since the last call.
  std::map<std::string, double> take() { return std::exchange(seconds_, {}); }

 private:
  Stopwatch watch_;
  std::map<std::string, double> seconds_;
};

// One token of each sequence in a pass; tokens a second over all of them.
enm::Result<double> decode_rate(enm::runtime::Decoder& decoder, const std::vector<int32_t>& ids,
                                const Options& options) {
  using Feed = enm::runtime::Decoder::Feed;
  std::vector<Feed> feeds;
  for (int sequence = 0; sequence < static_cast<int>(options.batch); ++sequence) {
    feeds.push_back({sequence, {}});
    if (sequence > 0) ENM_RETURN_IF_ERROR(decoder.append(sequence, ids));
  }
  const Stopwatch watch;
  for (int64_t i = 0; i < options.tokens; ++i) {
    if (interrupted()) return enm::Cancelled("interrupted");
    for (Feed& feed : feeds) feed.tokens = {&ids[static_cast<size_t>(i) % ids.size()], 1};
    ENM_RETURN_IF_ERROR(decoder.begin(feeds));
    ENM_RETURN_IF_ERROR(decoder.finish());
  }
  return static_cast<double>(options.tokens * options.batch) / watch.seconds();
}

JsonObject to_object(const std::map<std::string, double>& seconds) {
  JsonObject out;
  for (const auto& [name, value] : seconds) out.add(name, value);
  return out;
}

std::string profile_table(const std::map<std::string, double>& prefill,
                          const std::map<std::string, double>& decode) {
  std::vector<std::vector<std::string>> rows = {{"OPERATOR", "PREFILL MS", "DECODE MS"}};
  for (const auto& [name, seconds] : prefill) {
    const auto other = decode.find(name);
    rows.push_back({name, fixed(seconds * 1e3, 2),
                    fixed((other != decode.end() ? other->second : 0) * 1e3, 2)});
  }
  return table(rows);
}

enm::Status run(Options options, const Context& context) {
  options.model.sequences = static_cast<int>(options.batch);
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
  Profile profile;
  if (options.profile) decoder.observe(&profile);
  const Stopwatch prefill;
  ENM_RETURN_IF_ERROR(decoder.append(0, ids));
  const double prefill_rate = static_cast<double>(options.prompt) / prefill.seconds();
  const auto prefill_profile = profile.take();
  ENM_ASSIGN_OR_RETURN(const double decoded, decode_rate(decoder, ids, options));
  const auto decode_profile = profile.take();
  ENM_ASSIGN_OR_RETURN(const enm::Isa isa, enm::select_isa());
  const int threads = thread_count(options.model.threads);
  if (context.json) {
    context.print(JsonObject()
                      .add("model", options.model.model)
                      .add("threads", threads)
                      .add("isa", enm::isa_name(isa))
                      .add("load_seconds", load_seconds)
                      .add("prefill_tokens_per_second", prefill_rate)
                      .add("batch", options.batch)
                      .add("decode_tokens_per_second", decoded)
                      .add("prefill_profile", to_object(prefill_profile).raw())
                      .add("decode_profile", to_object(decode_profile).raw())
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  } else {
    context.print(
        table({{"THREADS", "ISA", "LOAD S", "PREFILL TOK/S", "DECODE TOK/S", "PEAK MEMORY"},
               {enm::cat(threads), std::string(enm::isa_name(isa)), fixed(load_seconds, 2),
                fixed(prefill_rate, 1), fixed(decoded, 1), human_bytes(peak_rss_bytes())}}));
    if (options.profile) context.print(profile_table(prefill_profile, decode_profile));
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
  verb->add_option("--batch", options->batch, "Sequences that are continued at once")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  verb->add_flag("--profile", options->profile, "Time by operator");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
