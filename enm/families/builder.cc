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

ValueId Builder::node(std::string_view op, std::string_view domain, std::string_view name,
                      std::vector<ValueId> inputs, DType dtype,
                      std::map<std::string, graph::Attribute, std::less<>> attributes) {
  const ValueId out = graph.add_value(graph.unique_name(cat(name, "/output")), {dtype, {}});
  graph.nodes.push_back(graph::Node{std::string(op),
                                    std::string(domain),
                                    std::string(name),
                                    std::move(inputs),
                                    {out},
                                    std::move(attributes)});
  return out;
}

ValueId Builder::cast(std::string_view name, ValueId value, DType dtype) {
  return node("Cast", "", name, {value}, dtype, {{"to", int64_t{static_cast<int>(dtype)}}});
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
  ENM_ASSIGN_OR_RETURN(const ValueId y, product(module, module + ".weight", x, in, out));
  if (!has(module + ".bias")) return y;
  ENM_ASSIGN_OR_RETURN(const ValueId bias, parameter(module + ".bias", {out}));
  return f32("Add", module + "/Add", {y, bias});
}

Result<ValueId> Builder::product(const std::string& module, const std::string& weight, ValueId x,
                                 int64_t in, int64_t out) {
  ValueId y;
  if (auto blocks = tensors_.blocks(prefix_ + weight)) {
    ENM_ASSIGN_OR_RETURN(const Blocks b, add_blocks(weight, *std::move(blocks), out, in));
    std::vector<ValueId> inputs = {x, b.quants, b.scales};
    if (b.zero_points != graph::kNoValue) inputs.push_back(b.zero_points);
    y = microsoft("MatMulNBits", module + "/MatMulNBits", std::move(inputs),
                  {{"K", in}, {"N", out}, {"bits", int64_t{b.bits}}, {"block_size", b.block}});
  } else {
    ENM_ASSIGN_OR_RETURN(const ValueId rows, parameter(weight, {out, in}));
    const ValueId columns =
        f32("Transpose", module + "/Transpose", {rows}, {{"perm", std::vector<int64_t>{1, 0}}});
    y = f32("MatMul", module + "/MatMul", {x, columns});
  }
  description.modules.push_back({module, graph.nodes.back().name});
  return y;
}

Result<ValueId> Builder::embedding(const std::string& module, ValueId ids, int64_t rows,
                                   int64_t width) {
  const std::string weight = module + ".weight";
  if (auto blocks = tensors_.blocks(prefix_ + weight)) {
    ENM_ASSIGN_OR_RETURN(const Blocks b, add_blocks(weight, *std::move(blocks), rows, width));
    return gather_blocks(module, b, ids);
  }
  ENM_ASSIGN_OR_RETURN(const ValueId table, parameter(weight, {rows, width}));
  return f32("Gather", module + "/Gather", {table, ids});
}

// The constants of a weight in blocks, once for all who read it.
Result<Builder::Blocks> Builder::add_blocks(const std::string& weight, BlockWeight blocks,
                                            int64_t rows, int64_t columns) {
  const std::vector<int64_t>& dims = blocks.quants.dims;
  if (blocks.rows != rows || blocks.columns != columns || dims.size() != 3 || dims[0] != rows) {
    return Corrupt("tensor ", quoted(weight), " has dimensions [", blocks.rows, ", ",
                   blocks.columns, "]; the model's make it [", rows, ", ", columns, "]");
  }
  const auto once = [&](const char* suffix, Tensor& tensor) {
    const ValueId known = graph.find_value(weight + suffix);
    return known != graph::kNoValue ? known : constant(weight + suffix, std::move(tensor));
  };
  Blocks out{blocks.bits, blocks.block};
  out.quants = once(".quants", blocks.quants);
  const bool is_half = blocks.scales.dtype == DType::kFloat16;
  out.scales = once(is_half ? ".half_scales" : ".scales", blocks.scales);
  if (is_half) {
    const ValueId known = graph.find_value(weight + ".scales/output");
    out.scales =
        known != graph::kNoValue ? known : cast(weight + ".scales", out.scales, DType::kFloat32);
  }
  if (!blocks.zero_points.dims.empty()) out.zero_points = once(".zero_points", blocks.zero_points);
  return out;
}

// Of bytes by operators that every runtime has:
//   Reshape((Cast(Gather(quants)) - zero) * Unsqueeze(Gather(scales)), [0, 0, -1])
// of 4 bits by GatherBlockQuantized.
// Where zero points are floats, those of 4 bits are widened: GatherBlockQuantized has integers.
ValueId Builder::gather_blocks(const std::string& module, const Blocks& blocks, ValueId ids) {
  const bool float_zeros = blocks.zero_points != graph::kNoValue &&
                           graph.constant(blocks.zero_points)->dtype == DType::kFloat32;
  ValueId table = blocks.quants;
  if (blocks.bits == 4 && float_zeros) {
    table = constant(module + ".weight.bytes", widened(*graph.constant(table)));
  } else if (blocks.bits == 4) {
    const std::string name = module + "/GatherBlockQuantized";
    const Tensor& quants = *graph.constant(blocks.quants);
    Tensor flat = quants;
    flat.dims = {quants.dims[0], quants.dims[1] * quants.dims[2]};
    table = constant(module + ".weight.rows", std::move(flat));
    std::vector<ValueId> inputs = {table, ids, blocks.scales};
    if (blocks.zero_points != graph::kNoValue) inputs.push_back(blocks.zero_points);
    return microsoft("GatherBlockQuantized", name, std::move(inputs),
                     {{"bits", int64_t{4}},
                      {"block_size", blocks.block},
                      {"gather_axis", int64_t{0}},
                      {"quantize_axis", int64_t{1}}});
  }
  const ValueId last = int64s(module + ".last_axis", {1}, {-1});
  const ValueId quants = node("Gather", "", module + "/quants", {table, ids}, DType::kUint8);
  ValueId zero = float_scalar(module + ".zero", 128);
  if (blocks.zero_points != graph::kNoValue) {
    ValueId zeros = node("Gather", "", module + "/zeros", {blocks.zero_points, ids},
                         float_zeros ? DType::kFloat32 : DType::kUint8);
    if (!float_zeros) zeros = cast(module + "/zero_floats", zeros, DType::kFloat32);
    zero = f32("Unsqueeze", module + "/zero_column", {zeros, last});
  }
  const ValueId scales = f32("Gather", module + "/scales", {blocks.scales, ids});
  const ValueId column = f32("Unsqueeze", module + "/scale_column", {scales, last});
  const ValueId centred =
      f32("Sub", module + "/centred", {cast(module + "/floats", quants, DType::kFloat32), zero});
  const ValueId scaled = f32("Mul", module + "/scaled", {centred, column});
  return f32("Reshape", module + "/Reshape", {scaled, int64s(module + ".dims", {3}, {0, 0, -1})});
}

std::vector<ValueId> Builder::split(const std::string& module, ValueId x,
                                    const std::vector<int64_t>& widths) {
  const ValueId sizes = int64s(module + ".widths", {static_cast<int64_t>(widths.size())}, widths);
  std::vector<ValueId> parts = {
      f32("Split", module + "/Split", {x, sizes}, {{"axis", int64_t{-1}}})};
  while (parts.size() < widths.size()) {
    const std::string name = cat(module, "/Split/", parts.size());
    parts.push_back(graph.add_value(graph.unique_name(name), {DType::kFloat32, {}}));
  }
  graph.nodes.back().outputs = parts;
  return parts;
}

Result<ValueId> Builder::layer_norm(const std::string& module, ValueId x, int64_t width,
                                    float epsilon) {
  ENM_ASSIGN_OR_RETURN(const ValueId weight, parameter(module + ".weight", {width}));
  std::vector<ValueId> inputs = {x, weight};
  if (has(module + ".bias")) {
    ENM_ASSIGN_OR_RETURN(inputs.emplace_back(), parameter(module + ".bias", {width}));
  }
  return f32("LayerNormalization", module + "/LayerNormalization", std::move(inputs),
             {{"axis", int64_t{-1}}, {"epsilon", epsilon}});
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
