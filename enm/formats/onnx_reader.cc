#include "enm/formats/onnx_reader.h"

#include <unordered_set>

#include "enm/formats/onnx_fields.h"
#include "enm/formats/onnx_tensor.h"
#include "enm/formats/protobuf.h"

namespace enm::formats {
namespace {

using graph::Attribute;
using graph::DType;
using graph::Graph;
using graph::Node;
using graph::ValueId;

constexpr int64_t kOldestOpset = 13;
constexpr int64_t kNewestOpset = 23;

struct AttributeFields;

class Reader {
 public:
  Reader(Blob file, const FileSource* files, std::string folder)
      : file_(std::move(file)), files_(files), folder_(std::move(folder)) {}

  Result<Graph> read_model();

 private:
  Status read_graph(Bytes message);
  Status read_initializer(Bytes message);
  Status read_node(Bytes message);
  Status read_attribute(Bytes message, Node& node);
  Result<Attribute> attribute_value(AttributeFields fields, Bytes message) const;
  Result<ValueId> read_value_info(Bytes message);
  Status read_opset(Bytes message);
  Status read_metadata(Bytes message);
  Status check_opsets() const;
  Status check_order() const;

  ValueId value_named(std::string_view name) {
    if (name.empty()) return graph::kNoValue;
    const ValueId known = graph_.find_value(name);
    return known != graph::kNoValue ? known : graph_.add_value(std::string(name));
  }

  const Blob file_;
  const FileSource* files_;
  const std::string folder_;
  Graph graph_;
};

Result<graph::Shape> read_shape(Bytes message) {
  graph::Shape shape;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number != onnx::type::kDim) continue;
    graph::Dim dim;
    for (ProtoReader inner(field.bytes); !inner.done();) {
      ENM_ASSIGN_OR_RETURN(const ProtoField part, inner.next());
      if (part.number == onnx::type::kDimValue) dim = graph::Dim(part.as_int());
      if (part.number == onnx::type::kDimParam) dim = graph::Dim(std::string(part.text()));
    }
    shape.push_back(std::move(dim));
  }
  return shape;
}

// TypeProto; anything but a tensor reads as an unknown type.
Result<graph::Type> read_type(Bytes message) {
  graph::Type type;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number != onnx::type::kTensorType) continue;
    for (ProtoReader inner(field.bytes); !inner.done();) {
      ENM_ASSIGN_OR_RETURN(const ProtoField part, inner.next());
      if (part.number == onnx::type::kElementType) type.dtype = static_cast<DType>(part.integer);
      if (part.number == onnx::type::kShape) {
        ENM_ASSIGN_OR_RETURN(type.shape, read_shape(part.bytes));
      }
    }
  }
  return type;
}

Result<ValueId> Reader::read_value_info(Bytes message) {
  std::string name;
  graph::Type type;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number == onnx::value_info::kName) name = field.text();
    if (field.number == onnx::value_info::kType) {
      ENM_ASSIGN_OR_RETURN(type, read_type(field.bytes));
    }
  }
  if (name.empty()) return Corrupt("a value has no name");
  const ValueId id = value_named(name);
  if (!graph_.value(id).initializer) graph_.value(id).type = std::move(type);
  return id;
}

Status Reader::read_initializer(Bytes message) {
  ENM_ASSIGN_OR_RETURN(NamedTensor named, parse_tensor(file_, message, files_, folder_));
  if (named.name.empty()) return Corrupt("an initializer has no name");
  graph::Value& value = graph_.value(value_named(named.name));
  if (value.initializer) return Corrupt("initializer ", quoted(named.name), " stands twice");
  value.type = named.tensor.type();
  value.initializer = std::move(named.tensor);
  return {};
}

// What an AttributeProto says, before its type tells which of the fields counts.
struct AttributeFields {
  std::string name;
  int64_t kind = 0;
  int64_t integer = 0;
  float number = 0;
  std::string text;
  std::optional<Bytes> tensor;
  std::vector<int64_t> ints;
  std::vector<float> floats;
  std::vector<std::string> strings;
};

Result<AttributeFields> read_attribute_fields(Bytes message) {
  namespace at = onnx::attribute;
  AttributeFields out;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    switch (field.number) {
      case at::kName:
        out.name = field.text();
        break;
      case at::kType:
        out.kind = field.as_int();
        break;
      case at::kInt:
        out.integer = field.as_int();
        break;
      case at::kFloat:
        out.number = field.as_float();
        break;
      case at::kString:
        out.text = field.text();
        break;
      case at::kTensor:
        out.tensor = field.bytes;
        break;
      case at::kInts:
        ENM_RETURN_IF_ERROR(read_packed_ints(field, out.ints));
        break;
      case at::kFloats:
        ENM_RETURN_IF_ERROR(read_packed_floats(field, out.floats));
        break;
      case at::kStrings:
        out.strings.emplace_back(field.text());
        break;
      default:
        break;
    }
  }
  return out;
}

Result<Attribute> Reader::attribute_value(AttributeFields fields, Bytes message) const {
  namespace at = onnx::attribute;
  switch (fields.kind) {
    case at::kKindInt:
      return Attribute(fields.integer);
    case at::kKindFloat:
      return Attribute(fields.number);
    case at::kKindString:
      return Attribute(std::move(fields.text));
    case at::kKindInts:
      return Attribute(std::move(fields.ints));
    case at::kKindFloats:
      return Attribute(std::move(fields.floats));
    case at::kKindStrings:
      return Attribute(std::move(fields.strings));
    case at::kKindTensor: {
      if (!fields.tensor) return Corrupt("attribute ", quoted(fields.name), " has no tensor");
      ENM_ASSIGN_OR_RETURN(NamedTensor named, parse_tensor(file_, *fields.tensor, files_, folder_));
      return Attribute(std::move(named.tensor));
    }
    default:
      return Attribute(graph::OpaqueAttribute{{message.begin(), message.end()}});
  }
}

Status Reader::read_attribute(Bytes message, Node& node) {
  ENM_ASSIGN_OR_RETURN(AttributeFields fields, read_attribute_fields(message));
  std::string name = fields.name;
  ENM_ASSIGN_OR_RETURN(Attribute value, attribute_value(std::move(fields), message));
  if (!node.attributes.emplace(name, std::move(value)).second) {
    return Corrupt("attribute ", quoted(name), " stands twice");
  }
  return {};
}

Status Reader::read_node(Bytes message) {
  Node node;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    switch (field.number) {
      case onnx::node::kInput:
        node.inputs.push_back(value_named(field.text()));
        break;
      case onnx::node::kOutput:
        node.outputs.push_back(value_named(field.text()));
        break;
      case onnx::node::kName:
        node.name = field.text();
        break;
      case onnx::node::kOpType:
        node.op_type = field.text();
        break;
      case onnx::node::kDomain:
        node.domain = field.text();
        break;
      case onnx::node::kAttribute:
        ENM_RETURN_IF_ERROR(read_attribute(field.bytes, node).in(node.label()));
        break;
      default:
        break;
    }
  }
  if (node.op_type.empty()) return Corrupt("node ", quoted(node.name), " has no operator");
  if (node.domain == "ai.onnx") node.domain.clear();
  graph_.nodes.push_back(std::move(node));
  return {};
}

Status Reader::read_graph(Bytes message) {
  std::vector<ValueId> inputs;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    switch (field.number) {
      case onnx::graph::kName:
        graph_.name = field.text();
        break;
      case onnx::graph::kNode:
        ENM_RETURN_IF_ERROR(read_node(field.bytes));
        break;
      case onnx::graph::kInitializer:
        ENM_RETURN_IF_ERROR(read_initializer(field.bytes));
        break;
      case onnx::graph::kInput: {
        ENM_ASSIGN_OR_RETURN(const ValueId id, read_value_info(field.bytes));
        inputs.push_back(id);
        break;
      }
      case onnx::graph::kOutput: {
        ENM_ASSIGN_OR_RETURN(const ValueId id, read_value_info(field.bytes));
        graph_.outputs.push_back(id);
        break;
      }
      case onnx::graph::kValueInfo:
        ENM_RETURN_IF_ERROR(read_value_info(field.bytes).status());
        break;
      case onnx::graph::kSparseInitializer:
        return Unsupported("sparse initializers are not supported");
      default:
        break;
    }
  }
  // Files of IR version 3 list initializers among the inputs as well.
  for (ValueId id : inputs) {
    if (graph_.constant(id) == nullptr) graph_.inputs.push_back(id);
  }
  return {};
}

Status Reader::read_opset(Bytes message) {
  std::string domain;
  int64_t version = 0;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number == onnx::opset::kDomain) domain = field.text();
    if (field.number == onnx::opset::kVersion) version = field.as_int();
  }
  if (domain == "ai.onnx") domain.clear();
  graph_.opsets[domain] = version;
  return {};
}

Status Reader::read_metadata(Bytes message) {
  std::string key;
  std::string value;
  for (ProtoReader reader(message); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number == onnx::entry::kKey) key = field.text();
    if (field.number == onnx::entry::kValue) value = field.text();
  }
  graph_.metadata[key] = value;
  return {};
}

Status Reader::check_opsets() const {
  const auto found = graph_.opsets.find("");
  if (found == graph_.opsets.end()) return Corrupt("the model names no opset of ai.onnx");
  if (found->second < kOldestOpset || found->second > kNewestOpset) {
    return Unsupported("opset ", found->second, "; ", kOldestOpset, " to ", kNewestOpset,
                       " are supported. Export the model again with another opset");
  }
  return {};
}

// Each value is made once, and before it is read. A value that nobody in this graph makes may
// belong to a subgraph's outer scope only inside opaque attributes, never among a node's inputs.
Status Reader::check_order() const {
  std::unordered_set<ValueId> made(graph_.inputs.begin(), graph_.inputs.end());
  const auto exists = [&](ValueId id) {
    return made.contains(id) || graph_.constant(id) != nullptr;
  };
  for (const Node& node : graph_.nodes) {
    for (ValueId id : node.inputs) {
      if (id != graph::kNoValue && !exists(id)) {
        return Corrupt(node.label(), " reads ", quoted(graph_.value(id).name),
                       ", which nothing before it makes");
      }
    }
    for (ValueId id : node.outputs) {
      if (id == graph::kNoValue) continue;
      if (exists(id))
        return Corrupt(node.label(), " makes ", quoted(graph_.value(id).name), " again");
      made.insert(id);
    }
  }
  for (ValueId id : graph_.outputs) {
    if (!exists(id)) return Corrupt("nothing makes output ", quoted(graph_.value(id).name));
  }
  return {};
}

Result<Graph> Reader::read_model() {
  std::optional<Bytes> body;
  for (ProtoReader reader(file_.bytes()); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    switch (field.number) {
      case onnx::model::kGraph:
        if (body) return Corrupt("the model holds two graphs");
        body = field.bytes;
        break;
      case onnx::model::kProducerName:
        graph_.producer = field.text();
        break;
      case onnx::model::kOpsetImport:
        ENM_RETURN_IF_ERROR(read_opset(field.bytes));
        break;
      case onnx::model::kMetadataProps:
        ENM_RETURN_IF_ERROR(read_metadata(field.bytes));
        break;
      case onnx::model::kFunctions:
        return Unsupported("model-local functions are not supported; inline them first");
      case onnx::model::kTrainingInfo:
        return Unsupported("training graphs are not supported");
      default:
        break;
    }
  }
  if (!body) return Corrupt("no graph in ", file_.size(), " bytes; is this an ONNX file?");
  ENM_RETURN_IF_ERROR(check_opsets());
  ENM_RETURN_IF_ERROR(read_graph(*body));
  ENM_RETURN_IF_ERROR(check_order());
  return std::move(graph_);
}

}  // namespace

Result<Graph> read_onnx(const FileSource& files, const std::string& name) {
  ENM_ASSIGN_OR_RETURN(const Blob file, files.open(name));
  const size_t slash = name.rfind('/');
  Reader reader(file, &files, slash == std::string::npos ? "" : name.substr(0, slash + 1));
  auto graph = reader.read_model();
  if (!graph.ok()) return graph.status().in(cat("[onnx] ", name));
  return graph;
}

Result<graph::Tensor> read_tensor_proto(const Blob& bytes) {
  ENM_ASSIGN_OR_RETURN(NamedTensor named, parse_tensor(bytes, bytes.bytes(), nullptr, ""));
  return std::move(named.tensor);
}

}  // namespace enm::formats
