#include "enm/graph/verify.h"

namespace enm::graph {
namespace {

class Verifier {
 public:
  explicit Verifier(const Graph& graph) : graph_(graph), made_(graph.value_count(), false) {}

  Status run() {
    ENM_RETURN_IF_ERROR(constants());
    for (ValueId id : graph_.inputs) ENM_RETURN_IF_ERROR(make(id, "the graph's inputs"));
    for (const Node& node : graph_.nodes) {
      if (node.op_type.empty()) return Corrupt("node ", quoted(node.name), " has no operator");
      for (ValueId id : node.inputs) ENM_RETURN_IF_ERROR(read(id, node.label()));
      for (ValueId id : node.outputs) {
        if (id != kNoValue) ENM_RETURN_IF_ERROR(make(id, node.label()));
      }
    }
    for (ValueId id : graph_.outputs) {
      if (id == kNoValue) return Corrupt("an output of the graph is missing");
      ENM_RETURN_IF_ERROR(read(id, "the graph's outputs"));
    }
    return {};
  }

 private:
  bool exists(ValueId id) const {
    return id >= 0 && static_cast<size_t>(id) < graph_.value_count();
  }

  Status constants() {
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const Value& value = graph_.value(static_cast<ValueId>(i));
      if (graph_.find_value(value.name) != static_cast<ValueId>(i)) {
        return Corrupt("two values are named ", quoted(value.name));
      }
      if (!value.initializer) continue;
      made_[i] = true;
      const Tensor& tensor = *value.initializer;
      const auto count = checked_element_count(tensor.dims);
      if (!count.ok()) return count.status().in(cat("constant ", quoted(value.name)));
      if (tensor.dtype == DType::kUndefined) {
        return Corrupt("constant ", quoted(value.name), " has no type");
      }
      const bool is_sized = dtype_bits(tensor.dtype) > 0;
      if (is_sized && tensor.data.size() != byte_size(tensor.dtype, *count)) {
        return Corrupt("constant ", quoted(value.name), " is ", type_str(tensor.type()),
                       " and has ", tensor.data.size(), " bytes; expected ",
                       byte_size(tensor.dtype, *count));
      }
    }
    return {};
  }

  Status make(ValueId id, std::string_view maker) {
    if (!exists(id)) return Corrupt(maker, ": value ", id, " does not exist");
    if (made_[static_cast<size_t>(id)]) {
      return Corrupt(maker, ": value ", quoted(graph_.value(id).name), " is made twice");
    }
    made_[static_cast<size_t>(id)] = true;
    return {};
  }

  Status read(ValueId id, std::string_view reader) const {
    if (id == kNoValue) return {};
    if (!exists(id)) return Corrupt(reader, ": value ", id, " does not exist");
    if (made_[static_cast<size_t>(id)]) return {};
    return Corrupt(reader, ": value ", quoted(graph_.value(id).name), " is read before it is made");
  }

  const Graph& graph_;
  std::vector<bool> made_;
};

}  // namespace

Status verify(const Graph& graph) { return Verifier(graph).run().in("[graph]"); }

}  // namespace enm::graph
