#include "enm/families/builder.h"

namespace enm::families {

using graph::DType;
using graph::Tensor;
using graph::ValueId;

namespace {
std::string dims_str(const std::vector<int64_t>& dims) {
  std::vector<std::string> parts;
  for (int64_t dim : dims) parts.push_back(cat(dim));
  return cat("[", join(parts, ", "), "]");
}
}  // namespace

ValueId Builder::node(std::string_view op, std::string_view domain, std::string_view name,
                      std::initializer_list<ValueId> inputs, DType dtype,
                      std::map<std::string, graph::Attribute, std::less<>> attributes) {
  const ValueId out = graph.add_value(graph.unique_name(cat(name, "/output")), {dtype, {}});
  graph.nodes.push_back(graph::Node{std::string(op),
                                    std::string(domain),
                                    std::string(name),
                                    inputs,
                                    {out},
                                    std::move(attributes)});
  return out;
}

ValueId Builder::constant(std::string_view name, Tensor tensor) {
  return graph.add_constant(graph.unique_name(name), std::move(tensor));
}

ValueId Builder::int64s(std::string_view name, std::vector<int64_t> dims,
                        const std::vector<int64_t>& values) {
  return constant(name, graph::make_tensor(DType::kInt64, std::move(dims), values));
}

ValueId Builder::float_scalar(std::string_view name, float value) {
  return constant(name, graph::make_tensor(DType::kFloat32, {}, std::vector<float>{value}));
}

Result<ValueId> Builder::parameter(const std::string& name, const std::vector<int64_t>& dims) {
  if (const ValueId known = graph.find_value(name); known != graph::kNoValue) return known;
  ENM_ASSIGN_OR_RETURN(Tensor tensor, tensors_.get(prefix_ + name));
  if (tensor.dims != dims) {
    return Corrupt("tensor ", quoted(name), " has dimensions ", dims_str(tensor.dims),
                   "; config.json makes it ", dims_str(dims));
  }
  const bool is_f32 = tensor.dtype == DType::kFloat32;
  const ValueId stored = constant(is_f32 ? name : name + ".stored", std::move(tensor));
  if (is_f32) return stored;
  const ValueId cast = graph.add_value(name, {DType::kFloat32, {}});
  graph.nodes.push_back(graph::Node{"Cast",
                                    "",
                                    name + "/Cast",
                                    {stored},
                                    {cast},
                                    {{"to", int64_t{static_cast<int>(DType::kFloat32)}}}});
  return cast;
}

Result<ValueId> Builder::linear(const std::string& module, ValueId x, int64_t in, int64_t out) {
  ENM_ASSIGN_OR_RETURN(const ValueId weight, parameter(module + ".weight", {out, in}));
  const ValueId transposed = node("Transpose", "", module + "/Transpose", {weight}, DType::kFloat32,
                                  {{"perm", std::vector<int64_t>{1, 0}}});
  const ValueId product = f32("MatMul", module + "/MatMul", {x, transposed});
  description.modules.push_back({module, graph.nodes.back().name});
  if (!tensors_.contains(prefix_ + module + ".bias")) return product;
  ENM_ASSIGN_OR_RETURN(const ValueId bias, parameter(module + ".bias", {out}));
  return f32("Add", module + "/Add", {product, bias});
}

Result<ValueId> Builder::layer_norm(const std::string& module, ValueId x, int64_t width,
                                    float epsilon) {
  ENM_ASSIGN_OR_RETURN(const ValueId weight, parameter(module + ".weight", {width}));
  ENM_ASSIGN_OR_RETURN(const ValueId bias, parameter(module + ".bias", {width}));
  return node("LayerNormalization", "", module + "/LayerNormalization", {x, weight, bias},
              DType::kFloat32, {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
}

graph::Graph Builder::finish() {
  graph::write_description(description, graph);
  return std::move(graph);
}

ValueId Builder::output(std::string name, ValueId value, graph::Type type) {
  graph.rename(value, std::move(name));
  graph.value(value).type = std::move(type);
  graph.outputs.push_back(value);
  return value;
}

}  // namespace enm::families
