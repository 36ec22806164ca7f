#include <gtest/gtest.h>

#include "enm/graph/text.h"
#include "enm/ops/check.h"

namespace enm::ops {
namespace {

using graph::DType;
using graph::from_text;
using graph::Graph;

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

}  // namespace
}  // namespace enm::ops
