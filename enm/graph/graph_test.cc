#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "enm/base/mutate.h"
#include "enm/graph/text.h"
#include "enm/graph/verify.h"

namespace enm::graph {
namespace {

using ::testing::HasSubstr;

std::string every_kind() {
  std::ifstream file(ENM_SOURCE_DIR "/fuzz/corpus/graph_text/every_kind.txt");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string reprinted(std::string_view text) {
  const auto graph = from_text(text);
  if (!graph.ok()) return std::string(graph.status().message());
  return *to_text(*graph);
}

TEST(GraphText, RoundTrips) {
  const std::string text = every_kind();
  EXPECT_EQ(reprinted(text), text);
  // Blanks, comments and other quotes make no difference.
  EXPECT_EQ(reprinted(cat("# a comment\n ", text, "\n# the end")), text);
}

TEST(GraphText, KeepsEveryBitOfData) {
  Graph graph;
  std::vector<uint32_t> bits(200);
  for (size_t i = 0; i < bits.size(); ++i) bits[i] = static_cast<uint32_t>(i * 2654435761u);
  graph.add_constant("large", {DType::kFloat32, {200}, TensorData::inline_bytes(to_bytes(bits))});
  bits = {0x7fc00001, 0x80000000, 0x00000001, 0x3dcccccd};
  graph.add_constant("nan", {DType::kFloat32, {4}, TensorData::inline_bytes(to_bytes(bits))});
  bits = {0x80000000, 0x00000001, 0x3dcccccd, 0x7f7fffff};
  graph.add_constant("few", {DType::kFloat32, {4}, TensorData::inline_bytes(to_bytes(bits))});
  const auto again = from_text(*to_text(graph));
  ASSERT_TRUE(again.ok()) << again.status().message();
  for (const char* name : {"large", "nan", "few"}) {
    const Blob before = *graph.constant(graph.find_value(name))->data.load();
    const Blob after = *again->constant(again->find_value(name))->data.load();
    EXPECT_EQ(as_text(before.bytes()), as_text(after.bytes())) << name;
  }
  const std::string brief = *to_text(graph, {.all_data = false});
  EXPECT_THAT(brief, HasSubstr("const %large: f32[200] ...\n"));
  EXPECT_FALSE(from_text(brief).ok());
}

TEST(GraphText, ErrorsNameTheLine) {
  const auto error = [](const char* body) {
    return std::string(from_text(cat("graph \"\" producer \"\"\n", body)).status().message());
  };
  EXPECT_THAT(error("output %x"), HasSubstr("line 2: \"x\" is read before it is made"));
  EXPECT_THAT(error("input %x: f32\ninput %x: f32"), HasSubstr("line 3: \"x\" is made twice"));
  EXPECT_THAT(error("const %c: f32[2] {1}"), HasSubstr("4 bytes for f32[2]"));
  EXPECT_THAT(error("const %c: f32[n] {1}"), HasSubstr("unknown dimension"));
  EXPECT_THAT(error("const %c: f99[2] {1}"), HasSubstr("element type"));
  EXPECT_THAT(error("const %c: f32[4000000000, 4000000000, 4000000000] {}"), HasSubstr("2^48"));
  EXPECT_THAT(error("% y"), HasSubstr("line 2"));
  EXPECT_THAT(error("metadata \"a"), HasSubstr("no end"));
  EXPECT_THAT(error("%y: f32 = Op \"\" () {k = int 1, k = int 2}"), HasSubstr("stands twice"));
}

TEST(GraphText, DamageIsAnErrorOrAGraph) {
  const std::string good = every_kind();
  Mutator mutator(1);
  int accepted = 0;
  for (int i = 0; i < seeded_cases(); ++i) {
    const auto bad = mutator.mutate(as_bytes(good));
    const auto graph = from_text(as_text(bad));
    if (!graph.ok()) continue;
    ++accepted;
    const std::string text = *to_text(*graph);
    EXPECT_EQ(reprinted(text), text);
  }
  EXPECT_GT(accepted, 0);
}

Graph chain() {
  return *from_text(
      "graph \"\" producer \"\"\n"
      "input %x: f32[2]\n"
      "const %c: f32[2] {1, 2}\n"
      "%a: f32[2] = Add \"first\" (%x, %c)\n"
      "%b: f32[2] = Neg \"second\" (%a)\n"
      "output %b\n");
}

TEST(Verify, AcceptsAChain) { EXPECT_TRUE(verify(chain()).ok()); }

TEST(Verify, RefusesWhatIsBroken) {
  const auto message = [](void (*breaks)(Graph&)) {
    Graph graph = chain();
    breaks(graph);
    const Status status = verify(graph);
    return status.ok() ? std::string("accepted") : std::string(status.message());
  };
  EXPECT_THAT(message([](Graph& g) { std::swap(g.nodes[0], g.nodes[1]); }),
              HasSubstr("Neg 'second': value \"a\" is read before it is made"));
  EXPECT_THAT(message([](Graph& g) { g.nodes[1].outputs = g.nodes[0].outputs; }),
              HasSubstr("\"a\" is made twice"));
  EXPECT_THAT(message([](Graph& g) { g.nodes[0].outputs = g.inputs; }), HasSubstr("made twice"));
  EXPECT_THAT(message([](Graph& g) { g.nodes[0].inputs[0] = 99; }), HasSubstr("does not exist"));
  EXPECT_THAT(message([](Graph& g) { g.nodes[0].op_type.clear(); }), HasSubstr("no operator"));
  EXPECT_THAT(message([](Graph& g) { g.outputs.push_back(kNoValue); }), HasSubstr("is missing"));
  EXPECT_THAT(message([](Graph& g) { g.outputs.push_back(g.add_value("loose")); }),
              HasSubstr("the graph's outputs: value \"loose\""));
  EXPECT_THAT(message([](Graph& g) { g.value(g.find_value("c")).initializer->dims = {3}; }),
              HasSubstr("8 bytes; expected 12"));
}

}  // namespace
}  // namespace enm::graph
