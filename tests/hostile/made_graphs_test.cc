// Seeded graphs, right and wrong ones, of every operator: none may crash, outgrow its memory, or
// mean two things. ENM_FUZZ_CASES says how many.
#include <gtest/gtest.h>

#include <set>

#include "enm/base/mutate.h"
#include "enm/graph/text.h"
#include "fuzz/graph_run.h"

namespace enm::fuzz {
namespace {

// xorshift64*
std::vector<uint8_t> random_bytes(uint64_t seed) {
  uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  std::vector<uint8_t> bytes(400);
  for (uint8_t& byte : bytes) {
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    byte = static_cast<uint8_t>((state * 0x2545f4914f6cdd1du) >> 56);
  }
  return bytes;
}

TEST(MadeGraphs, RunOrAreRefused) {
  const auto cases = static_cast<uint64_t>(seeded_cases());
  ThreadPool pool(2);
  std::set<std::string> ran;
  uint64_t refused = 0;
  for (uint64_t seed = 0; seed < cases; ++seed) {
    const std::vector<uint8_t> bytes = random_bytes(seed);
    Choices choices(bytes);
    const MadeGraph made = GraphMaker(choices).make();
    const Outcome outcome = run_made(made, choices, pool);
    ASSERT_TRUE(outcome.differs.empty()) << "case " << seed << ": " << outcome.differs << "\n"
                                         << *graph::to_text(made.graph);
    if (!outcome.status.ok()) {
      ++refused;
      EXPECT_EQ(outcome.status.message().find('\n'), std::string_view::npos);
      EXPECT_TRUE(outcome.status.message().starts_with("[")) << outcome.status.message();
      EXPECT_NE(outcome.status.code(), Code::kInternal) << outcome.status.message();
      continue;
    }
    for (const graph::Node& node : made.graph.nodes)
      ran.insert(cat(node.domain, ".", node.op_type));
  }
  // The makers are worth something only if their graphs are met in both ways.
  for (const ops::Op* op : ops::all_ops()) {
    EXPECT_TRUE(ran.contains(cat(op->domain, ".", op->name))) << op->name << " never ran";
  }
  EXPECT_GT(refused, cases / 20);
}

}  // namespace
}  // namespace enm::fuzz
