// Each pass on graphs in text: where it fires, and where it must not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/graph/text.h"
#include "enm/passes/pass.h"
#include "enm/passes/select_rows.h"

namespace enm::passes {
namespace {

constexpr std::string_view kHead = "graph \"\" producer \"\"\nopset \"\" 17\n";

// The graph after the pass, without its head.
std::string after(const Pass& pass, std::string_view body) {
  auto graph = graph::from_text(cat(kHead, body));
  if (!graph.ok()) return std::string(graph.status().message());
  const Pass* passes[] = {&pass};
  const auto reports = run_passes(*graph, passes);
  if (!reports.ok()) return std::string(reports.status().message());
  const std::string text = *graph::to_text(*graph);
  // A second run has nothing to do.
  EXPECT_EQ((*run_passes(*graph, passes))[0].rewrites, 0);
  return text.substr(kHead.size());
}

TEST(ConstantFolding, ComputesWhatIsConstant) {
  EXPECT_EQ(after(kConstantFolding,
                  "const %a: f32[2] {1, 2}\n"
                  "%b: ? = Neg \"n\" (%a)\n"
                  "%y: ? = Identity \"i\" (%b)\n"
                  "output %y\n"),
            "const %a: f32[2] {1, 2}\n"
            "const %b: f32[2] {-1, -2}\n"
            "%y: ? = Identity \"i\" (%b)\n"
            "output %y\n");
}

TEST(ConstantFolding, LeavesComputedUnknownAndOutput) {
  const std::string body =
      "input %x: f32[2]\n"
      "const %a: f32[2] {1, 2}\n"
      "%b: f32 = Add \"computed\" (%x, %a)\n"
      "%c: f32 = Strange \"unknown\" (%a)\n"
      "%d: f32 = Neg \"output\" (%a)\n"
      "output %b\noutput %c\noutput %d\n";
  EXPECT_EQ(after(kConstantFolding, body), body);
}

TEST(DeadCode, RemovesWhatNobodyReads) {
  EXPECT_EQ(after(kDeadCode,
                  "input %x: f32[2]\n"
                  "const %unread: f32[2] {1, 2}\n"
                  "%a: f32 = Neg \"dead\" (%x)\n"
                  "%b: f32 = Neg \"dead too\" (%a)\n"
                  "%y: f32 = Neg \"alive\" (%x)\n"
                  "output %y\n"),
            "input %x: f32[2]\n"
            "%y: f32 = Neg \"alive\" (%x)\n"
            "output %y\n");
}

TEST(DeadCode, KeepsInputsAndNodesOfWhichOneOutputIsRead) {
  const std::string body =
      "input %x: f32[2]\ninput %unread: f32[2]\n"
      "%a: f32[1], %b: f32[1] = Split \"s\" (%x)\n"
      "output %b\n";
  EXPECT_EQ(after(kDeadCode, body), body);
}

constexpr const char* kProduct =
    "input %x: f32[1, 2]\n"
    "const %w: i8[2, 2] {1, 2, 3, 4}\n"
    "const %s: f32[2] {0.5, 0.25}\n"
    "const %bias: f32[2] {1, 2}\n"
    "%q: u8, %qs: f32[], %qz: u8[] = DynamicQuantizeLinear \"q\" (%x)\n"
    "%sums: i32 = MatMulInteger \"m\" (%q, %w, %qz)\n"
    "%floats: f32 = Cast \"c\" (%sums) {to = int 1}\n"
    "%scale: f32 = Mul \"scale\" (%qs, %s)\n"
    "%y: f32 = Mul \"y\" (%floats, %scale)\n";

TEST(FuseIntegerProduct, TakesScalesAndBias) {
  const std::string out =
      after(kFuseIntegerProduct, cat(kProduct, "%z: f32 = Add \"z\" (%y, %bias)\noutput %z\n"));
  EXPECT_NE(out.find("%z: f32 = com.microsoft.MatMulIntegerToFloat \"m\" "
                     "(%q, %w, %qs, %s, %qz, _, %bias)\noutput %z\n"),
            std::string::npos)
      << out;
  EXPECT_EQ(out.find("= MatMulInteger "), std::string::npos) << out;
}

TEST(FuseIntegerProduct, WorksWithoutABias) {
  const std::string out = after(kFuseIntegerProduct, cat(kProduct, "output %y\n"));
  EXPECT_NE(
      out.find("%y: f32 = com.microsoft.MatMulIntegerToFloat \"m\" (%q, %w, %qs, %s, %qz, _)"),
      std::string::npos)
      << out;
}

TEST(FuseIntegerProduct, LeavesSumsThatOthersRead) {
  const std::string body = cat(kProduct, "output %y\noutput %sums\n");
  EXPECT_EQ(after(kFuseIntegerProduct, body), body);
}

TEST(FuseIntegerProduct, LeavesScalesOfOtherOrigin) {
  const std::string body =
      "input %a: u8[1, 2]\n"
      "input %scale: f32[2]\n"
      "const %w: i8[2, 2] {1, 2, 3, 4}\n"
      "%sums: i32 = MatMulInteger \"m\" (%a, %w)\n"
      "%floats: f32 = Cast \"c\" (%sums) {to = int 1}\n"
      "%y: f32 = Mul \"y\" (%floats, %scale)\n"
      "output %y\n";
  EXPECT_EQ(after(kFuseIntegerProduct, body), body);
}

TEST(WidenHalves, DropsCastsAndWidensConstants) {
  EXPECT_EQ(after(kWidenHalves,
                  "input %x: f32[2]\n"
                  "const %c: f16[2] x\"003c0040\"\n"
                  "%xh: f16[2] = Cast \"down\" (%x) {to = int 10}\n"
                  "%yh: f16[2] = Add \"add\" (%xh, %c)\n"
                  "%y: f32[2] = Cast \"up\" (%yh) {to = int 1}\n"
                  "output %y\n"),
            "input %x: f32[2]\n"
            "const %c: f32[2] {1, 2}\n"
            "%y: f32[2] = Add \"add\" (%x, %c)\n"
            "output %y\n");
}

TEST(WidenHalves, LeavesGraphsOfFloats) {
  const std::string body =
      "input %x: i64[2]\n"
      "%y: f32[2] = Cast \"c\" (%x) {to = int 1}\n"
      "%z: f32[2] = Cast \"again\" (%y) {to = int 1}\n"
      "output %z\n";
  EXPECT_EQ(after(kWidenHalves, body), body);
}

constexpr const char* kTiedTable =
    "input %ids: i64[1, 2]\n"
    "const %q: u8[2, 1, 16] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, "
    "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}\n"
    "const %s: f32[2, 1] {0.5, 0.25}\n"
    "const %zero: f32[] {128}\n"
    "const %last: i64[1] {-1}\n"
    "const %dims: i64[3] {0, 0, -1}\n"
    "%rows: u8 = Gather \"rows\" (%q, %ids)\n"
    "%floats: f32 = Cast \"floats\" (%rows) {to = int 1}\n"
    "%centred: f32 = Sub \"centred\" (%floats, %zero)\n"
    "%scales: f32 = Gather \"scales\" (%s, %ids)\n"
    "%column: f32 = Unsqueeze \"column\" (%scales, %last)\n"
    "%scaled: f32 = Mul \"scaled\" (%centred, %column)\n"
    "%y: f32 = Reshape \"y\" (%scaled, %dims)\n";

TEST(FuseBlockRows, ReadsRowsOfBlocks) {
  const std::string out = after(kFuseBlockRows, cat(kTiedTable, "output %y\n"));
  EXPECT_NE(out.find("const %q.rows: u8[2, 16]"), std::string::npos) << out;
  EXPECT_NE(out.find("%y: f32 = com.microsoft.GatherBlockQuantized \"y\" (%q.rows, %ids, %s) "
                     "{bits = int 8, block_size = int 16"),
            std::string::npos)
      << out;
  EXPECT_EQ(out.find("= Gather "), std::string::npos) << out;
}

TEST(FuseBlockRows, LeavesWhatOthersReadAndOtherZeros) {
  const std::string shared = cat(kTiedTable, "output %y\noutput %centred\n");
  EXPECT_EQ(after(kFuseBlockRows, shared), shared);
  std::string other = cat(kTiedTable, "output %y\n");
  other.replace(other.find("{128}"), 5, "{127}");
  EXPECT_EQ(after(kFuseBlockRows, other), other);
}

// 16 blocks of 16: an axis put elsewhere broadcasts too, but scales other values.
TEST(FuseBlockRows, LeavesOtherAxesAndOtherShapes) {
  const auto table = [](std::string_view axis, std::string_view dims, std::string_view attribute) {
    std::string quants, scales;
    for (int i = 0; i < 256; ++i) quants += cat(i == 0 ? "" : ", ", i);
    for (int i = 0; i < 16; ++i) scales += cat(i == 0 ? "" : ", ", i + 1);
    return cat("input %ids: i64[1, 2]\nconst %q: u8[1, 16, 16] {", quants,
               "}\nconst %s: f32[1, 16] {", scales, "}\nconst %zero: f32[] {128}\n",
               "const %last: i64[1] {", axis, "}\nconst %dims: i64[3] {", dims, "}\n",
               "%rows: u8 = Gather \"rows\" (%q, %ids)\n"
               "%floats: f32 = Cast \"floats\" (%rows) {to = int 1}\n"
               "%centred: f32 = Sub \"centred\" (%floats, %zero)\n"
               "%scales: f32 = Gather \"scales\" (%s, %ids)\n"
               "%column: f32 = Unsqueeze \"column\" (%scales, %last)\n"
               "%scaled: f32 = Mul \"scaled\" (%centred, %column)\n"
               "%y: f32 = Reshape \"y\" (%scaled, %dims)",
               attribute, "\noutput %y\n");
  };
  for (const std::string& body :
       {table("2", "0, 0, -1", ""), table("-1", "2, 1, -1", ""), table("-1", "0, 0, 128", ""),
        table("-1", "0, 0, 256", " {allowzero = int 1}")}) {
    EXPECT_NE(after(kFuseBlockRows, body).find("= Reshape "), std::string::npos);
  }
  EXPECT_NE(after(kFuseBlockRows, table("3", "0, 0, 256", "")).find("GatherBlockQuantized"),
            std::string::npos);
}

// select_rows is asked for an output, and adds an input.
std::string with_rows(std::string_view body) {
  auto graph = graph::from_text(cat(kHead, body));
  if (!graph.ok()) return std::string(graph.status().message());
  const bool found = select_rows(*graph, "y") != graph::kNoValue;
  return cat(found ? "found\n" : "not found\n", graph::to_text(*graph)->substr(kHead.size()));
}

TEST(SelectRows, PutsAGatherInFrontOfTheHead) {
  EXPECT_EQ(with_rows("input %x: f32[1, 5, 2]\n"
                      "const %w: f32[2, 3] {1, 2, 3, 4, 5, 6}\n"
                      "const %b: f32[3] {1, 2, 3}\n"
                      "%h: f32 = Tanh \"h\" (%x)\n"
                      "%p: f32 = MatMul \"head\" (%h, %w)\n"
                      "%y: f32[1, 5, 3] = Add \"bias\" (%p, %b)\n"
                      "output %y\n"),
            "found\n"
            "input %x: f32[1, 5, 2]\n"
            "input %y/rows: i64[rows]\n"
            "const %w: f32[2, 3] {1, 2, 3, 4, 5, 6}\n"
            "const %b: f32[3] {1, 2, 3}\n"
            "%h: f32 = Tanh \"h\" (%x)\n"
            "%y/rows/flat: ? = Flatten \"y/rows/Flatten\" (%h) {axis = int 2}\n"
            "%y/rows/chosen: ? = Gather \"y/rows/Gather\" (%y/rows/flat, %y/rows)\n"
            "%p: f32 = MatMul \"head\" (%y/rows/chosen, %w)\n"
            "%y: f32 = Add \"bias\" (%p, %b)\n"
            "output %y\n");
}

TEST(SelectRows, LeavesWhatMixesPositions) {
  for (const char* body :
       {// a softmax over positions behind the head
        "input %x: f32[1, 5, 2]\nconst %w: f32[2, 3] {1, 2, 3, 4, 5, 6}\n"
        "%p: f32 = MatMul \"head\" (%x, %w)\n%y: f32 = Softmax \"s\" (%p) {axis = int 1}\n"
        "output %y\n",
        // a computed second operand
        "input %x: f32[1, 5, 2]\ninput %w: f32[2, 3]\n%y: f32 = MatMul \"head\" (%x, %w)\n"
        "output %y\n",
        // an addend that differs from position to position
        "input %x: f32[1, 5, 2]\nconst %w: f32[2, 1] {1, 2}\nconst %b: f32[5, 1] {1, 2, 3, 4, 5}\n"
        "%p: f32 = MatMul \"head\" (%x, %w)\n%y: f32 = Add \"a\" (%p, %b)\noutput %y\n"}) {
    EXPECT_THAT(with_rows(body), testing::StartsWith("not found\n"));
  }
}

// Forty thousand casts, each of the one before: linear work, whatever the order of names.
TEST(WidenHalves, ManyCastsInARow) {
  graph::Graph graph;
  graph.opsets[""] = 17;
  const graph::ValueId x = graph.add_input("x", {graph::DType::kFloat32, graph::Shape{2}});
  graph::ValueId last = x;
  for (int i = 0; i < 40'000; ++i) {
    const graph::ValueId next = graph.add_value(cat("v", i));
    graph.nodes.push_back(
        {"Cast", "", cat("c", i), {last}, {next}, {{"to", int64_t{i % 2 == 0 ? 10 : 1}}}});
    last = next;
  }
  graph.outputs.push_back(last);
  const Pass* passes[] = {&kWidenHalves, &kDeadCode};
  ASSERT_TRUE(run_passes(graph, passes).ok());
  EXPECT_LE(graph.nodes.size(), 1u);
}

}  // namespace
}  // namespace enm::passes
