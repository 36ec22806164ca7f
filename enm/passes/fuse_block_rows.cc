// Before:   y = Reshape(Mul(Sub(Cast(Gather(quants, ids)), zero), Unsqueeze(Gather(scales, ids))),
//           [0, 0, -1]), quants u8 [rows, blocks, block] and scales f32 [rows, blocks] constant;
//           zero the constant 128, or Unsqueeze(Cast(Gather(zeros u8 [rows, blocks], ids)))
// After:    y = com.microsoft.GatherBlockQuantized(quants as [rows, blocks * block], ids, scales,
//           zeros)
// Not when: a step between has another reader or is a graph output; rows differ; Unsqueeze or
//           Reshape would do anything else.
// A table that shares the head's 8-bit blocks is written with operators that every runtime has;
// this is how ours reads its rows from the one packed weight.
#include <algorithm>
#include <cstring>

#include "enm/passes/edges.h"
#include "enm/passes/pass.h"

namespace enm::passes {
namespace {

using graph::DType;
using graph::Graph;
using graph::kNoValue;
using graph::Node;
using graph::Tensor;
using graph::ValueId;

bool is_constant(const Tensor* tensor, DType dtype, size_t rank) {
  return tensor != nullptr && tensor->dtype == dtype && tensor->dims.size() == rank;
}

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), edges_(graph), gone_(graph.nodes.size(), false) {}

  int run() {
    int fused = 0;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (graph_.nodes[n].is("Reshape") && fuse(n)) ++fused;
    }
    remove_nodes(graph_, gone_);
    if (fused > 0) graph_.opsets.try_emplace(std::string(graph::kMicrosoft), 1);
    return fused;
  }

 private:
  /// The rows of constants that the pattern gathers, and the nodes that do.
  struct Match {
    ValueId ids = kNoValue;
    ValueId quants = kNoValue, scales = kNoValue, zeros = kNoValue;
    std::vector<int> nodes;
  };

  // The maker of `value` if it is that operator and the value is read once; remembers it.
  const Node* step(ValueId value, std::string_view op, Match& match) const {
    const int maker = edges_.maker(value);
    if (maker < 0 || edges_.only_reader(value) < 0) return nullptr;
    const Node& node = graph_.nodes[static_cast<size_t>(maker)];
    if (!node.is(op)) return nullptr;
    match.nodes.push_back(maker);
    return &node;
  }

  // Gather of rows of a constant by the match's ids.
  bool gathers(ValueId value, Match& match, ValueId& data) const {
    const Node* gather = step(value, "Gather", match);
    if (gather == nullptr || gather->int_or("axis", 0) != 0) return false;
    if (match.ids != kNoValue && match.ids != gather->inputs[1]) return false;
    match.ids = gather->inputs[1];
    data = gather->inputs[0];
    return true;
  }

  const Node* cast_to_float(ValueId value, Match& match) const {
    const Node* cast = step(value, "Cast", match);
    return cast != nullptr && cast->int_or("to", 0) == static_cast<int>(DType::kFloat32) ? cast
                                                                                         : nullptr;
  }

  // The values of a constant i64 list; empty for anything else.
  std::vector<int64_t> numbers(ValueId value) const {
    const Tensor* tensor = graph_.constant(value);
    if (tensor == nullptr || tensor->dtype != DType::kInt64 || tensor->data.size() > 64) return {};
    const auto bytes = tensor->data.load();
    if (!bytes.ok()) return {};
    std::vector<int64_t> out(bytes->size() / sizeof(int64_t));
    std::copy_n(bytes->data(), bytes->size(), reinterpret_cast<uint8_t*>(out.data()));
    return out;
  }

  // Unsqueeze of [batch, sequence, blocks] behind its last axis.
  const Node* column(ValueId value, Match& match) const {
    const Node* node = step(value, "Unsqueeze", match);
    if (node == nullptr) return nullptr;
    const std::vector<int64_t> axes = numbers(node->input(1));
    return axes == std::vector<int64_t>{-1} || axes == std::vector<int64_t>{3} ? node : nullptr;
  }

  bool is_number(ValueId value, float number) const {
    const Tensor* tensor = graph_.constant(value);
    if (tensor == nullptr || tensor->dtype != DType::kFloat32 || tensor->data.size() != 4) {
      return false;
    }
    const auto bytes = tensor->data.load();
    float got = 0;
    if (bytes.ok()) std::memcpy(&got, bytes->data(), sizeof got);
    return bytes.ok() && got == number;
  }

  bool match_pattern(const Node& reshape, Match& match) const {
    const Node* mul = step(reshape.inputs[0], "Mul", match);
    if (mul == nullptr) return false;
    const Node* sub = step(mul->inputs[0], "Sub", match);
    const Node* scales = column(mul->inputs[1], match);
    if (sub == nullptr || scales == nullptr || !gathers(scales->inputs[0], match, match.scales)) {
      return false;
    }
    const Node* cast = cast_to_float(sub->inputs[0], match);
    if (cast == nullptr || !gathers(cast->inputs[0], match, match.quants)) return false;
    if (is_number(sub->inputs[1], 128.0f)) return true;
    const Node* zero_column = column(sub->inputs[1], match);
    if (zero_column == nullptr) return false;
    const Node* zero_cast = cast_to_float(zero_column->inputs[0], match);
    return zero_cast != nullptr && gathers(zero_cast->inputs[0], match, match.zeros);
  }

  // Constants of a table of blocks, and dims that join its blocks to rows.
  bool fits(const Node& reshape, const Match& match) const {
    const Tensor* quants = graph_.constant(match.quants);
    const Tensor* scales = graph_.constant(match.scales);
    const Tensor* zeros = graph_.constant(match.zeros);
    if (!is_constant(quants, DType::kUint8, 3) || !is_constant(scales, DType::kFloat32, 2)) {
      return false;
    }
    const bool same = scales->dims[0] == quants->dims[0] && scales->dims[1] == quants->dims[1] &&
                      quants->dims[1] > 0 && quants->dims[2] >= 16;
    const bool zeros_fit = match.zeros == kNoValue ||
                           (is_constant(zeros, DType::kUint8, 2) && zeros->dims == scales->dims);
    const auto& ids = graph_.value(match.ids).type.shape;
    if (!same || !zeros_fit || !ids || ids->size() != 2) return false;
    const std::vector<int64_t> dims = numbers(reshape.input(1));
    return dims.size() == 3 && dims[0] == 0 && dims[1] == 0 &&
           reshape.int_or("allowzero", 0) == 0 &&
           (dims[2] == -1 || dims[2] == quants->dims[1] * quants->dims[2]);
  }

  bool fuse(size_t at) {
    Match match;
    const Node reshape = graph_.nodes[at];
    if (!match_pattern(reshape, match) || !fits(reshape, match)) return false;
    const Tensor& quants = *graph_.constant(match.quants);
    const int64_t block = quants.dims[2];
    const ValueId rows =
        graph_.add_constant(graph_.unique_name(graph_.value(match.quants).name + ".rows"),
                            {DType::kUint8, {quants.dims[0], quants.dims[1] * block}, quants.data});
    Node gather{"GatherBlockQuantized", std::string(graph::kMicrosoft),
                reshape.name,           {rows, match.ids, match.scales},
                reshape.outputs,        {}};
    if (match.zeros != kNoValue) gather.inputs.push_back(match.zeros);
    gather.attributes = {{"bits", int64_t{8}},
                         {"block_size", block},
                         {"gather_axis", int64_t{0}},
                         {"quantize_axis", int64_t{1}}};
    for (int node : match.nodes) gone_[static_cast<size_t>(node)] = true;
    graph_.nodes[at] = std::move(gather);
    return true;
  }

  Graph& graph_;
  const Edges edges_;
  std::vector<bool> gone_;
};

Result<int> run(Graph& graph) { return Fusion(graph).run(); }

}  // namespace

const Pass kFuseBlockRows = {"fuse_block_rows", run};

}  // namespace enm::passes
