// Flags of every command that runs a model.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/chat_files.h"
#include "cli/model_argument.h"
#include "enm/pipeline/session.h"

namespace cli {

struct ModelOptions {
  std::string model;
  int threads = 0;
  int64_t context = 0;
  int sequences = 1;
  uint64_t memory_limit_mb = 0;
  int accuracy_level = enm::pipeline::ModelOptions::kAccuracyOfFile;
  bool allow_untrusted = false;
  std::string chat_template;  // a file; empty for the model's own
};

inline void add_model_options(CLI::App* verb, ModelOptions& options) {
  verb->add_option("model", options.model, "Model folder, .onnx or .gguf file, id, or hf:org/name")
      ->required();
  verb->add_option("-t,--threads", options.threads, "Threads; 0 for one a processor")
      ->check(CLI::Range(0, 256));
  verb->add_option("--memory-limit", options.memory_limit_mb,
                   "MB of weights, caches and working memory; 0 for the machine's")
      ->check(CLI::Range(0, 1 << 24));
  verb->add_option("--accuracy-level", options.accuracy_level,
                   "4 multiplies low-bit weights with int8 activations, 0 with floats")
      ->check(CLI::IsMember({0, 4}));
  verb->add_flag("--allow-untrusted", options.allow_untrusted,
                 "Take a published model whoever signed it");
}

/// A model with a session of its own.
struct OpenedModel {
  std::unique_ptr<enm::ThreadPool> pool;
  std::shared_ptr<const enm::pipeline::Model> model;
  std::unique_ptr<enm::pipeline::Session> session;

  enm::pipeline::Session* operator->() const { return session.get(); }
};

inline enm::Result<OpenedModel> open_model(const ModelOptions& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument argument,
                       resolve_model(options.model, context, options.allow_untrusted));
  OpenedModel out;
  out.pool = std::make_unique<enm::ThreadPool>(thread_count(options.threads));
  ENM_ASSIGN_OR_RETURN(const std::string chat_template, read_chat_template(options.chat_template));
  auto model = enm::pipeline::Model::open(argument.files(),
                                          {.model_file = argument.file,
                                           .context = options.context,
                                           .memory_limit = options.memory_limit_mb << 20,
                                           .accuracy_level = options.accuracy_level,
                                           .chat_template = chat_template},
                                          *out.pool);
  if (!model.ok()) return model.status().in(options.model);
  out.model = *std::move(model);
  auto session = enm::pipeline::Session::open(
      out.model, {.context_length = options.context, .sequences = options.sequences}, *out.pool);
  if (!session.ok()) return session.status().in(options.model);
  out.session = *std::move(session);
  return out;
}

}  // namespace cli
