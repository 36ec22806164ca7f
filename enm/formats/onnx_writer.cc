#include "enm/formats/onnx_writer.h"

#include <algorithm>

#include "enm/formats/onnx_fields.h"
#include "enm/formats/protobuf.h"

namespace enm::formats {
namespace {

using graph::Graph;
using graph::Node;
using graph::Tensor;
using graph::Value;
using graph::ValueId;

constexpr int64_t kIrVersion = 10;
constexpr uint64_t kAlignment = 4096;

// A TensorProto without its bytes.
ProtoWriter tensor_head(const std::string& name, const Tensor& tensor) {
  ProtoWriter out;
  if (!tensor.dims.empty()) out.packed_ints(onnx::tensor::kDims, tensor.dims);
  out.integer(onnx::tensor::kDataType, static_cast<int64_t>(tensor.dtype));
  if (!name.empty()) out.text(onnx::tensor::kName, name);
  return out;
}

Result<ProtoWriter> inline_tensor(const std::string& name, const Tensor& tensor) {
  ProtoWriter out = tensor_head(name, tensor);
  ENM_ASSIGN_OR_RETURN(const Blob data, tensor.data.load());
  out.bytes(onnx::tensor::kRawData, data.bytes());
  return out;
}

Result<ProtoWriter> attribute_proto(const std::string& name, const graph::Attribute& value) {
  namespace at = onnx::attribute;
  ProtoWriter out;
  out.text(at::kName, name);
  int64_t kind = 0;
  if (const auto* i = std::get_if<int64_t>(&value)) {
    out.integer(at::kInt, *i);
    kind = at::kKindInt;
  } else if (const auto* f = std::get_if<float>(&value)) {
    out.float32(at::kFloat, *f);
    kind = at::kKindFloat;
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    out.text(at::kString, *s);
    kind = at::kKindString;
  } else if (const auto* t = std::get_if<Tensor>(&value)) {
    ENM_ASSIGN_OR_RETURN(const ProtoWriter tensor, inline_tensor("", *t));
    out.message(at::kTensor, tensor);
    kind = at::kKindTensor;
  } else if (const auto* ints = std::get_if<std::vector<int64_t>>(&value)) {
    for (int64_t each : *ints) out.integer(at::kInts, each);
    kind = at::kKindInts;
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    for (float each : *floats) out.float32(at::kFloats, each);
    kind = at::kKindFloats;
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
    for (const std::string& each : *strings) out.text(at::kStrings, each);
    kind = at::kKindStrings;
  } else {
    ProtoWriter carried;  // the whole AttributeProto, name included
    carried.raw(std::get<graph::OpaqueAttribute>(value).attribute_proto);
    return carried;
  }
  out.integer(at::kType, kind);
  return out;
}

Result<ProtoWriter> node_proto(const Graph& graph, const Node& node) {
  ProtoWriter out;
  const auto name_of = [&](ValueId id) -> std::string_view {
    return id == graph::kNoValue ? std::string_view() : graph.value(id).name;
  };
  for (ValueId id : node.inputs) out.text(onnx::node::kInput, name_of(id));
  for (ValueId id : node.outputs) out.text(onnx::node::kOutput, name_of(id));
  if (!node.name.empty()) out.text(onnx::node::kName, node.name);
  out.text(onnx::node::kOpType, node.op_type);
  for (const auto& [name, value] : node.attributes) {
    ENM_ASSIGN_OR_RETURN(const ProtoWriter attribute, attribute_proto(name, value));
    out.message(onnx::node::kAttribute, attribute);
  }
  if (!node.domain.empty()) out.text(onnx::node::kDomain, node.domain);
  return out;
}

ProtoWriter value_info(const Value& value) {
  ProtoWriter tensor;
  tensor.integer(onnx::type::kElementType, static_cast<int64_t>(value.type.dtype));
  if (value.type.shape) {
    ProtoWriter shape;
    for (const graph::Dim& dim : *value.type.shape) {
      ProtoWriter one;
      if (dim.is_known()) {
        one.integer(onnx::type::kDimValue, dim.value());
      } else if (dim.is_symbolic()) {
        one.text(onnx::type::kDimParam, dim.symbol());
      }
      shape.message(onnx::type::kDim, one);
    }
    tensor.message(onnx::type::kShape, shape);
  }
  ProtoWriter type;
  type.message(onnx::type::kTensorType, tensor);
  ProtoWriter out;
  out.text(onnx::value_info::kName, value.name);
  out.message(onnx::value_info::kType, type);
  return out;
}

// The constants in the order of their first use, which is the order a streaming reader wants them.
std::vector<ValueId> constants_in_use_order(const Graph& graph) {
  std::vector<bool> seen(graph.value_count(), false);
  std::vector<ValueId> out;
  const auto visit = [&](ValueId id) {
    if (id == graph::kNoValue || seen[static_cast<size_t>(id)]) return;
    seen[static_cast<size_t>(id)] = true;
    if (graph.constant(id) != nullptr) out.push_back(id);
  };
  for (const Node& node : graph.nodes) std::for_each(node.inputs.begin(), node.inputs.end(), visit);
  std::for_each(graph.outputs.begin(), graph.outputs.end(), visit);
  return out;
}

// Everything of the GraphProto but the initializers.
Result<ProtoWriter> graph_head(const Graph& graph) {
  ProtoWriter out;
  for (const Node& node : graph.nodes) {
    ENM_ASSIGN_OR_RETURN(const ProtoWriter proto, node_proto(graph, node));
    out.message(onnx::graph::kNode, proto);
  }
  out.text(onnx::graph::kName, graph.name.empty() ? "main" : graph.name);
  for (ValueId id : graph.inputs) out.message(onnx::graph::kInput, value_info(graph.value(id)));
  for (ValueId id : graph.outputs) out.message(onnx::graph::kOutput, value_info(graph.value(id)));
  return out;
}

// Everything of the ModelProto but the graph.
ProtoWriter model_head(const Graph& graph) {
  ProtoWriter out;
  out.integer(onnx::model::kIrVersion, kIrVersion);
  out.text(onnx::model::kProducerName, graph.producer);
  for (const auto& [domain, version] : graph.opsets) {
    ProtoWriter opset;
    opset.text(onnx::opset::kDomain, domain);
    opset.integer(onnx::opset::kVersion, version);
    out.message(onnx::model::kOpsetImport, opset);
  }
  for (const auto& [key, value] : graph.metadata) {
    ProtoWriter entry;
    entry.text(onnx::entry::kKey, key);
    entry.text(onnx::entry::kValue, value);
    out.message(onnx::model::kMetadataProps, entry);
  }
  return out;
}

ProtoWriter entry_of(std::string_view key, std::string_view value) {
  ProtoWriter out;
  out.text(onnx::entry::kKey, key);
  out.text(onnx::entry::kValue, value);
  return out;
}

ProtoWriter external_tensor(const std::string& name, const Tensor& tensor,
                            const std::string& location, uint64_t offset) {
  ProtoWriter out = tensor_head(name, tensor);
  out.message(onnx::tensor::kExternalData, entry_of("location", location));
  out.message(onnx::tensor::kExternalData, entry_of("offset", cat(offset)));
  out.message(onnx::tensor::kExternalData, entry_of("length", cat(tensor.data.size())));
  out.integer(onnx::tensor::kDataLocation, onnx::tensor::kLocationExternal);
  return out;
}

// Writes a tensor's bytes and lets go of them, its mapping included.
Status write_data(const Value& value, ByteSink& sink) {
  const auto data = value.initializer->data.load();
  if (!data.ok()) return data.status().in(value.name);
  ENM_RETURN_IF_ERROR(sink.write(data->bytes()));
  data->discard_pages();
  return {};
}

Status report(const OnnxWriteOptions& options, uint64_t done, uint64_t total) {
  return options.progress ? options.progress(done, total) : Status();
}

}  // namespace

uint64_t constant_bytes(const Graph& graph) {
  uint64_t total = 0;
  for (ValueId id : constants_in_use_order(graph)) total += graph.constant(id)->data.size();
  return total;
}

Status write_onnx(const Graph& graph, ByteSink& sink, const OnnxWriteOptions& options) {
  const uint64_t total = constant_bytes(graph);
  if (total > kMostInlineBytes) {
    return Unsupported("[onnx] ", total,
                       " bytes of tensors do not fit one protobuf message; write ",
                       "external data");
  }
  ENM_ASSIGN_OR_RETURN(const ProtoWriter head, graph_head(graph));
  const std::vector<ValueId> constants = constants_in_use_order(graph);

  // Lengths are known before any tensor is made, so nothing has to be kept to be measured.
  struct Piece {
    ProtoWriter before;  // field header, TensorProto head, raw_data header
    ValueId id;
  };
  std::vector<Piece> pieces;
  uint64_t graph_size = head.size();
  for (ValueId id : constants) {
    const Value& value = graph.value(id);
    ProtoWriter tensor = tensor_head(value.name, *value.initializer);
    tensor.header(onnx::tensor::kRawData, value.initializer->data.size());
    Piece piece{{}, id};
    piece.before.header(onnx::graph::kInitializer, tensor.size() + value.initializer->data.size());
    piece.before.raw(tensor.result());
    graph_size += piece.before.size() + value.initializer->data.size();
    pieces.push_back(std::move(piece));
  }

  ProtoWriter start = model_head(graph);
  start.header(onnx::model::kGraph, graph_size);
  start.raw(head.result());
  ENM_RETURN_IF_ERROR(sink.write(start.result()));
  uint64_t done = 0;
  for (const Piece& piece : pieces) {
    ENM_RETURN_IF_ERROR(sink.write(piece.before.result()));
    ENM_RETURN_IF_ERROR(write_data(graph.value(piece.id), sink));
    done += graph.constant(piece.id)->data.size();
    ENM_RETURN_IF_ERROR(report(options, done, total));
  }
  return {};
}

Status write_onnx_external(const Graph& graph, ByteSink& model, ByteSink& data,
                           const std::string& location, const OnnxWriteOptions& options) {
  ENM_ASSIGN_OR_RETURN(ProtoWriter body, graph_head(graph));
  const uint64_t total = constant_bytes(graph);
  uint64_t done = 0;
  uint64_t offset = 0;
  for (ValueId id : constants_in_use_order(graph)) {
    const Value& value = graph.value(id);
    const uint64_t size = value.initializer->data.size();
    if (size < kExternalThreshold) {
      ENM_ASSIGN_OR_RETURN(const ProtoWriter tensor, inline_tensor(value.name, *value.initializer));
      body.message(onnx::graph::kInitializer, tensor);
    } else {
      const std::vector<uint8_t> padding((kAlignment - offset % kAlignment) % kAlignment);
      ENM_RETURN_IF_ERROR(data.write(padding));
      offset += padding.size();
      body.message(onnx::graph::kInitializer,
                   external_tensor(value.name, *value.initializer, location, offset));
      ENM_RETURN_IF_ERROR(write_data(value, data));
      offset += size;
    }
    done += size;
    ENM_RETURN_IF_ERROR(report(options, done, total));
  }
  ProtoWriter out = model_head(graph);
  out.message(onnx::model::kGraph, body);
  return model.write(out.result());
}

}  // namespace enm::formats
