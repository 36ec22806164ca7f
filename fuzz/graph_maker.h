// Graphs made of arbitrary bytes: valid nodes of every operator, and the ways in which a file may
// be wrong about them. The fuzzer chooses the bytes; the unit test draws them.
#pragma once

#include <algorithm>
#include <map>

#include "enm/base/mutate.h"
#include "enm/ops/check.h"
#include "fuzz/graph_recipes.h"

namespace enm::fuzz {

/// Choices read off bytes, zeros behind their end: short inputs make small graphs.
class Choices {
 public:
  explicit Choices(Bytes bytes) : bytes_(bytes) {}
  bool done() const { return at_ >= bytes_.size(); }
  uint8_t byte() { return done() ? 0 : bytes_[at_++]; }
  size_t below(size_t count) { return (byte() * 256u + byte()) % count; }
  /// In `percent` of random bytes; never at the end.
  bool chance(unsigned percent) { return byte() * 100u > 255u * (100u - percent); }
  template <typename T, size_t N>
  const T& of(const T (&list)[N]) {
    return list[below(N)];
  }

 private:
  Bytes bytes_;
  size_t at_ = 0;
};

/// What a graph input is given in a run.
struct Feed {
  graph::ValueId id;
  graph::DType dtype;
  std::vector<int64_t> dims;
  std::vector<uint8_t> data;
};

struct MadeGraph {
  graph::Graph graph;
  std::vector<Feed> feeds;
};

class GraphMaker {
 public:
  explicit GraphMaker(Choices& choices) : choices_(choices) {
    made_.graph.opsets[""] = choices_.chance(50) ? 23 : choices_.chance(50) ? 13 : 20;
    made_.graph.opsets[std::string(graph::kMicrosoft)] = 1;
    draw_sizes();
  }

  MadeGraph make() {
    const size_t nodes = 1 + choices_.below(6);
    for (size_t i = 0; i < nodes && (i == 0 || !choices_.done()); ++i) add_node();
    for (const Known& known : known_) {
      if (known.is_made && choices_.chance(60)) made_.graph.outputs.push_back(known.id);
    }
    if (made_.graph.outputs.empty() && !known_.empty()) {
      made_.graph.outputs.push_back(known_.back().id);
    }
    return std::move(made_);
  }

  /// Data for a tensor: small numbers mostly.
  static std::vector<uint8_t> fill(Choices& choices, graph::DType dtype, int64_t count);

 private:
  struct Known {
    graph::ValueId id;
    graph::DType dtype;
    std::vector<int64_t> dims;
    bool is_made = false;  // by a node
  };

  void draw_sizes();
  int64_t number(std::string_view word) const;
  std::vector<int64_t> numbers(std::string_view words) const;
  int64_t hostile();
  std::vector<int64_t> any_dims();
  graph::ValueId any_value();
  graph::ValueId add_operand(std::string_view word);
  graph::ValueId add_leaf(graph::DType dtype, std::vector<int64_t> dims, bool constant,
                          std::vector<uint8_t> data);
  void add_attributes(const Recipe& recipe, const ops::Op& op, graph::Node& node);
  graph::Attribute hostile_attribute(ops::AttributeSpec::Kind kind);
  void damage(const ops::Op& op, graph::Node& node);
  void add_outputs(const ops::Op& op, graph::Node& node);
  void learn_outputs(const graph::Node& node);
  void add_node();
  std::string next_name() { return cat("v", made_.graph.value_count()); }

  Choices& choices_;
  MadeGraph made_;
  std::map<char, int64_t> sizes_;
  std::vector<Known> known_;
};

/// A recipe's operator's row at the newest opset.
inline const ops::Op* find_row(std::string_view name, std::string_view domain) {
  for (const ops::Op* op : ops::all_ops()) {
    if (op->name == name && op->domain == domain) return op;
  }
  return nullptr;
}

inline void GraphMaker::draw_sizes() {
  const auto draw = [&](std::initializer_list<int64_t> list) {
    return list.begin()[choices_.below(list.size())];
  };
  auto& z = sizes_;
  z['b'] = draw({1, 2, 3, 1, 0});
  z['s'] = draw({1, 2, 5, 17, 0});
  z['k'] = draw({32, 64, 96});
  z['n'] = draw({1, 3, 8, 33, 70});
  z['d'] = draw({8, 16, 2, 4});
  z['p'] = draw({0, 1, 4, 9});
  z['h'] = 2, z['m'] = 16, z['x'] = 16, z['y'] = 32;
  z['q'] = z['k'] / 32, z['z'] = z['k'] / 16, z['o'] = z['k'] / 2, z['e'] = z['d'] / 2;
  z['H'] = 2 * z['d'], z['G'] = z['d'], z['A'] = 4 * z['d'];
  z['P'] = z['p'] + z['s'], z['Q'] = z['P'] - 1, z['w'] = 2 * z['n'];
}

inline int64_t GraphMaker::number(std::string_view word) const {
  if (word == "-") return -1;
  const auto size = sizes_.find(word[0]);
  if (size != sizes_.end()) return size->second;
  int64_t value = 0;
  for (char digit : word) value = value * 10 + (digit - '0');
  return value;
}

inline std::vector<int64_t> GraphMaker::numbers(std::string_view words) const {
  std::vector<int64_t> out;
  while (!words.empty()) {
    const size_t end = std::min(words.find(','), words.size());
    out.push_back(number(words.substr(0, end)));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  return out;
}

inline int64_t GraphMaker::hostile() {
  static constexpr int64_t kList[] = {
      0,         1,         -1,        2,         3,          -2,        8,
      9,         255,       1 << 20,   1ll << 31, -1ll << 31, 1ll << 32, 1ll << 33,
      1ll << 47, 1ll << 48, 1ll << 61, 1ll << 62, INT64_MAX,  INT64_MIN, INT64_MAX - 1,
      65536,     16,        -9};
  return choices_.of(kList);
}

inline std::vector<int64_t> GraphMaker::any_dims() {
  static constexpr char kLetters[] = {'b', 's', 'n', 'd', 'h', 'p'};
  std::vector<int64_t> dims(choices_.chance(5) ? choices_.below(10) : choices_.below(5));
  for (int64_t& dim : dims) dim = choices_.chance(15) ? 1 : sizes_[choices_.of(kLetters)];
  return dims;
}

inline graph::ValueId GraphMaker::any_value() {
  return known_.empty() ? graph::kNoValue : known_[choices_.below(known_.size())].id;
}

inline std::vector<uint8_t> GraphMaker::fill(Choices& choices, graph::DType dtype, int64_t count) {
  std::vector<uint8_t> out(graph::byte_size(dtype, count));
  const uint8_t seed = choices.byte();
  const bool wild = choices.chance(10);
  for (int64_t i = 0; i < count; ++i) {
    const auto mixed =
        static_cast<int>((seed + 1) * 2654435761u * static_cast<uint32_t>(i + 3) >> 16);
    const auto store = [&](auto value) {
      std::memcpy(&out[i * sizeof value], &value, sizeof value);
    };
    switch (dtype) {
      case graph::DType::kFloat32:
        store(wild && mixed % 7 == 0 ? (mixed % 2 ? INFINITY : NAN) : (mixed % 401 - 200.f) / 64);
        break;
      case graph::DType::kInt64:
        store(static_cast<int64_t>(wild ? mixed % 97 - 48 : seed % 3 == 0 ? 0 : mixed % 3));
        break;
      case graph::DType::kInt32:
        store(static_cast<int32_t>(wild ? mixed - 30000 : mixed % 3));
        break;
      case graph::DType::kBool:
        out[i] = mixed & 1;
        break;
      default:
        break;
    }
  }
  for (size_t i = 0; i < out.size() && graph::dtype_bits(dtype) == 8; ++i) {
    if (dtype != graph::DType::kBool) out[i] = static_cast<uint8_t>(seed * (i + 7) >> 1);
  }
  return out;
}

inline graph::ValueId GraphMaker::add_leaf(graph::DType dtype, std::vector<int64_t> dims,
                                           bool constant, std::vector<uint8_t> data) {
  graph::Graph& graph = made_.graph;
  const std::string name = next_name();
  graph::ValueId id;
  if (constant) {
    id = graph.add_constant(name, {dtype, dims, graph::TensorData::inline_bytes(std::move(data))});
  } else {
    id = graph.add_input(name, {dtype, std::nullopt});
    made_.feeds.push_back({id, dtype, dims, std::move(data)});
  }
  known_.push_back({id, dtype, std::move(dims)});
  return id;
}

inline graph::ValueId GraphMaker::add_operand(std::string_view word) {
  if (word == "_") return graph::kNoValue;
  static constexpr graph::DType kTypes[] = {graph::DType::kFloat32, graph::DType::kInt64,
                                            graph::DType::kInt32,   graph::DType::kUint8,
                                            graph::DType::kInt8,    graph::DType::kBool};
  graph::DType dtype = kTypes[std::string_view("fijucb").find(word[0])];
  bool constant = word[1] == '*';
  std::string_view rest = word.substr(word.find(':') + 1);
  const size_t equals = std::min(rest.find('='), rest.size());
  std::vector<int64_t> dims;
  if (rest.starts_with("?")) {
    dims = any_dims();
  } else {
    for (char c : rest.substr(0, equals)) dims.push_back(number({&c, 1}));
  }
  std::vector<int64_t> values = numbers(rest.substr(std::min(equals + 1, rest.size())));
  // Something wrong about it, now and then.
  if (choices_.chance(4)) dtype = choices_.of(kTypes);
  if (choices_.chance(4) && !dims.empty()) dims[choices_.below(dims.size())] = hostile();
  if (choices_.chance(3)) dims.push_back(1);
  if (choices_.chance(3) && !dims.empty()) dims.pop_back();
  if (choices_.chance(5)) constant = !constant;
  if (!values.empty() && choices_.chance(8)) values[choices_.below(values.size())] = hostile();

  const bool any_dims_do = rest.starts_with("?");
  if (values.empty() && choices_.chance(70)) {
    const size_t from = choices_.below(std::max<size_t>(known_.size(), 1));
    for (size_t i = 0; i < known_.size(); ++i) {
      const Known& known = known_[(from + i) % known_.size()];
      const bool is_constant = made_.graph.constant(known.id) != nullptr;
      if (known.dtype != dtype || (constant && !is_constant)) continue;
      if (known.dims == dims || any_dims_do) return known.id;
    }
  }
  const auto count = graph::checked_element_count(dims);
  if (!count.ok() || *count > 1 << 16) return any_value();
  std::vector<uint8_t> data = fill(choices_, dtype, *count);
  const auto bytes = static_cast<size_t>(graph::dtype_bits(dtype) / 8);
  for (size_t i = 0; i < values.size() && (i + 1) * bytes <= data.size(); ++i) {
    const auto real = static_cast<float>(values[i]);
    const void* from =
        dtype == graph::DType::kFloat32 ? static_cast<const void*>(&real) : &values[i];
    std::memcpy(&data[i * bytes], from, bytes);
  }
  return add_leaf(dtype, dims, constant, std::move(data));
}

inline graph::Attribute GraphMaker::hostile_attribute(ops::AttributeSpec::Kind kind) {
  using Kind = ops::AttributeSpec::Kind;
  switch (kind) {
    case Kind::kInteger:
      return hostile();
    case Kind::kFloat:
      return choices_.chance(30) ? NAN : static_cast<float>(hostile());
    case Kind::kIntegers: {
      std::vector<int64_t> list(choices_.below(10));
      for (int64_t& one : list) one = hostile();
      return list;
    }
    case Kind::kFloats:
      return std::vector<float>{1, INFINITY};
    case Kind::kTensor: {
      static constexpr graph::DType kTypes[] = {graph::DType::kFloat32, graph::DType::kInt64,
                                                graph::DType::kBool, graph::DType::kFloat16};
      const graph::DType dtype = choices_.of(kTypes);
      const std::vector<int64_t> dims(choices_.below(3), static_cast<int64_t>(choices_.below(4)));
      return graph::Tensor{dtype, dims,
                           graph::TensorData::inline_bytes(
                               fill(choices_, dtype, *graph::checked_element_count(dims)))};
    }
    default:
      return std::string(choices_.chance(50) ? "tanh" : "");
  }
}

inline void GraphMaker::add_attributes(const Recipe& recipe, const ops::Op& op, graph::Node& node) {
  std::string_view words = recipe.attributes;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    const std::string_view word = words.substr(0, end);
    words.remove_prefix(std::min(end + 1, words.size()));
    const std::string_view name = word.substr(0, word.find('='));
    const std::vector<int64_t> values = numbers(word.substr(word.find('=') + 1));
    const auto spec = std::find_if(op.attributes.begin(), op.attributes.end(),
                                   [&](const auto& one) { return one.name == name; });
    if (spec == op.attributes.end()) continue;
    const bool is_list = spec->kind == ops::AttributeSpec::Kind::kIntegers;
    node.attributes.emplace(name, is_list ? graph::Attribute(values) : graph::Attribute(values[0]));
  }
  for (const ops::AttributeSpec& spec : op.attributes) {
    if (!choices_.chance(3)) continue;
    node.attributes.insert_or_assign(std::string(spec.name), hostile_attribute(spec.kind));
  }
}

inline void GraphMaker::damage(const ops::Op& op, graph::Node& node) {
  if (choices_.chance(30) && !node.inputs.empty()) {
    node.inputs[choices_.below(node.inputs.size())] = any_value();
  }
  if (choices_.chance(20) && !node.inputs.empty()) {
    node.inputs[choices_.below(node.inputs.size())] = graph::kNoValue;
  }
  if (choices_.chance(20)) node.inputs.push_back(any_value());
  if (choices_.chance(10)) node.inputs.resize(choices_.below(18), any_value());
  if (choices_.chance(10) && !op.attributes.empty()) {
    node.attributes.insert_or_assign(std::string(op.attributes[0].name), int64_t{7});
  }
}

inline void GraphMaker::add_outputs(const ops::Op& op, graph::Node& node) {
  size_t count = op.name == "Split" ? 2 : ops::required_outputs(op);
  if (choices_.chance(10)) count = op.outputs.size();
  if (choices_.chance(3)) count = choices_.below(18);
  for (size_t i = 0; i < count; ++i) {
    const bool missing = choices_.chance(3);
    node.outputs.push_back(missing ? graph::kNoValue : made_.graph.add_value(next_name()));
  }
}

// What the outputs are, so that later nodes can read them.
inline void GraphMaker::learn_outputs(const graph::Node& node) {
  const auto attributes = ops::check_node(made_.graph, node);
  std::vector<ops::TensorView> in(node.inputs.size());
  std::vector<ops::TensorView> out(node.outputs.size());
  std::vector<Blob> blobs;
  for (size_t i = 0; i < in.size() && attributes.ok(); ++i) {
    for (const Known& known : known_) {
      if (known.id != node.inputs[i] || known.dims.size() > ops::kMaxRank) continue;
      in[i].dtype = known.dtype;
      in[i].set_dims(known.dims);
      if (const graph::Tensor* constant = made_.graph.constant(known.id)) {
        blobs.push_back(*constant->data.load());
        in[i].data = const_cast<uint8_t*>(blobs.back().data());
      }
    }
  }
  const bool inferred = attributes.ok() && ops::infer(*attributes, in, out).ok();
  for (size_t i = 0; i < out.size(); ++i) {
    if (node.outputs[i] == graph::kNoValue) continue;
    Known known{node.outputs[i], graph::DType::kUndefined, {}, true};
    if (inferred) known.dtype = out[i].dtype;
    if (inferred) known.dims.assign(out[i].shape().begin(), out[i].shape().end());
    known_.push_back(std::move(known));
  }
}

inline void GraphMaker::add_node() {
  const Recipe& recipe = choices_.of(kRecipes);
  const ops::Op& op = *find_row(recipe.op, recipe.domain);
  graph::Node node{std::string(recipe.op), std::string(recipe.domain), next_name(), {}, {}, {}};
  std::string_view words = recipe.inputs;
  while (!words.empty()) {
    const size_t end = std::min(words.find(' '), words.size());
    node.inputs.push_back(add_operand(words.substr(0, end)));
    words.remove_prefix(std::min(end + 1, words.size()));
  }
  add_attributes(recipe, op, node);
  if (choices_.chance(8)) damage(op, node);
  add_outputs(op, node);
  made_.graph.nodes.push_back(std::move(node));
  learn_outputs(made_.graph.nodes.back());
}

}  // namespace enm::fuzz
