// Flags of every command that runs a model.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/model_argument.h"
#include "enm/pipeline/pipeline.h"

namespace cli {

struct ModelOptions {
  std::string model;
  int threads = 0;
  int64_t context = 0;
  bool allow_untrusted = false;
};

inline void add_model_options(CLI::App* verb, ModelOptions& options) {
  verb->add_option("model", options.model, "Model folder, .onnx file, or id")->required();
  verb->add_option("-t,--threads", options.threads, "Threads; 0 for one a processor")
      ->check(CLI::Range(0, 256));
  verb->add_flag("--allow-untrusted", options.allow_untrusted,
                 "Take a published model whoever signed it");
}

inline enm::Result<std::unique_ptr<enm::pipeline::Pipeline>> open_model(const ModelOptions& options,
                                                                        const Context& context,
                                                                        bool all_logits = false) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model,
                       resolve_model(options.model, context, options.allow_untrusted));
  enm::pipeline::OpenOptions open;
  open.model_file = model.file;
  open.threads = thread_count(options.threads);
  open.context_length = options.context;
  open.all_logits = all_logits;
  auto pipeline = enm::pipeline::Pipeline::open(model.files(), open);
  if (!pipeline.ok()) return pipeline.status().in(options.model);
  return pipeline;
}

}  // namespace cli
