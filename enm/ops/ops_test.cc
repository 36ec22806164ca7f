#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <new>
#include <set>

#include "enm/graph/text.h"
#include "enm/ops/check.h"
#include "enm/ops/known_answers.h"
#include "enm/ops/prepared_op.h"

namespace enm::ops {
namespace {

using graph::DType;
using graph::from_text;
using graph::Graph;
using graph::Node;

TEST(Dtypes, FollowTheOperators) {
  const Graph graph = *from_text(
      "graph \"\" producer \"\"\n"
      "opset \"\" 17\n"
      "input %x: f32\n"
      "input %y: i64\n"
      "%shape: ? = Shape \"\" (%x)\n"
      "%half: ? = Cast \"\" (%x) {to = int 10}\n"
      "%less: ? = Less \"\" (%x, %x)\n"
      "%chosen: ? = Where \"\" (%less, %y, %y)\n"
      "%q: ?, %s: ?, %z: ? = DynamicQuantizeLinear \"\" (%x)\n"
      "%sum: ? = MatMulInteger \"\" (%q, %q)\n"
      "%same: ? = Transpose \"\" (%half)\n");
  const auto types = infer_dtypes(graph);
  const auto of = [&](const char* name) {
    return types[static_cast<size_t>(graph.find_value(name))];
  };
  EXPECT_EQ(of("shape"), DType::kInt64);
  EXPECT_EQ(of("half"), DType::kFloat16);
  EXPECT_EQ(of("less"), DType::kBool);
  EXPECT_EQ(of("chosen"), DType::kInt64);
  EXPECT_EQ(of("q"), DType::kUint8);
  EXPECT_EQ(of("s"), DType::kFloat32);
  EXPECT_EQ(of("sum"), DType::kInt32);
  EXPECT_EQ(of("same"), DType::kFloat16);
}

Result<Graph> parse(std::string_view answer) {
  return from_text(
      cat("graph \"\" producer \"\" opset \"\" 23 opset \"com.microsoft\" 1 ", answer));
}

struct Way {
  Isa isa;
  int threads;
  bool constants;  // operands are the graph's constants; else computed ones, but where they may not
  bool in_place;   // output 0 lies where the row lets it
};

// Memory of exactly the size asked for, so that a sanitizer sees a step beyond.
struct Memory {
  explicit Memory(uint64_t size) : data(new (kAlign) uint8_t[size]) {
    std::fill_n(data, size, 0xa5);
  }
  Memory(const Memory&) = delete;
  ~Memory() { operator delete[](data, kAlign); }

  static constexpr std::align_val_t kAlign{64};
  uint8_t* const data;
};

class Evaluation {
 public:
  Evaluation(Graph graph, const Way& way) : graph_(std::move(graph)), way_(way) {}

  Status run() {
    ENM_ASSIGN_OR_RETURN(const Attributes attributes, check_node(graph_, node()));
    const Op& op = attributes.op();
    if (!way_.constants) hide_constants(op);
    ThreadPool pool(way_.threads);
    ENM_ASSIGN_OR_RETURN(const auto prepared,
                         prepare({graph_, attributes, way_.isa, pool, weights_}));
    out_.resize(std::max(node().outputs.size(), required_outputs(op)));
    ENM_RETURN_IF_ERROR(infer(attributes, in_, out_));
    for (TensorView& view : out_) view.data = take(view.bytes());
    for (size_t i = 0; i < in_.size(); ++i) {
      if (prepared->packs(i)) in_[i].data = nullptr;
      const bool fits = (op.alias >> i & 1) != 0 && in_[i].bytes() == out_[0].bytes();
      if (way_.in_place && fits) out_[0].data = in_[i].data;
    }
    const Memory scratch(prepared->scratch_bytes(in_, way_.threads));
    return prepared->run({&pool, scratch.data}, in_, out_);
  }

  const TensorView& output(size_t index) const { return out_[index]; }

  Status load() {
    for (graph::ValueId id : node().inputs) {
      TensorView& view = in_.emplace_back();
      if (id == graph::kNoValue) continue;
      const graph::Tensor& tensor = *graph_.constant(id);
      view.dtype = tensor.dtype;
      view.set_dims(tensor.dims);
      view.data = take(view.bytes());
      ENM_RETURN_IF_ERROR(tensor.data.load_into({view.as<uint8_t>(), view.bytes()}));
    }
    return {};
  }

 private:
  const Node& node() const { return graph_.nodes[0]; }
  uint8_t* take(uint64_t size) {
    return memory_.emplace_back(std::make_unique<Memory>(size))->data;
  }
  void hide_constants(const Op& op) {
    for (size_t i = 0; i < node().inputs.size(); ++i) {
      const graph::ValueId id = node().inputs[i];
      if (id == graph::kNoValue || op.input(i)->is(Operand::kConstant)) continue;
      graph_.value(id).initializer.reset();
    }
  }

  Graph graph_;
  const Way way_;
  MemoryBudget budget_;
  Weights weights_{budget_};
  std::vector<std::unique_ptr<Memory>> memory_;
  std::vector<TensorView> in_;
  std::vector<TensorView> out_;
};

bool is_near(float got, float wanted) {
  if (std::isnan(wanted)) return std::isnan(got);
  return got == wanted || std::fabs(got - wanted) <= 2e-6f * std::max(1.0f, std::fabs(wanted));
}

void expect_equal(const TensorView& got, const graph::Tensor& wanted) {
  TensorView view;
  view.dtype = wanted.dtype;
  view.set_dims(wanted.dims);
  ASSERT_EQ(view_str(got), view_str(view));
  const Blob bytes = *wanted.data.load();
  if (got.dtype != DType::kFloat32) {
    EXPECT_TRUE(std::equal(bytes.data(), bytes.data() + bytes.size(), got.as<uint8_t>()));
    return;
  }
  const std::span floats(reinterpret_cast<const float*>(bytes.data()), bytes.size() / 4);
  for (size_t i = 0; i < floats.size(); ++i) {
    EXPECT_TRUE(is_near(got.as<float>()[i], floats[i]))
        << "element " << i << " is " << got.as<float>()[i] << "; expected " << floats[i];
  }
}

void expect_answer(const Graph& graph, const Way& way) {
  const Node& node = graph.nodes[0];
  Evaluation evaluation(graph, way);
  ASSERT_EQ(evaluation.load().message(), "ok");
  ASSERT_EQ(evaluation.run().message(), "ok");
  size_t compared = 0;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] == graph::kNoValue) continue;
    const std::string& name = graph.value(node.outputs[i]).name;
    const graph::Tensor* wanted = graph.constant(graph.find_value(cat(name, ".is")));
    ASSERT_NE(wanted, nullptr) << name << " has no answer";
    expect_equal(evaluation.output(i), *wanted);
    ++compared;
  }
  EXPECT_GT(compared, 0u);
}

std::vector<Way> all_ways() {
  std::vector<Way> ways;
  for (const Isa isa : std::set{Isa::kScalar, *select_isa()}) {
    for (const int threads : {1, 2, 4}) {
      for (const bool constants : {true, false}) {
        for (const bool in_place : {true, false})
          ways.push_back({isa, threads, constants, in_place});
      }
    }
  }
  return ways;
}

// In every way to run them; and there is one for every row.
TEST(Operators, GiveTheKnownAnswers) {
  const std::vector<Way> ways = all_ways();
  std::set<const Op*> met;
  for (const KnownAnswers answers :
       {known_elementwise_answers(), known_layout_answers(), known_product_answers()}) {
    for (const char* answer : answers) {
      SCOPED_TRACE(answer);
      const auto graph = parse(answer);
      ASSERT_EQ(graph.status().message(), "ok");
      ASSERT_EQ(graph->nodes.size(), 1u);
      met.insert(find_op(*graph, graph->nodes[0]));
      for (const Way& way : ways) {
        SCOPED_TRACE(cat(isa_name(way.isa), ", ", way.threads, " threads",
                         way.constants ? ", constants" : "", way.in_place ? ", in place" : ""));
        expect_answer(*graph, way);
      }
    }
  }
  for (const Op* op : all_ops()) {
    EXPECT_TRUE(met.contains(op)) << cat(op->domain, ".", op->name) << " has no known answer";
  }
}

}  // namespace
}  // namespace enm::ops
