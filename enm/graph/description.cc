#include "enm/graph/description.h"

#include <algorithm>

#include "enm/base/json.h"

namespace enm::graph {
namespace {

using Task = ModelDescription::Task;

constexpr std::string_view kKey = "edge-net-models.description";

// One list of the fields drives writing and reading.
template <typename Visitor>
void visit_fields(Visitor& visit, auto& description) {
  visit("family", description.family);
  visit("input_ids", description.input_ids);
  visit("attention_mask", description.attention_mask);
  visit("position_ids", description.position_ids);
  visit("token_type_ids", description.token_type_ids);
  visit("output", description.output);
  visit("context_length", description.context_length);
  visit("vocabulary", description.vocabulary);
  visit("dimensions", description.dimensions);
  visit("head", description.head);
  visit("pooling", description.pooling);
}

template <typename Visitor>
void visit_layer(Visitor& visit, auto& layer) {
  visit("past_key", layer.past_key);
  visit("past_value", layer.past_value);
  visit("present_key", layer.present_key);
  visit("present_value", layer.present_value);
  visit("kv_heads", layer.kv_heads);
  visit("head_dim", layer.head_dim);
  visit("window", layer.window);
}

class Writer {
 public:
  void operator()(std::string_view key, const std::string& value) {
    if (!value.empty()) add(key, json_quote(value));
  }
  void operator()(std::string_view key, int64_t value) {
    if (value != 0) add(key, cat(value));
  }
  void add(std::string_view key, std::string_view value) {
    text_ += cat(text_.empty() ? "{" : ",", json_quote(key), ":", value);
  }
  std::string finish() { return text_.empty() ? "{}" : cat(text_, "}"); }

 private:
  std::string text_;
};

class Reader {
 public:
  explicit Reader(const Json& json) : json_(json) {}
  void operator()(std::string_view key, std::string& value) {
    if (status_.ok()) take(json_.get_string(key, ""), value);
  }
  void operator()(std::string_view key, int64_t& value) {
    if (!status_.ok()) return;
    take(json_.get_int(key, 0), value);
    if (value < 0 || value > int64_t{1} << 32) status_ = Corrupt(key, " is ", value);
  }
  const Status& status() const { return status_; }

 private:
  template <typename T>
  void take(Result<T> result, T& value) {
    if (result.ok()) {
      value = *std::move(result);
    } else {
      status_ = result.status();
    }
  }
  const Json& json_;
  Status status_;
};

Result<Task> read_task(std::string_view name) {
  for (Task task : {Task::kTextGeneration, Task::kEmbedding, Task::kUnknown}) {
    if (task_name(task) == name) return task;
  }
  return Unsupported("task ", quoted(name));
}

// Holds values to what a description says they are: each stands once.
class RoleChecker {
 public:
  explicit RoleChecker(const Graph& graph) : graph_(graph), roles_(graph.value_count(), kNone) {
    for (ValueId id : graph.outputs) roles_[static_cast<size_t>(id)] = kOutput;
    for (ValueId id : graph.inputs) roles_[static_cast<size_t>(id)] = kInput;
  }
  Status input(std::string_view name) { return take(name, kInput, "input"); }
  Status output(std::string_view name) { return take(name, kOutput, "computed output"); }

 private:
  enum Role : uint8_t { kNone, kInput, kOutput, kTaken };

  Status take(std::string_view name, Role expected, std::string_view kind) {
    const ValueId id = graph_.find_value(name);
    Role role = id == kNoValue ? kNone : roles_[static_cast<size_t>(id)];
    if (role == kTaken) return Corrupt(quoted(name), " stands for two things");
    if (role != expected || graph_.constant(id) != nullptr) {
      return Corrupt("there is no ", kind, " ", quoted(name));
    }
    roles_[static_cast<size_t>(id)] = kTaken;
    return {};
  }

  const Graph& graph_;
  std::vector<Role> roles_;
};

Result<ModelDescription> parse(std::string_view metadata) {
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(metadata));
  ModelDescription out;
  ENM_ASSIGN_OR_RETURN(const std::string task, json.get_string("task"));
  ENM_ASSIGN_OR_RETURN(out.task, read_task(task));
  ENM_ASSIGN_OR_RETURN(out.normalized, json.get_bool("normalized", false));
  Reader reader(json);
  visit_fields(reader, out);
  ENM_RETURN_IF_ERROR(reader.status());
  if (const Json* layers = json.find("layers"); layers != nullptr) {
    for (const Json& item : layers->items()) {
      Reader layer(item);
      visit_layer(layer, out.layers.emplace_back());
      ENM_RETURN_IF_ERROR(layer.status());
    }
  }
  if (const Json* modules = json.find("modules"); modules != nullptr) {
    for (const Json& item : modules->items()) {
      ModelDescription::Module& module = out.modules.emplace_back();
      ENM_ASSIGN_OR_RETURN(module.name, item.get_string("name"));
      ENM_ASSIGN_OR_RETURN(module.node, item.get_string("node"));
    }
  }
  return out;
}

}  // namespace

std::string_view task_name(Task task) {
  switch (task) {
    case Task::kTextGeneration:
      return "text-generation";
    case Task::kEmbedding:
      return "feature-extraction";
    case Task::kUnknown:
      break;
  }
  return "unknown";
}

bool has_description(const Graph& graph) {
  return graph.metadata.find(std::string(kKey)) != graph.metadata.end();
}

void write_description(const ModelDescription& description, Graph& graph) {
  Writer writer;
  writer.add("task", json_quote(task_name(description.task)));
  visit_fields(writer, description);
  if (description.normalized) writer.add("normalized", "true");
  std::vector<std::string> layers;
  for (const ModelDescription::Layer& layer : description.layers) {
    Writer one;
    visit_layer(one, layer);
    layers.push_back(one.finish());
  }
  if (!layers.empty()) writer.add("layers", cat("[", join(layers, ","), "]"));
  std::vector<std::string> modules;
  for (const ModelDescription::Module& module : description.modules) {
    Writer one;
    one("name", module.name);
    one("node", module.node);
    modules.push_back(one.finish());
  }
  if (!modules.empty()) writer.add("modules", cat("[", join(modules, ","), "]"));
  graph.metadata[std::string(kKey)] = writer.finish();
}

Status check_description(const ModelDescription& d, const Graph& graph) {
  RoleChecker roles(graph);
  for (const std::string* name :
       {&d.input_ids, &d.attention_mask, &d.position_ids, &d.token_type_ids}) {
    if (!name->empty()) ENM_RETURN_IF_ERROR(roles.input(*name));
  }
  ENM_RETURN_IF_ERROR(roles.output(d.output));
  for (const ModelDescription::Layer& layer : d.layers) {
    ENM_RETURN_IF_ERROR(roles.input(layer.past_key));
    ENM_RETURN_IF_ERROR(roles.input(layer.past_value));
    ENM_RETURN_IF_ERROR(roles.output(layer.present_key));
    ENM_RETURN_IF_ERROR(roles.output(layer.present_value));
  }
  return {};
}

Result<ModelDescription> read_description(const Graph& graph) {
  const auto found = graph.metadata.find(std::string(kKey));
  if (found == graph.metadata.end()) return NotFound("the file says not what the model is");
  auto description = parse(found->second);
  Status status = description.status();
  if (status.ok()) status = check_description(*description, graph);
  if (!status.ok()) return Corrupt("[graph] the model's description: ", status.message());
  return description;
}

}  // namespace enm::graph
