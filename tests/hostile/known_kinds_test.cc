// Models that mean harm, a kind each, with what is said of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/graph/text.h"
#include "enm/runtime/session.h"

namespace enm {
namespace {

using testing::HasSubstr;

// Runs a text on zeros of the declared shapes; inputs of other shapes are not bound.
std::string fate(std::string_view body) {
  const std::string text =
      cat("graph \"\" producer \"\"\nopset \"\" 17\nopset \"com.microsoft\" 1\n", body);
  auto graph = graph::from_text(text);
  if (!graph.ok()) return std::string(graph.status().message());
  ThreadPool pool(1);
  MemoryBudget budget(64 << 20);
  ops::Weights weights(budget);
  auto program = runtime::Program::compile(*std::move(graph), Isa::kScalar, pool, weights);
  if (!program.ok()) return std::string(program.status().message());
  runtime::Session session(*program, pool, budget);
  std::vector<std::vector<uint8_t>> memory;
  for (graph::ValueId id : session.program().graph().inputs) {
    const graph::Type& type = session.program().graph().value(id).type;
    if (!type.shape) continue;
    ops::TensorView view;
    view.dtype = type.dtype;
    std::vector<int64_t> dims;
    for (const graph::Dim& dim : *type.shape) dims.push_back(dim.value());
    view.set_dims(dims);
    view.data = memory.emplace_back(view.bytes() + 1).data();
    session.bind(id, view);
  }
  Status status = session.plan();
  if (status.ok()) status = session.run();
  return std::string(status.message());
}

struct Kind {
  const char* name;
  const char* body;
  const char* said;
};

constexpr Kind kKinds[] = {
    {"a count that wraps",
     "const %s: i64[2] {4294967296, 4294967296}\n"
     "%y: f32 = ConstantOfShape \"bomb\" (%s)\noutput %y\n",
     "bomb"},
    {"a filler larger than memory",
     "const %s: i64[1] {1000000000000}\n"
     "%y: f32 = ConstantOfShape \"bomb\" (%s)\n%z: f32 = Neg \"z\" (%y)\noutput %z\n",
     "values between operators"},
    {"an expansion larger than memory",
     "const %x: f32[1] {1}\nconst %s: i64[2] {1000000, 1000000}\n"
     "%y: f32 = Expand \"bomb\" (%x, %s)\n%z: f32 = Neg \"z\" (%y)\noutput %z\n",
     "values between operators"},
    {"a range without end",
     "const %a: i64[] {0}\nconst %b: i64[] {9223372036854775807}\nconst %c: i64[] {1}\n"
     "%y: i64 = Range \"bomb\" (%a, %b, %c)\noutput %y\n",
     "bomb"},
    {"parts that do not add up",
     "input %x: f32[4]\nconst %s: i64[2] {9223372036854775807, 5}\n"
     "%a: f32, %b: f32 = Split \"cut\" (%x, %s)\noutput %a\n",
     "cut': part 0 has 9223372036854775807"},
    {"negative parts",
     "input %x: f32[4]\nconst %s: i64[2] {-4, 8}\n"
     "%a: f32, %b: f32 = Split \"cut\" (%x, %s)\noutput %a\n",
     "cut': part 0 has -4"},
    // ONNX Runtime says of both that a product of 0 "cannot be in combination with -1".
    {"zeros in a reshape of nothing",
     "input %x: f32[0, 4]\nconst %s: i64[2] {0, -1}\n"
     "%y: f32 = Reshape \"r\" (%x, %s) {allowzero = int 1}\noutput %y\n",
     "r': shape has -1 beside a dimension of 0"},
    {"a copied zero in a reshape of nothing",
     "input %x: f32[0, 4]\nconst %s: i64[2] {0, -1}\n"
     "%y: f32 = Reshape \"r\" (%x, %s)\noutput %y\n",
     "r': shape has -1 beside a dimension of 0"},
    {"a bias nobody measures",
     "input %x: f32[1, 16]\nconst %b: u8[1, 1, 8] {0, 0, 0, 0, 0, 0, 0, 0}\n"
     "const %s: f32[1] {1}\ninput %bias: f32[7]\n%y: f32 = com.microsoft.MatMulNBits \"m\" "
     "(%x, %b, %s, _, _, %bias) {K = int 16, N = int 1, block_size = int 16}\noutput %y\n",
     "m': bias is f32[7]"},
    {"blocks that are not there",
     "input %x: f32[1, 16]\nconst %b: u8[1, 1, 8] {0, 0, 0, 0, 0, 0, 0, 0}\n"
     "const %s: f32[1] {1}\n%y: f32 = com.microsoft.MatMulNBits \"m\" "
     "(%x, %b, %s) {K = int 16, N = int 281474976710656, block_size = int 16}\noutput %y\n",
     "m'"},
    {"a bias of another width",
     "input %x: f32[2, 3]\ninput %bias: f32[2]\n"
     "%y: f32 = com.microsoft.FastGelu \"g\" (%x, %bias)\noutput %y\n",
     "g'"},
    {"a skip of another shape",
     "input %x: f32[2, 3]\ninput %s: f32[1, 3]\nconst %w: f32[3] {1, 1, 1}\n"
     "%y: f32 = com.microsoft.SkipLayerNormalization \"n\" (%x, %s, %w)\noutput %y\n",
     "n': skip is f32[1, 3]"},
    {"a table of sines too short",
     "input %x: f32[1, 2, 8]\ninput %p: i64[1, 2]\ninput %c: f32[4, 2]\ninput %s: f32[1, 2]\n"
     "%y: f32 = com.microsoft.RotaryEmbedding \"turn\" (%x, %p, %c, %s) {num_heads = int "
     "2}\noutput %y\n",
     "turn'"},
    {"operands of two types",
     "input %x: f32[2]\ninput %i: i64[2]\n%y: f32 = Add \"a\" (%x, %i)\noutput %y\n",
     "a': input 1 (B) is i64; expected f32"},
    {"an output without a name", "const %x: f32[2] {1, 2}\n_ = Neg \"n\" (%x)\noutput %x\n", "ok"},
    {"a product without operands",
     "input %x: u8[2, 2]\n%y: i32 = MatMulInteger \"m\" (%x)\noutput %y\n",
     "m': input 1 (B) is missing"},
    {"a cast of nothing", "%y: f32 = Cast \"c\" () {to = int 10}\noutput %y\n",
     "c': input 0 (input) is missing"},
    // Opset 18 takes axes as an input. The standard leaves the result open; ONNX Runtime gives 0.
    {"an integer mean over nothing",
     "opset \"\" 18\ninput %x: i64[0, 2]\nconst %a: i64[1] {0}\n"
     "%y: i64 = ReduceMean \"mean\" (%x, %a)\noutput %y\n",
     "ok"},
    {"an input that nobody gives", "input %x: f32\n%y: f32 = Neg \"n\" (%x)\noutput %y\n",
     "input \"x\" is not given"},
    {"an axis far away",
     "input %x: f32[2, 3]\n%y: f32 = Softmax \"s\" (%x) {axis = int 9223372036854775807}\noutput "
     "%y\n",
     "s': axis"},
};

TEST(KnownKinds, AreRefusedByName) {
  for (const Kind& kind : kKinds) {
    SCOPED_TRACE(kind.name);
    const std::string got = fate(kind.body);
    EXPECT_THAT(got, HasSubstr(kind.said));
    EXPECT_EQ(got.find('\n'), std::string::npos);
  }
}

// A chain of casts, of whose values all or the last are outputs. What grew with the square of its
// length in every pass would meet the test's time limit.
TEST(KnownKinds, LongChainsEnd) {
  constexpr int kNodes = 40'000;
  for (const bool all_are_outputs : {false, true}) {
    std::string body = "input %v0: f32[2]\n";
    std::string outputs;
    for (int i = 1; i <= kNodes; ++i) {
      body +=
          cat("%v", i, ": ? = Cast \"\" (%v", i - 1, ") {to = int ", i % 2 == 0 ? 1 : 10, "}\n");
      if (all_are_outputs || i == kNodes) outputs += cat("output %v", i, "\n");
    }
    EXPECT_EQ(fate(body + outputs), "ok");
  }
}

// Constants of other constants: folded, they are made when they are loaded, one by the other.
TEST(KnownKinds, ConstantsOfConstantsStayFew) {
  constexpr int kFloats = 20'000;  // too many to be folded at once
  const std::string first = cat("input %x: f32[1]\nconst %c0: f32[", kFloats, "] x\"",
                                std::string(kFloats * 8, '0'), "\"\n");
  std::string doubled = first;
  std::string summed = cat(first, "%s0: f32 = Abs \"\" (%c0)\n%s1: f32 = Neg \"\" (%c0)\n");
  for (int i = 1; i <= 40; ++i) {
    doubled += cat("%c", i, ": f32 = Concat \"twice", i, "\" (%c", i - 1, ", %c", i - 1,
                   ") {axis = int 0}\n");
    summed += cat("%s", i + 1, ": f32 = Add \"\" (%s", i, ", %s", i - 1, ")\n");
  }
  EXPECT_THAT(fate(doubled + "%y: f32 = Add \"\" (%c40, %x)\noutput %y\n"), HasSubstr("twice"));
  EXPECT_EQ(fate(summed + "%y: f32 = Add \"\" (%s41, %x)\noutput %y\n"), "ok");
}

}  // namespace
}  // namespace enm
