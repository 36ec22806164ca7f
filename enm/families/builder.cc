#include "enm/families/builder.h"

#include <algorithm>

namespace enm::families {

using graph::DType;
using graph::kNoValue;
using graph::Tensor;
using graph::ValueId;

namespace {

std::string dims_str(std::initializer_list<int64_t> dims) {
  std::vector<std::string> parts;
  for (int64_t dim : dims) parts.push_back(cat(dim));
  return cat("[", join(parts, ", "), "]");
}

// 4-bit quants [rows, blocks, bytes] one a byte.
Tensor widened(const Tensor& quants) {
  Tensor out{DType::kUint8, quants.dims, {}};
  out.dims.back() *= 2;
  out.data = graph::TensorData::produced(quants.data.size() * 2,
                                         [data = quants.data](MutableBytes bytes) -> Status {
                                           ENM_ASSIGN_OR_RETURN(const Blob pairs, data.load());
                                           for (size_t i = 0; i < pairs.size(); ++i) {
                                             bytes[2 * i] = pairs.data()[i] & 15;
                                             bytes[2 * i + 1] = pairs.data()[i] >> 4;
                                           }
                                           return {};
                                         });
  return out;
}

}  // namespace

ValueId Builder::node(std::string_view op, std::string_view domain, std::string_view module,
                      Values inputs, DType dtype, Attrs attributes) {
  const std::string name = cat(module, "/", op);
  const ValueId out = graph.add_value(graph.unique_name(name + "/output"), {dtype, {}});
  graph::Node& node = graph.nodes.emplace_back();
  node.op_type = op;
  node.domain = domain;
  node.name = name;
  node.inputs = inputs;
  while (!node.inputs.empty() && node.inputs.back() == kNoValue) node.inputs.pop_back();
  node.outputs = {out};
  for (const Attr& attr : attributes) {
    graph::Attribute& value = node.attributes[std::string(attr.name)];
    if (attr.is_real) {
      value = attr.real;
    } else if (attr.list.size() > 0) {
      value = std::vector<int64_t>(attr.list);
    } else {
      value = attr.integer;
    }
  }
  return out;
}

ValueId Builder::f32(std::string_view op, std::string_view module, Values inputs,
                     Attrs attributes) {
  return node(op, "", module, inputs, DType::kFloat32, attributes);
}

ValueId Builder::i64(std::string_view op, std::string_view module, Values inputs,
                     Attrs attributes) {
  return node(op, "", module, inputs, DType::kInt64, attributes);
}

ValueId Builder::microsoft(std::string_view op, std::string_view module, Values inputs,
                           Attrs attributes) {
  return node(op, graph::kMicrosoft, module, inputs, DType::kFloat32, attributes);
}

ValueId Builder::cast(std::string_view module, ValueId value, DType dtype) {
  return node("Cast", "", module, {value}, dtype, {{"to", static_cast<int64_t>(dtype)}});
}

ValueId Builder::add_output(std::string_view name) {
  const ValueId out = graph.add_value(graph.unique_name(name), {DType::kFloat32, {}});
  graph.nodes.back().outputs.push_back(out);
  return out;
}

ValueId Builder::constant(std::string_view name, Tensor tensor) {
  return graph.add_constant(graph.unique_name(name), std::move(tensor));
}

ValueId Builder::int64s(std::string_view name, std::vector<int64_t> dims,
                        std::initializer_list<int64_t> values) {
  return constant(name,
                  graph::make_tensor(DType::kInt64, std::move(dims), std::vector<int64_t>(values)));
}

ValueId Builder::scalar(std::string_view name, float value) {
  return constant(name, graph::make_tensor(DType::kFloat32, {}, std::vector<float>{value}));
}

void Builder::fail(Status status) {
  if (status_.ok()) status_ = std::move(status);
}

ValueId Builder::parameter(const std::string& name, std::initializer_list<int64_t> dims) {
  if (const ValueId known = graph.find_value(name); known != kNoValue) return known;
  auto tensor = tensors_.get(prefix_ + name);
  if (!tensor.ok()) {
    fail(tensor.status());
    return kNoValue;
  }
  if (!std::ranges::equal(tensor->dims, dims)) {
    std::vector<std::string> parts;
    for (int64_t dim : tensor->dims) parts.push_back(cat(dim));
    fail(Corrupt("tensor ", quoted(name), " has dimensions [", join(parts, ", "),
                 "]; the configuration makes it ", dims_str(dims)));
    return kNoValue;
  }
  if (tensor->dtype == DType::kFloat32) return constant(name, *std::move(tensor));
  const ValueId stored = constant(name + ".stored", *std::move(tensor));
  const ValueId value = cast(name, stored, DType::kFloat32);
  graph.rename(value, name);
  return value;
}

ValueId Builder::parameter_if_any(const std::string& name, std::initializer_list<int64_t> dims) {
  return tensors_.contains(prefix_ + name) ? parameter(name, dims) : kNoValue;
}

ValueId Builder::linear(const std::string& module, ValueId x, int64_t in, int64_t out) {
  const ValueId y = product(module, module + ".weight", x, in, out);
  const ValueId bias = parameter_if_any(module + ".bias", {out});
  return bias == kNoValue ? y : f32("Add", module, {y, bias});
}

ValueId Builder::product(const std::string& module, const std::string& weight, ValueId x,
                         int64_t in, int64_t out) {
  ValueId y;
  if (auto blocks = tensors_.blocks(prefix_ + weight)) {
    const Blocks b = add_blocks(weight, *std::move(blocks), out, in);
    y = microsoft("MatMulNBits", module, {x, b.quants, b.scales, b.zero_points},
                  {{"K", in}, {"N", out}, {"bits", b.bits}, {"block_size", b.block}});
  } else {
    const ValueId rows = parameter(weight, {out, in});
    y = f32("MatMul", module, {x, f32("Transpose", module, {rows}, {{"perm", {1, 0}}})});
  }
  description.modules.push_back({module, graph.nodes.back().name});
  return y;
}

void Builder::split(const std::string& module, ValueId x, std::initializer_list<int64_t> widths,
                    ValueId* parts) {
  const auto count = static_cast<int64_t>(widths.size());
  const ValueId sizes = int64s(module + ".widths", {count}, widths);
  parts[0] = f32("Split", module, {x, sizes}, {{"axis", int64_t{-1}}});
  for (int64_t i = 1; i < count; ++i) parts[i] = add_output(cat(module, "/Split/", i));
}

ValueId Builder::embedding(const std::string& module, ValueId ids, int64_t rows, int64_t width) {
  const std::string weight = module + ".weight";
  if (auto blocks = tensors_.blocks(prefix_ + weight)) {
    return gather_blocks(module, add_blocks(weight, *std::move(blocks), rows, width), ids);
  }
  return f32("Gather", module, {parameter(weight, {rows, width}), ids});
}

// The constants of a weight in blocks, once for all who read it.
Builder::Blocks Builder::add_blocks(const std::string& weight, BlockWeight blocks, int64_t rows,
                                    int64_t columns) {
  const std::vector<int64_t>& dims = blocks.quants.dims;
  if (blocks.rows != rows || blocks.columns != columns || dims.size() != 3 || dims[0] != rows) {
    fail(Corrupt("tensor ", quoted(weight), " has dimensions [", blocks.rows, ", ", blocks.columns,
                 "]; the configuration makes it ", dims_str({rows, columns})));
    return {};
  }
  const auto once = [&](const char* suffix, Tensor& tensor) {
    const ValueId known = graph.find_value(weight + suffix);
    return known != kNoValue ? known : constant(weight + suffix, std::move(tensor));
  };
  Blocks out{blocks.bits, blocks.block};
  out.quants = once(".quants", blocks.quants);
  out.scales = once(".scales", blocks.scales);
  if (graph.constant(out.scales)->dtype == DType::kFloat16) {
    const ValueId known = graph.find_value(weight + ".scales/Cast/output");
    out.scales = known != kNoValue ? known : cast(weight + ".scales", out.scales, DType::kFloat32);
  }
  if (!blocks.zero_points.dims.empty()) out.zero_points = once(".zero_points", blocks.zero_points);
  return out;
}

// Of bytes by operators that every runtime has:
//   Reshape((Cast(Gather(quants)) - zero) * Unsqueeze(Gather(scales)), [0, 0, -1])
// of 4 bits by GatherBlockQuantized.
// Where zero points are floats, those of 4 bits are widened: GatherBlockQuantized has integers.
ValueId Builder::gather_blocks(const std::string& module, const Blocks& blocks, ValueId ids) {
  if (!ok()) return kNoValue;
  const bool float_zeros = blocks.zero_points != kNoValue &&
                           graph.constant(blocks.zero_points)->dtype == DType::kFloat32;
  ValueId table = blocks.quants;
  if (blocks.bits == 4 && float_zeros) {
    table = constant(module + ".weight.bytes", widened(*graph.constant(table)));
  } else if (blocks.bits == 4) {
    Tensor flat = *graph.constant(table);
    flat.dims = {flat.dims[0], flat.dims[1] * flat.dims[2]};
    table = constant(module + ".weight.rows", std::move(flat));
    return microsoft("GatherBlockQuantized", module,
                     {table, ids, blocks.scales, blocks.zero_points},
                     {{"bits", int64_t{4}},
                      {"block_size", blocks.block},
                      {"gather_axis", int64_t{0}},
                      {"quantize_axis", int64_t{1}}});
  }
  const ValueId last = int64s(module + ".last_axis", {1}, {-1});
  const auto floats = [&](const char* part, ValueId numbers) {
    const std::string name = cat(module, "/", part);
    const DType dtype = graph.constant(numbers)->dtype;
    const ValueId rows = node("Gather", "", name, {numbers, ids}, dtype);
    return dtype == DType::kFloat32 ? rows : cast(name, rows, DType::kFloat32);
  };
  const ValueId quants = floats("quants", table);
  const ValueId zero =
      blocks.zero_points == kNoValue
          ? scalar(module + ".zero", 128)
          : f32("Unsqueeze", module + "/zeros", {floats("zeros", blocks.zero_points), last});
  const ValueId scales = f32("Gather", module + "/scales", {blocks.scales, ids});
  const ValueId column = f32("Unsqueeze", module + "/scales", {scales, last});
  const ValueId scaled = f32("Mul", module, {f32("Sub", module, {quants, zero}), column});
  return f32("Reshape", module, {scaled, int64s(module + ".dims", {3}, {0, 0, -1})});
}

ValueId Builder::layer_norm(const std::string& module, ValueId x, int64_t width, float epsilon) {
  const ValueId weight = parameter(module + ".weight", {width});
  const ValueId bias = parameter_if_any(module + ".bias", {width});
  return f32("LayerNormalization", module, {x, weight, bias},
             {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
}

ValueId Builder::output(std::string_view name, ValueId value, graph::Type type) {
  graph.rename(value, std::string(name));
  graph.value(value).type = std::move(type);
  graph.outputs.push_back(value);
  return value;
}

Result<graph::Graph> Builder::finish() {
  if (!ok()) return status_;
  graph::write_description(description, graph);
  return std::move(graph);
}

}  // namespace enm::families
