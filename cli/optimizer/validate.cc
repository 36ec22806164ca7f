#include "cli/optimizer/validate.h"

#include <algorithm>

#include "cli/output/format.h"

namespace cli {

using enm::quantize::Comparison;
using enm::quantize::Protocol;

namespace {

Protocol protocol_of(const OptimizeOptions& options) {
  Protocol out;
  if (options.validation_protocol == "gptq") out.kind = Protocol::Kind::kGptq;
  if (options.validation_protocol == "llama.cpp") out.kind = Protocol::Kind::kLlamaCpp;
  out.length = options.validation_length;
  out.most = options.validation_windows;
  return out;
}

// Lines of plain text are texts of their own to an embedder.
std::vector<std::string> sentences_of(const std::vector<std::string>& documents, int64_t most) {
  std::vector<std::string> out;
  for (const std::string& document : documents) {
    for (std::string_view line : enm::split(document, '\n')) {
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
      if (most > 0 && static_cast<int64_t>(out.size()) == most) return out;
      out.emplace_back(line);
    }
  }
  return out;
}

}  // namespace

enm::Result<Comparison> validate(const OptimizeOptions& options, const ModelArgument& source,
                                 const std::string& output, std::string text,
                                 const Context& context) {
  std::vector<std::string> documents = {std::move(text)};
  if (!options.validation_data.empty()) {
    ENM_ASSIGN_OR_RETURN(documents, enm::quantize::read_documents(options.validation_data));
  }
  enm::ThreadPool pool(thread_count(options.threads));
  // In floats, so that what is measured are the weights.
  enm::pipeline::ModelOptions how{.model_file = source.file, .context = options.context};
  how.accuracy_level = 0;
  ENM_ASSIGN_OR_RETURN(const auto before, enm::pipeline::Model::open(source.files(), how, pool));
  ENM_ASSIGN_OR_RETURN(const ModelArgument written, find_model(output));
  how.model_file = written.file;
  how.context = 0;
  ENM_ASSIGN_OR_RETURN(const auto after, enm::pipeline::Model::open(written.files(), how, pool));
  if (before->encoder() != nullptr) {
    return enm::quantize::compare_vectors(
        before, after, sentences_of(documents, options.validation_windows), pool);
  }
  Progress progress = context.progress("validating", 0, Unit::kItems);
  return enm::quantize::compare_texts(
      before, after, enm::join(documents, "\n\n"), protocol_of(options), pool,
      [&](int64_t done, int64_t total) {
        progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
        return interrupted() ? enm::Cancelled("interrupted; the model is written, not validated")
                             : enm::Status();
      });
}

std::vector<std::string> broken_thresholds(const OptimizeOptions& options, const Comparison& c) {
  std::vector<std::string> out;
  const auto hold = [&](double limit, bool holds, std::string what) {
    if (limit >= 0 && !holds) out.push_back(std::move(what));
  };
  if (c.cosine) {
    hold(options.min_cosine, *c.cosine >= options.min_cosine,
         enm::cat("mean cosine ", fixed(*c.cosine, 5), " is below ", options.min_cosine));
    const double others = std::max({options.max_ppl_increase, options.max_kl, options.min_top1});
    hold(others, false, "an embedder is held to --min-cosine alone");
    return out;
  }
  hold(options.min_cosine, false, "--min-cosine is for embedders");
  const double increase = c.after / c.before - 1;
  hold(options.max_ppl_increase, increase <= options.max_ppl_increase,
       enm::cat("perplexity rose by ", fixed(100 * increase, 2), " %, more than ",
                100 * options.max_ppl_increase, " %"));
  hold(options.max_kl, c.kl <= options.max_kl,
       enm::cat("KL divergence ", fixed(c.kl, 5), " is above ", options.max_kl));
  hold(options.min_top1, c.top1 >= options.min_top1,
       enm::cat("top-1 agreement ", fixed(c.top1, 4), " is below ", options.min_top1));
  return out;
}

RawJson validation_json(const Comparison& c, bool passed) {
  JsonObject out;
  if (c.cosine) {
    out.add("cosine", *c.cosine).add("least_cosine", *c.least_cosine).add("texts", c.windows);
  } else {
    out.add("perplexity", JsonObject()
                              .add("before", c.before)
                              .add("after", c.after)
                              .add("protocol", c.protocol)
                              .add("windows", c.windows)
                              .add("tokens", c.tokens)
                              .raw())
        .add("kl", c.kl)
        .add("top1", c.top1);
  }
  return out.add("passed", passed).raw();
}

std::string validation_line(const Comparison& c) {
  if (c.cosine) {
    return enm::cat("cosine to the original ", fixed(*c.cosine, 5), ", least ",
                    fixed(*c.least_cosine, 5), ", over ", c.windows, " texts");
  }
  return enm::cat("perplexity ", fixed(c.before, 3), " -> ", fixed(c.after, 3), " (", c.protocol,
                  "), KL ", fixed(c.kl, 5), ", top-1 agreement ", fixed(100 * c.top1, 2), " %");
}

}  // namespace cli
