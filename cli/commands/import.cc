#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/flags.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "enm/passes/pass.h"
#include "enm/pipeline/model_folder.h"

namespace cli {
namespace {

struct Options {
  std::string source;
  std::string output;
  bool external_data = false;
  bool dequantize = false;
  int64_t context = 0;
};

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument source, find_checkpoint(options.source, context));
  ENM_ASSIGN_OR_RETURN(
      enm::graph::Graph graph,
      enm::pipeline::load_graph(source.files(), source.file,
                                {.context = options.context, .keep_blocks = !options.dequantize}));
  ENM_ASSIGN_OR_RETURN(const auto passes,
                       enm::passes::run_passes(graph, enm::passes::standard_passes()));
  for (const auto& pass : passes) {
    if (pass.rewrites > 0) context.say(enm::cat(pass.name, ": ", pass.rewrites, " rewrites"));
  }
  ENM_ASSIGN_OR_RETURN(const Exported exported,
                       export_model(graph, source, options.output,
                                    {.external_data = options.external_data}, context));
  context.say(enm::cat("wrote ", exported.path, ", ", human_bytes(exported.bytes)));
  if (context.json) {
    context.print(JsonObject()
                      .add("model", exported.path)
                      .add("bytes", exported.bytes)
                      .add("nodes", graph.nodes.size())
                      .str());
  }
  return {};
}

}  // namespace

void add_import(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("import", "Turn a checkpoint into ONNX");
  verb->add_option("source", options->source,
                   "Folder with config.json and safetensors, .gguf file, or hf:org/name")
      ->required();
  verb->add_option("-o,--output", options->output, "Folder, or file ending in .onnx")->required();
  verb->add_flag("--external-data", options->external_data,
                 "Tensors in a file of their own beside the model, as above 256 MB anyway");
  verb->add_flag("--dequantize", options->dequantize,
                 "Low-bit blocks of a .gguf file become floats first");
  verb->add_option("--context", options->context,
                   "Positions that the file has room for; 0 for the model's, up to 8192")
      ->check(not_negative());
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
