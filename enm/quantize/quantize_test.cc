#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <random>

#include "enm/base/half.h"
#include "enm/quantize/blocks.h"
#include "enm/quantize/quantize.h"
#include "enm/quantize/quantized_weight.h"

namespace enm::quantize {
namespace {

using graph::DType;

struct Quantized {
  std::vector<uint8_t> quants, zeros;
  std::vector<float> scales;
};

BlockFormat format_of(int bits, int64_t block, bool symmetric) {
  return {bits, block,
          symmetric ? BlockFormat::ZeroPoints::kNone : BlockFormat::ZeroPoints::kInteger};
}

Quantized quantize(const BlockFormat& format, const std::vector<float>& row) {
  const auto k = static_cast<int64_t>(row.size());
  Quantized out{std::vector<uint8_t>(static_cast<size_t>(format.row_bytes(k))),
                std::vector<uint8_t>(static_cast<size_t>(format.row_zero_point_bytes(k))),
                std::vector<float>(static_cast<size_t>(format.blocks_of(k)))};
  uint8_t* zeros = format.has_zero_points() ? out.zeros.data() : nullptr;
  choose_grids(format, k, row.data(), out.scales.data(), zeros);
  round_row(format, k, row.data(), out.scales.data(), zeros, out.quants.data());
  return out;
}

float value_at(const BlockFormat& format, const Quantized& q, int64_t i) {
  const auto nibble = [&](const std::vector<uint8_t>& bytes, int64_t at) -> int {
    if (format.bits == 8) return bytes[static_cast<size_t>(at)];
    return bytes[static_cast<size_t>(at / 2)] >> (at % 2 * 4) & 15;
  };
  const int zero = format.has_zero_points() ? nibble(q.zeros, i / format.block) : format.middle();
  return static_cast<float>(nibble(q.quants, i) - zero) *
         q.scales[static_cast<size_t>(i / format.block)];
}

TEST(Blocks, EveryValueIsWithinAStep) {
  std::mt19937 random(1);
  std::normal_distribution<float> normal(0, 0.1f);
  for (int bits : {4, 8}) {
    for (int64_t block : {16, 32, 128}) {
      for (bool symmetric : {true, false}) {
        const BlockFormat format = format_of(bits, block, symmetric);
        std::vector<float> row(150);
        for (float& x : row) x = normal(random);
        const Quantized q = quantize(format, row);
        for (int64_t i = 0; i < 150; ++i) {
          // The side of a symmetric grid that has one level less may lose a whole step.
          const float step = std::fabs(q.scales[static_cast<size_t>(i / block)]);
          EXPECT_LE(std::fabs(value_at(format, q, i) - row[static_cast<size_t>(i)]),
                    step * (symmetric ? 1.01f : 0.51f))
              << bits << " " << block << " " << symmetric << " " << i;
        }
      }
    }
  }
}

// The two rules of quantize.h as a student would write them, block by block, a value a byte.
void oracle(const BlockFormat& format, std::vector<float> values, std::vector<int>& quants,
            float& scale, int& zero) {
  values.resize(static_cast<size_t>(format.block), 0.0f);
  const float low = std::min(0.0f, *std::min_element(values.begin(), values.end()));
  const float high = std::max(0.0f, *std::max_element(values.begin(), values.end()));
  const int most = (1 << format.bits) - 1;
  zero = format.middle();
  if (format.has_zero_points()) {
    scale = half_to_float(float_to_half((high - low) / static_cast<float>(most)));
    zero = std::clamp(static_cast<int>(std::nearbyint(-low / scale)), 0, most);
  } else {
    scale = half_to_float(float_to_half((-low > high ? low : high) / static_cast<float>(-zero)));
  }
  for (float x : values) {
    const int quant = static_cast<int>(std::nearbyint(x * (1.0f / scale))) + zero;
    quants.push_back(std::clamp(quant, 0, most));
  }
}

TEST(Blocks, BytesAreTheRules) {
  std::mt19937 random(2);
  std::normal_distribution<float> normal(0.01f, 0.1f);
  for (const BlockFormat& format : {format_of(4, 16, true), format_of(4, 32, false),
                                    format_of(8, 64, true), format_of(8, 128, false)}) {
    std::vector<float> row(150);
    for (float& x : row) x = normal(random);
    const Quantized q = quantize(format, row);
    const auto byte_value = [&](const std::vector<uint8_t>& bytes, size_t i) {
      return format.bits == 8 ? bytes[i] : bytes[i / 2] >> (i % 2 * 4) & 15;
    };
    const auto block = static_cast<size_t>(format.block);
    std::vector<int> quants;
    for (size_t b = 0; b * block < row.size(); ++b) {
      float scale = 0;
      int zero = 0;
      const size_t end = std::min(row.size(), (b + 1) * block);
      const auto at = [&](size_t i) { return row.begin() + static_cast<std::ptrdiff_t>(i); };
      oracle(format, {at(b * block), at(end)}, quants, scale, zero);
      EXPECT_EQ(q.scales[b], scale);
      if (format.has_zero_points()) {
        EXPECT_EQ(byte_value(q.zeros, b), zero);
      }
    }
    for (size_t i = 0; i < quants.size(); ++i) EXPECT_EQ(byte_value(q.quants, i), quants[i]) << i;
  }
}

TEST(Blocks, ScalesAreExactHalves) {
  std::vector<float> row(64, 0.0f);
  row[3] = 0.123456f;
  row[40] = 1e-9f;
  const Quantized q = quantize(format_of(4, 32, true), row);
  for (float scale : q.scales) EXPECT_EQ(half_to_float(float_to_half(scale)), scale);
  EXPECT_NE(q.scales[1], 0.0f);
}

TEST(Blocks, ZerosStayZeros) {
  for (bool symmetric : {true, false}) {
    const BlockFormat format = format_of(4, 32, symmetric);
    const Quantized q = quantize(format, std::vector<float>(32, 0.0f));
    for (int64_t i = 0; i < 32; ++i) EXPECT_EQ(value_at(format, q, i), 0.0f);
  }
}

// The sample's head, by its node's name.
const graph::ModelDescription kHead = [] {
  graph::ModelDescription out;
  out.head = "MatMul";
  return out;
}();

// logits = MatMul(Gather(table, ids), Transpose(weight)) with f16 constants.
graph::Graph sample() {
  graph::Graph graph;
  graph.opsets = {{"", 17}};
  const auto halves = [](int64_t count) {
    std::vector<uint16_t> out;
    for (int64_t i = 0; i < count; ++i)
      out.push_back(float_to_half(std::sin(static_cast<float>(i))));
    return out;
  };
  const auto ids = graph.add_input("input_ids", {DType::kInt64, graph::Shape{"batch", "sequence"}});
  const auto table =
      graph.add_constant("table.stored", graph::make_tensor(DType::kFloat16, {8, 32}, halves(256)));
  const auto weight = graph.add_constant("weight.stored",
                                         graph::make_tensor(DType::kFloat16, {5, 32}, halves(160)));
  const auto add = [&](const char* op, std::vector<graph::ValueId> inputs, const char* output) {
    const auto out = graph.add_value(output, {DType::kFloat32, {}});
    graph::Node node{op, "", op, std::move(inputs), {out}, {}};
    if (node.op_type == "Cast") node.attributes["to"] = int64_t{1};
    graph.nodes.push_back(node);
    return out;
  };
  const auto rows = add("Gather", {add("Cast", {table}, "table"), ids}, "rows");
  const auto turned = add("Transpose", {add("Cast", {weight}, "weight")}, "turned");
  graph.outputs.push_back(add("MatMul", {rows, turned}, "logits"));
  return graph;
}

TEST(QuantizeBlocks, RewritesProductsAndTables) {
  graph::Graph graph = sample();
  const auto report = quantize_blocks(graph, kHead, {.head_bits = 4});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->matmuls, 1);
  EXPECT_EQ(report->tables, 1);
  const graph::Node& product = graph.nodes.back();
  ASSERT_TRUE(product.is("MatMulNBits", graph::kMicrosoft));
  EXPECT_EQ(product.int_or("N", 0), 5);
  EXPECT_EQ(product.int_or("K", 0), 32);
  EXPECT_EQ(graph.constant(product.inputs[1])->data.load()->size(), 5u * 16);
  EXPECT_EQ(graph.value(product.outputs[0]).name, "logits");
}

// Rows of a weight, and a writer that asks in any order: each row's grid is computed once.
TEST(QuantizedWeight, OnePassServesAllTensorsInAnyOrder) {
  graph::Graph graph;
  std::vector<float> values;
  for (int i = 0; i < 300 * 48; ++i) values.push_back(std::sin(static_cast<float>(i)));
  const auto id = graph.add_constant("w", graph::make_tensor(DType::kFloat32, {300, 48}, values));
  const auto rows = RowSource::find(graph, graph.nodes, id);
  const BlockFormat format = format_of(4, 32, false);
  const QuantizedWeight weight(*rows, format);
  const Blob quants = *weight.quants().load();
  const Blob zeros = *weight.zero_points().load();
  const Blob scales = *weight.scales().load();
  EXPECT_EQ(weight.passes(), 1);
  for (size_t row : {size_t{0}, size_t{299}}) {
    const Quantized q =
        quantize(format, {values.begin() + static_cast<std::ptrdiff_t>(row * 48),
                          values.begin() + static_cast<std::ptrdiff_t>(row * 48 + 48)});
    EXPECT_EQ(std::memcmp(quants.data() + row * 32, q.quants.data(), 32), 0);
    EXPECT_EQ(std::memcmp(zeros.data() + row, q.zeros.data(), 1), 0);
    EXPECT_TRUE(std::equal(q.scales.begin(), q.scales.end(),
                           reinterpret_cast<const float*>(scales.data()) + row * 2));
  }
  // Asked again, they are made again.
  EXPECT_EQ(std::memcmp(weight.scales().load()->data(), scales.data(), scales.size()), 0);
  EXPECT_EQ(weight.passes(), 2);
}

// Whatever comes first, the bytes are the same and no grid stays behind.
TEST(QuantizedWeight, AnyOrderGivesTheSameBytesAndLetsGoOfTheGrids) {
  graph::Graph graph;
  std::vector<float> values;
  for (int i = 0; i < 40 * 48; ++i) values.push_back(std::sin(static_cast<float>(i)));
  const auto id = graph.add_constant("w", graph::make_tensor(DType::kFloat32, {40, 48}, values));
  const auto rows = RowSource::find(graph, graph.nodes, id);
  for (const bool symmetric : {true, false}) {
    std::string order = symmetric ? "qs" : "qsz";
    std::map<char, std::vector<uint8_t>> first;
    do {
      const QuantizedWeight weight(*rows, format_of(4, 32, symmetric));
      for (int round = 0; round < 2; ++round) {
        for (char part : order) {
          const Blob blob = *(part == 'q'   ? weight.quants()
                              : part == 's' ? weight.scales()
                                            : weight.zero_points())
                                 .load();
          const std::vector<uint8_t> bytes(blob.data(), blob.data() + blob.size());
          EXPECT_EQ(first.try_emplace(part, bytes).first->second, bytes) << order << part;
        }
        EXPECT_EQ(weight.kept_bytes(), 0u) << order;
        EXPECT_EQ(weight.passes(), (order[0] == 'q' ? 1 : 2) * (round + 1)) << order;
      }
    } while (std::next_permutation(order.begin(), order.end()));
  }
}

TEST(QuantizedWeight, HandsOutBlocksThatItWasGiven) {
  const auto bytes = [](size_t count) {
    return graph::TensorData::inline_bytes(std::vector<uint8_t>(count, 7));
  };
  const auto quants = bytes(32), scales = bytes(16), zeros = bytes(2);
  const QuantizedWeight weight(format_of(4, 16, false), 2, 32, quants, scales, zeros);
  EXPECT_EQ(weight.quants().identity(), quants.identity());
  EXPECT_EQ(weight.scales().identity(), scales.identity());
  EXPECT_EQ(weight.zero_points().identity(), zeros.identity());
  EXPECT_EQ(weight.passes(), 0);
}

TEST(QuantizeBlocks, LeavesTheHeadWhenAsked) {
  graph::Graph graph = sample();
  const auto report = quantize_blocks(graph, kHead, {.head_bits = 0, .embedding_bits = 0});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->matmuls, 0);
  EXPECT_EQ(report->left_in_float.size(), 1u);
}

TEST(QuantizeBlocks, PutsTablesInBlocksWhenAsked) {
  for (bool symmetric : {true, false}) {
    graph::Graph graph = sample();
    ASSERT_TRUE(quantize_blocks(graph, kHead, {.symmetric = symmetric, .embedding_bits = 4}).ok());
    const auto gather = std::find_if(graph.nodes.begin(), graph.nodes.end(), [](const auto& node) {
      return node.is("GatherBlockQuantized", graph::kMicrosoft);
    });
    ASSERT_NE(gather, graph.nodes.end());
    EXPECT_EQ(gather->inputs.size(), symmetric ? 3u : 4u);
    EXPECT_EQ(graph.constant(gather->inputs[0])->dims, (std::vector<int64_t>{8, 16}));
    EXPECT_EQ(graph.constant(gather->inputs[2])->dims, (std::vector<int64_t>{8, 1}));
  }
}

TEST(QuantizeBlocks, RefusesOddBlocks) {
  graph::Graph graph = sample();
  EXPECT_EQ(quantize_blocks(graph, kHead, {.block = 48}).status().code(), Code::kInvalidArgument);
  EXPECT_EQ(quantize_blocks(graph, kHead, {.head_bits = 3}).status().code(),
            Code::kInvalidArgument);
}

TEST(QuantizeInt8, RewritesProductsAndTables) {
  graph::Graph graph = sample();
  const auto report = quantize_int8(graph, {});
  ASSERT_TRUE(report.ok()) << report.status().message();
  EXPECT_EQ(report->matmuls, 1);
  EXPECT_EQ(report->tables, 1);
  const graph::Node* product = nullptr;
  for (const graph::Node& node : graph.nodes) {
    if (node.is("MatMulInteger")) product = &node;
  }
  ASSERT_NE(product, nullptr);
  const graph::Tensor* weight = graph.constant(product->inputs[1]);
  EXPECT_EQ(weight->dims, (std::vector<int64_t>{32, 5}));
  EXPECT_EQ(graph.value(graph.nodes.back().outputs[0]).name, "logits");

  // Within half a step of sin(row * 32 + column), the source's value.
  const auto quants = weight->data.load();
  const auto scales = graph.constant(graph.find_value("turned.scales"))->data.load();
  ASSERT_TRUE(quants.ok() && scales.ok());
  for (int64_t i = 0; i < 160; ++i) {
    float scale;
    std::memcpy(&scale, scales->data() + i % 5 * 4, 4);
    const float value = static_cast<float>(static_cast<int8_t>(quants->data()[i])) * scale;
    EXPECT_NEAR(value, std::sin(static_cast<float>(i % 5 * 32 + i / 5)), scale * 0.5f + 1e-3f);
  }
}

TEST(QuantizeInt8, ReducedRangeUsesSevenBits) {
  graph::Graph graph = sample();
  ASSERT_TRUE(quantize_int8(graph, {.reduce_range = true}).ok());
  const auto quants = graph.constant(graph.find_value("turned.quants"))->data.load();
  ASSERT_TRUE(quants.ok());
  int largest = 0;
  for (uint8_t byte : quants->bytes()) {
    largest = std::max(largest, std::abs(static_cast<int8_t>(byte)));
  }
  EXPECT_EQ(largest, 64);
}

TEST(QuantizeInt8, ProductsOfTheSameActivationsShareTheirBytes) {
  graph::Graph graph = sample();
  graph::Node second = graph.nodes.back();
  second.name = "second";
  second.outputs = {graph.add_value("second", {DType::kFloat32, {}})};
  graph.outputs.push_back(second.outputs[0]);
  graph.nodes.push_back(second);
  const auto report = quantize_int8(graph, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->matmuls, 2);
  const auto count = std::count_if(graph.nodes.begin(), graph.nodes.end(), [](const auto& node) {
    return node.is("DynamicQuantizeLinear");
  });
  EXPECT_EQ(count, 1);
}

TEST(QuantizeInt8, LeavesAComputedOperandInFloats) {
  graph::Graph graph = sample();
  const auto other = graph.add_input("other", {DType::kFloat32, graph::Shape{32, 5}});
  graph.nodes.back().inputs[1] = other;
  const auto report = quantize_int8(graph, {});
  ASSERT_TRUE(report.ok());
  EXPECT_EQ(report->matmuls, 0);
  EXPECT_EQ(report->left_in_float.size(), 1u);
}

}  // namespace
}  // namespace enm::quantize
