#include <CLI/CLI.hpp>

#include <map>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "enm/families/recognize.h"
#include "enm/formats/onnx_writer.h"
#include "enm/graph/text.h"
#include "enm/ops/op.h"
#include "enm/pipeline/model_folder.h"

namespace cli {
namespace {

struct Options {
  std::string model;
  bool text = false;
};

std::vector<std::string> signature(const enm::graph::Graph& graph,
                                   const std::vector<enm::graph::ValueId>& ids) {
  std::vector<std::string> out;
  for (enm::graph::ValueId id : ids) {
    out.push_back(enm::cat(enm::shown(graph.value(id).name), ": ",
                           enm::graph::type_str(graph.value(id).type)));
  }
  return out;
}

JsonObject described(const enm::graph::ModelDescription& description) {
  JsonObject out;
  out.add("task", enm::graph::task_name(description.task))
      .add("family", description.family)
      .add("layers", description.layers.size())
      .add("vocabulary", description.vocabulary)
      .add("context_length", description.context_length)
      .add("dimensions", description.dimensions)
      .add("head", description.head)
      .add("pooling", description.pooling)
      .add("modules", description.modules.size());
  return out;
}

std::string summary(const enm::graph::ModelDescription& description) {
  using Task = enm::graph::ModelDescription::Task;
  if (description.task == Task::kUnknown) return "what the model is for is not known";
  std::string out(enm::graph::task_name(description.task));
  const auto add = [&](int64_t number, const char* what) {
    if (number > 0) out += enm::cat(", ", number, " ", what);
  };
  if (!description.family.empty()) out += enm::cat(", ", description.family);
  add(static_cast<int64_t>(description.layers.size()), "layers");
  add(description.dimensions, "dimensions");
  add(description.vocabulary, "tokens in the vocabulary");
  add(description.context_length, "positions");
  return out;
}

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const ModelArgument model, resolve_model(options.model, context));
  ENM_ASSIGN_OR_RETURN(const enm::graph::Graph graph,
                       enm::pipeline::load_graph(model.files(), model.file));
  if (options.text) {
    ENM_ASSIGN_OR_RETURN(const std::string text, enm::graph::to_text(graph, {.all_data = false}));
    context.print(std::string_view(text).substr(0, text.size() - 1));
    return {};
  }
  struct Count {
    int nodes = 0;
    bool runs = false;
  };
  std::map<std::string, Count> operators;
  for (const auto& node : graph.nodes) {
    const std::string op = node.domain.empty() ? node.op_type : node.domain + "." + node.op_type;
    Count& count = operators[enm::shown(op)];
    ++count.nodes;
    count.runs = enm::ops::find_op(graph, node) != nullptr;
  }
  const uint64_t bytes = enm::formats::constant_bytes(graph);
  ENM_ASSIGN_OR_RETURN(const auto description, enm::families::describe(graph));
  const auto inputs = signature(graph, graph.inputs);
  const auto outputs = signature(graph, graph.outputs);
  if (context.json) {
    JsonObject counts;
    for (const auto& [name, count] : operators) counts.add(name, count.nodes);
    context.print(JsonObject()
                      .add("producer", graph.producer)
                      .add("nodes", graph.nodes.size())
                      .add("weight_bytes", bytes)
                      .add("inputs", inputs)
                      .add("outputs", outputs)
                      .add("operators", counts.raw())
                      .add("description", described(description).raw())
                      .str());
    return {};
  }
  context.print(enm::cat(graph.nodes.size(), " nodes, ", human_bytes(bytes),
                         " of weights, made by ",
                         graph.producer.empty() ? "?" : enm::shown(graph.producer)));
  context.print(summary(description));
  for (const std::string& line : inputs) context.print("in   " + line);
  for (const std::string& line : outputs) context.print("out  " + line);
  std::vector<std::vector<std::string>> rows = {{"OPERATOR", "NODES", "RUNS HERE"}};
  for (const auto& [name, count] : operators) {
    rows.push_back({name, enm::cat(count.nodes), count.runs ? "yes" : "no"});
  }
  context.print(table(rows));
  return {};
}

}  // namespace

void add_inspect(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("inspect", "Show what is in a model");
  verb->add_option("model", options->model, "Model folder, or .onnx file")->required();
  verb->add_flag("--text", options->text, "The graph itself, large constants left out");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
