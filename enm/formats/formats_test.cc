#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/file_posix.h"
#include "enm/base/mutate.h"
#include "enm/formats/huggingface.h"
#include "enm/formats/onnx_reader.h"
#include "enm/formats/onnx_writer.h"
#include "enm/formats/protobuf.h"
#include "enm/formats/safetensors.h"

namespace enm::formats {
namespace {

using graph::DType;
using graph::Graph;
using ::testing::HasSubstr;

const int kMutations = seeded_cases();

std::string message(const Status& status) { return std::string(status.message()); }

// A node of every kind of attribute, constants of several types, an operator nobody knows.
Graph sample_graph() {
  Graph graph;
  graph.name = "sample";
  graph.producer = "test";
  graph.opsets = {{"", 17}, {"com.example", 3}};
  graph.metadata = {{"key", "value"}};
  const auto x = graph.add_input("x", {DType::kFloat32, graph::Shape{"batch", 4, graph::Dim()}});
  const auto w = graph.add_constant(
      "w", graph::make_tensor(DType::kFloat32, {2, 2}, std::vector<float>{1, 2, 3, 4}));
  const auto q = graph.add_constant(
      "q", graph::make_tensor(DType::kUint4, {3}, std::vector<uint8_t>{0x21, 0x03}));
  const auto y = graph.add_value("y", {DType::kFloat32, graph::Shape{}});
  graph::Node node{"Strange", "com.example", "n", {x, graph::kNoValue, w, q}, {y}, {}};
  node.attributes = {{"i", int64_t{-7}},
                     {"f", 0.5f},
                     {"s", std::string("text")},
                     {"is", std::vector<int64_t>{1, -2}},
                     {"fs", std::vector<float>{1.5f}},
                     {"ss", std::vector<std::string>{"a", "b"}},
                     {"t", graph::make_tensor(DType::kInt64, {1}, std::vector<int64_t>{9})}};
  graph.nodes.push_back(node);
  graph.outputs.push_back(y);
  return graph;
}

std::vector<uint8_t> written(const Graph& graph) {
  MemorySink sink;
  EXPECT_TRUE(write_onnx(graph, sink).ok());
  return sink.bytes();
}

Result<Graph> read(std::vector<uint8_t> bytes) {
  MemoryFiles files;
  files.add("m.onnx", Blob::own(std::move(bytes)));
  return read_onnx(files, "m.onnx");
}

TEST(Onnx, WhatIsWrittenIsReadBackToTheSameBytes) {
  const auto bytes = written(sample_graph());
  const auto graph = read(bytes);
  ASSERT_TRUE(graph.ok()) << message(graph.status());
  EXPECT_EQ(graph->nodes[0].attributes.size(), 7u);
  EXPECT_EQ(graph->nodes[0].inputs[1], graph::kNoValue);
  EXPECT_EQ(type_str(graph->value(graph->inputs[0]).type), "f32[batch, 4, ?]");
  EXPECT_EQ(graph->metadata.at("key"), "value");
  EXPECT_EQ(written(*graph), bytes);
}

TEST(Onnx, ExternalDataIsReadBack) {
  Graph graph = sample_graph();
  const std::vector<float> large(1000, 0.25f);
  const auto big = graph.add_constant("big", graph::make_tensor(DType::kFloat32, {1000}, large));
  graph.nodes[0].inputs.push_back(big);
  MemorySink model;
  MemorySink data;
  ASSERT_TRUE(write_onnx_external(graph, model, data, "m.onnx_data").ok());
  EXPECT_EQ(data.bytes().size(), 4000u);
  MemoryFiles files;
  files.add("onnx/m.onnx", Blob::own(model.bytes()));
  EXPECT_EQ(read_onnx(files, "onnx/m.onnx").status().code(), Code::kNotFound);
  files.add("onnx/m.onnx_data", Blob::own(data.bytes()));
  const auto again = read_onnx(files, "onnx/m.onnx");
  ASSERT_TRUE(again.ok()) << message(again.status());
  EXPECT_EQ(again->constant(again->find_value("big"))->data.load()->size(), 4000u);
  files.add("onnx/m.onnx_data", Blob::own({1, 2, 3}));
  EXPECT_EQ(read_onnx(files, "onnx/m.onnx").status().code(), Code::kCorrupt);
}

TEST(Onnx, ExternalDataCannotLeaveTheFolder) {
  for (const char* location : {"../secret", "/etc/passwd", "a/../../b", ""}) {
    ProtoWriter entry, tensor, body, opset, model;
    entry.text(1, "location");
    entry.text(2, location);
    tensor.packed_ints(1, {1});
    tensor.integer(2, 1);
    tensor.text(8, "w");
    tensor.message(13, entry);
    tensor.integer(14, 1);
    body.message(5, tensor);
    opset.integer(2, 17);
    model.message(8, opset);
    model.message(7, body);
    EXPECT_EQ(read(model.result()).status().code(), Code::kInvalidArgument) << location;
  }
}

TEST(Onnx, RefusesWithReasons) {
  Graph graph = sample_graph();
  graph.opsets[""] = 9;
  EXPECT_THAT(message(read(written(graph)).status()), HasSubstr("opset 9"));
  graph = sample_graph();
  graph.nodes[0].inputs[0] = graph.add_value("nobody");
  EXPECT_THAT(message(read(written(graph)).status()), HasSubstr("nothing before it makes"));
  graph = sample_graph();
  graph.nodes.push_back(graph.nodes[0]);
  EXPECT_THAT(message(read(written(graph)).status()), HasSubstr("again"));
  EXPECT_THAT(message(read({}).status()), HasSubstr("is this an ONNX file"));
}

// Whatever the damage: an error, or a graph that can be written and read again.
TEST(Onnx, SurvivesDamage) {
  const auto good = written(sample_graph());
  Mutator mutator(1);
  for (int i = 0; i < kMutations; ++i) {
    const auto graph = read(mutator.mutate(good));
    if (graph.ok()) (void)written(*graph);
  }
  for (size_t cut = 0; cut < good.size(); ++cut) {
    (void)read({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)});
  }
}

std::vector<uint8_t> sample_safetensors() {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[8,12]}})";
  std::vector<uint8_t> out = graph::to_bytes(std::vector<uint64_t>{header.size()});
  for (char c : header) out.push_back(static_cast<uint8_t>(c));
  out.resize(out.size() + 12);
  return out;
}

Result<SafetensorsCheckpoint> open(std::vector<uint8_t> bytes) {
  MemoryFiles files;
  files.add("model.safetensors", Blob::own(std::move(bytes)));
  return SafetensorsCheckpoint::open(files);
}

TEST(Safetensors, ReadsTensors) {
  const auto checkpoint = open(sample_safetensors());
  ASSERT_TRUE(checkpoint.ok()) << message(checkpoint.status());
  EXPECT_EQ(checkpoint->get("b")->dims, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(checkpoint->get("b")->dtype, DType::kBfloat16);
  EXPECT_EQ(checkpoint->get("c").status().code(), Code::kNotFound);
}

TEST(Safetensors, SurvivesDamage) {
  const auto good = sample_safetensors();
  Mutator mutator(2);
  for (int i = 0; i < kMutations; ++i) {
    const auto checkpoint = open(mutator.mutate(good));
    if (!checkpoint.ok()) continue;
    for (const std::string& name : checkpoint->names()) {
      const auto tensor = checkpoint->get(name);
      if (!tensor.ok()) continue;
      const auto bytes = tensor->data.load();
      ASSERT_TRUE(bytes.ok());
      EXPECT_EQ(bytes->size(), graph::byte_size(tensor->dtype, tensor->element_count()));
    }
  }
}

// The bundled checkpoint under another config.json.
class OneFileChanged final : public FileSource {
 public:
  OneFileChanged(std::string name, std::string text)
      : base_(ENM_SOURCE_DIR "/models/fable-8m"), name_(std::move(name)), text_(std::move(text)) {}
  Result<Blob> open(std::string_view name) const override {
    return name == name_ ? Blob::borrow(as_bytes(text_)) : base_.open(name);
  }
  bool contains(std::string_view name) const override {
    return name == name_ || base_.contains(name);
  }

 private:
  const DirectoryFiles base_;
  const std::string name_;
  const std::string text_;
};

std::string bundled(const char* name) {
  const auto bytes = read_file(cat(ENM_SOURCE_DIR "/models/fable-8m/", name), 1 << 20);
  return std::string(as_text(*bytes));
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

TEST(HuggingFace, ReadsBothStylesOfRope) {
  std::string old_style = bundled("config.json");
  const size_t begin = old_style.find("\"rope_parameters\"");
  const size_t end = old_style.find('}', begin);
  old_style.replace(begin, end + 1 - begin, "\"rope_theta\": 10000.0");
  const auto one = import_huggingface(OneFileChanged("config.json", old_style));
  const auto other = import_huggingface(DirectoryFiles(ENM_SOURCE_DIR "/models/fable-8m"));
  ASSERT_TRUE(one.ok()) << message(one.status());
  ASSERT_TRUE(other.ok()) << message(other.status());
  EXPECT_EQ(written(*one), written(*other));
}

TEST(HuggingFace, RefusesKeysThatMayChangeTheNumbers) {
  const std::string config = bundled("config.json");
  const auto with = [&](std::string_view from, std::string_view to) {
    const auto graph =
        import_huggingface(OneFileChanged("config.json", replaced(config, from, to)));
    return graph.ok() ? std::string("accepted") : message(graph.status());
  };
  EXPECT_THAT(with("\"use_cache\"", "\"new_knob\": 3, \"use_cache\""), HasSubstr("new_knob"));
  EXPECT_THAT(with("\"rope_type\": \"default\"", "\"rope_type\": \"spiral\""), HasSubstr("spiral"));
  EXPECT_THAT(with("\"rope_type\": \"default\"", "\"rope_type\": \"yarn\""), HasSubstr("factor"));
  EXPECT_THAT(with("\"qk_layernorm\": false", "\"qk_layernorm\": true"), HasSubstr("qk_layernorm"));
  EXPECT_THAT(with("\"gelu_new\"", "\"mish\""), HasSubstr("mish"));
  EXPECT_THAT(with("\"model_type\": \"phi\"", "\"model_type\": \"mamba\""), HasSubstr("mamba"));
  EXPECT_THAT(with("\"hidden_size\": 256", "\"hidden_size\": 128"), HasSubstr("dimensions"));
  EXPECT_THAT(with("\"hidden_size\": 256", "\"hidden_size\": 0"), HasSubstr("hidden_size"));
  EXPECT_THAT(with("\"hidden_size\": 256", "\"hidden_size\": \"big\""),
              HasSubstr("expected integer"));
}

TEST(HuggingFace, SurvivesDamagedConfigs) {
  const std::string config = bundled("config.json");
  Mutator mutator(3);
  for (int i = 0; i < kMutations / 4; ++i) {
    const auto bytes = mutator.mutate(as_bytes(config));
    (void)import_huggingface(OneFileChanged("config.json", std::string(as_text(bytes))));
  }
}

}  // namespace
}  // namespace enm::formats
