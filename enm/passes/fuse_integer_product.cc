// Before:   sums = MatMulInteger(a, B, a_zero, b_zero); floats = Cast(sums)
//           y = Mul(floats, Mul(a_scale, b_scale)), and perhaps Add(y, bias [N])
// After:    y = com.microsoft.MatMulIntegerToFloat(a, B, a_scale, b_scale, a_zero, b_zero, bias)
// Not when: a step between has another reader or is a graph output; the scale is no product with a
//           constant of 1 or N elements.
// Files keep the standard operators, which every runtime has; this is how ours runs them.
#include <algorithm>

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

bool is_vector(const Tensor* tensor, int64_t n) {
  return tensor != nullptr && tensor->dtype == DType::kFloat32 && tensor->dims.size() <= 1 &&
         (tensor->element_count() == n || tensor->element_count() == 1);
}

ValueId other_input(const Node& node, ValueId one) {
  return node.inputs[0] == one ? node.inputs[1] : node.inputs[0];
}

class Fusion {
 public:
  explicit Fusion(Graph& graph) : graph_(graph), edges_(graph), gone_(graph.nodes.size(), false) {}

  int run() {
    int fused = 0;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (graph_.nodes[n].is("MatMulInteger") && fuse(n)) ++fused;
    }
    remove_nodes(graph_, gone_);
    if (fused > 0) graph_.opsets.try_emplace(std::string(graph::kMicrosoft), 1);
    return fused;
  }

 private:
  int reader_of(size_t node, std::string_view op) const {
    const int reader = edges_.only_reader(graph_.nodes[node].outputs[0]);
    return reader >= 0 && graph_.nodes[static_cast<size_t>(reader)].is(op) ? reader : -1;
  }

  // {scale of A, constant scale of B} if `value` is their product.
  bool split_scale(ValueId value, int64_t n, ValueId& a_scale, ValueId& b_scale) const {
    const int maker = edges_.maker(value);
    if (maker < 0 || !graph_.nodes[static_cast<size_t>(maker)].is("Mul")) return false;
    const Node& product = graph_.nodes[static_cast<size_t>(maker)];
    for (ValueId id : product.inputs) {
      if (!is_vector(graph_.constant(id), n)) continue;
      b_scale = id;
      a_scale = other_input(product, id);
      const int source = edges_.maker(a_scale);
      // A scalar for certain: the second output of a dynamic quantization.
      return source >= 0 && graph_.nodes[static_cast<size_t>(source)].is("DynamicQuantizeLinear") &&
             graph_.nodes[static_cast<size_t>(source)].output(1) == a_scale;
    }
    return false;
  }

  bool fuse(size_t product) {
    const Node& node = graph_.nodes[product];
    const Tensor* b = graph_.constant(node.inputs[1]);
    if (b == nullptr || b->dims.size() != 2) return false;
    const int cast = reader_of(product, "Cast");
    if (cast < 0 || graph_.nodes[static_cast<size_t>(cast)].int_or("to", 0) != 1) return false;
    const int mul = reader_of(static_cast<size_t>(cast), "Mul");
    if (mul < 0) return false;
    ValueId a_scale = kNoValue;
    ValueId b_scale = kNoValue;
    const ValueId floats = graph_.nodes[static_cast<size_t>(cast)].outputs[0];
    const ValueId scale = other_input(graph_.nodes[static_cast<size_t>(mul)], floats);
    if (!split_scale(scale, b->dims[1], a_scale, b_scale)) return false;

    int last = mul;
    ValueId bias = kNoValue;
    if (const int add = reader_of(static_cast<size_t>(mul), "Add"); add >= 0) {
      const ValueId added = other_input(graph_.nodes[static_cast<size_t>(add)],
                                        graph_.nodes[static_cast<size_t>(mul)].outputs[0]);
      const Tensor* vector = graph_.constant(added);
      if (is_vector(vector, b->dims[1]) && vector->element_count() == b->dims[1]) {
        bias = added;
        last = add;
      }
    }
    Node fused{"MatMulIntegerToFloat", std::string(graph::kMicrosoft), node.name, {}, {}, {}};
    fused.inputs = {node.inputs[0], node.inputs[1], a_scale, b_scale, node.input(2), node.input(3)};
    if (bias != kNoValue) fused.inputs.push_back(bias);
    // In the place of the last step, where everything it reads has been made.
    gone_[product] = gone_[static_cast<size_t>(cast)] = gone_[static_cast<size_t>(mul)] = true;
    gone_[static_cast<size_t>(last)] = false;
    fused.outputs = graph_.nodes[static_cast<size_t>(last)].outputs;
    graph_.nodes[static_cast<size_t>(last)] = std::move(fused);
    return true;
  }

  Graph& graph_;
  const Edges edges_;
  std::vector<bool> gone_;
};

Result<int> run(Graph& graph) { return Fusion(graph).run(); }

}  // namespace

const Pass kFuseIntegerProduct = {"fuse_integer_product", run};

}  // namespace enm::passes
