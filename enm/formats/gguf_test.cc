#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/mutate.h"
#include "enm/formats/gguf_file.h"
#include "enm/formats/gguf_files.h"
#include "enm/formats/gguf_import.h"
#include "enm/formats/gguf_importance.h"
#include "enm/formats/gguf_recipe.h"
#include "enm/formats/gguf_writer.h"

namespace enm::formats {
namespace {

using ::testing::HasSubstr;

const int kMutations = seeded_cases();

std::vector<uint8_t> written(const GgufWriter& writer) {
  MemorySink sink;
  EXPECT_TRUE(writer.write(sink).ok());
  return sink.bytes();
}

Result<GgufFile> open(std::vector<uint8_t> bytes) {
  MemoryFiles files;
  files.add("m.gguf", Blob::own(std::move(bytes)));
  return GgufFile::open(files, "m.gguf");
}

std::string refusal(std::vector<uint8_t> bytes) {
  const auto file = open(std::move(bytes));
  return file.ok() ? "accepted" : std::string(file.status().message());
}

graph::TensorData zeros(size_t size) {
  return graph::TensorData::inline_bytes(std::vector<uint8_t>(size));
}

// Metadata of every type that is written, a tensor of floats and one of each kind of block.
GgufWriter sample() {
  GgufWriter writer;
  writer.add_text("general.architecture", "llama");
  writer.add_u32("llama.block_count", 2);
  writer.add_f32("llama.rope.freq_base", 10000.0f);
  writer.add_flag("tokenizer.ggml.add_bos_token", true);
  writer.add_texts("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "",
                                                                     "\xe2\x96\x81"
                                                                     "a"});
  writer.add_i32s("tokenizer.ggml.token_type", std::vector<int32_t>{3, 1, -1});
  writer.add_f32s("tokenizer.ggml.scores", std::vector<float>{0, -1.5f, -2});
  writer.add_tensor("norm", {3}, GgmlType::kF32,
                    graph::TensorData::inline_bytes(graph::to_bytes(std::vector<float>{1, 2, 3})));
  writer.add_tensor("small", {2, 64}, GgmlType::kQ4_0, zeros(2 * 2 * 18));
  writer.add_tensor("large", {3, 256}, GgmlType::kQ6_K, zeros(3 * 210));
  return writer;
}

TEST(Gguf, WhatIsWrittenIsReadBack) {
  const auto file = open(written(sample()));
  ASSERT_TRUE(file.ok()) << file.status().message();
  const GgufMetadata& metadata = file->metadata();
  EXPECT_EQ(*metadata.text("general.architecture"), "llama");
  EXPECT_EQ(*metadata.integer("llama.block_count"), 2);
  EXPECT_EQ(*metadata.number("llama.rope.freq_base"), 10000.0);
  EXPECT_EQ(*metadata.flag("tokenizer.ggml.add_bos_token", false), true);
  EXPECT_THAT(*metadata.strings("tokenizer.ggml.tokens"), testing::ElementsAre("<s>", "",
                                                                               "\xe2\x96\x81"
                                                                               "a"));
  EXPECT_THAT(*metadata.integers("tokenizer.ggml.token_type"), testing::ElementsAre(3, 1, -1));
  EXPECT_THAT(*metadata.numbers("tokenizer.ggml.scores"), testing::ElementsAre(0, -1.5f, -2));
  EXPECT_EQ(file->tensors().size(), 3u);
  const GgufTensor& small = file->tensors().at("small");
  EXPECT_EQ(small.dims, (std::vector<int64_t>{2, 64}));
  EXPECT_EQ(small.type->name, "Q4_0");
  EXPECT_EQ(small.data.size(), 72u);
  float norm[3];
  const GgufTensor& floats = file->tensors().at("norm");
  dequantize_ggml(*floats.type, floats.data.data(), 3, norm);
  EXPECT_THAT(norm, testing::ElementsAre(1, 2, 3));
}

TEST(Gguf, WrongTypesNameTheKey) {
  const auto file = open(written(sample()));
  const GgufMetadata& metadata = file->metadata();
  const auto told = [](const auto& result) { return std::string(result.status().message()); };
  EXPECT_EQ(metadata.integer("nobody").status().code(), Code::kNotFound);
  EXPECT_EQ(*metadata.integer("nobody", 7), 7);
  EXPECT_THAT(told(metadata.integer("llama.rope.freq_base")), HasSubstr("freq_base"));
  EXPECT_THAT(told(metadata.text("llama.block_count", "")), HasSubstr("a string"));
  EXPECT_THAT(told(metadata.integers("llama.block_count")), HasSubstr("an array of integers"));
  EXPECT_THAT(told(metadata.flag("llama.block_count", true)), HasSubstr("a bool"));
}

// The bytes with `value` in place of those at the first occurrence of `before` and `skip` behind
// it.
template <typename T>
std::vector<uint8_t> patched(std::vector<uint8_t> bytes, std::string_view before, size_t skip,
                             T value) {
  const size_t at = as_text(bytes).find(before);
  EXPECT_NE(at, std::string_view::npos);
  std::memcpy(bytes.data() + at + before.size() + skip, &value, sizeof value);
  return bytes;
}

TEST(Gguf, RefusesWithReasons) {
  const auto good = written(sample());
  EXPECT_THAT(refusal({1, 2, 3, 4}), HasSubstr("\"GGUF\""));
  EXPECT_THAT(refusal(patched(good, "GGUF", 0, uint32_t{1})), HasSubstr("version 1"));
  EXPECT_THAT(refusal(patched(good, "GGUF", 0, uint32_t{0x03000000})), HasSubstr("little-endian"));
  EXPECT_THAT(refusal(patched(good, "GGUF", 4, ~uint64_t{0})), HasSubstr("tensors do not fit"));
  EXPECT_THAT(refusal(patched(good, "GGUF", 12, ~uint64_t{0} / 13)),
              HasSubstr("entries of metadata"));
  EXPECT_THAT(refusal(patched(good, "ggml.tokens", 8, uint64_t{1} << 60)),
              HasSubstr("\"tokenizer.ggml.tokens\""));
  // Behind a name: rank, dims, type, offset.
  EXPECT_THAT(refusal(patched(good, "small", 0, uint32_t{5})), HasSubstr("\"small\""));
  EXPECT_THAT(refusal(patched(good, "small", 4, uint64_t{65})), HasSubstr("blocks of 32"));
  EXPECT_THAT(refusal(patched(good, "small", 12, uint64_t{1} << 40)), HasSubstr("\"small\""));
  EXPECT_THAT(refusal(patched(good, "small", 12, int64_t{-1})), HasSubstr("negative"));
  EXPECT_THAT(refusal(patched(good, "small", 24, uint64_t{33})), HasSubstr("alignment"));
  EXPECT_THAT(refusal(patched(good, "small", 24, uint64_t{1} << 63)), HasSubstr("\"small\" takes"));
  EXPECT_THAT(refusal(patched(good, "large", 24, uint64_t{32})), HasSubstr("lies on the bytes of"));
  GgufWriter twice = sample();
  twice.add_u32("llama.block_count", 3);
  EXPECT_THAT(refusal(written(twice)), HasSubstr("twice"));
  twice = sample();
  twice.add_tensor("norm", {3}, GgmlType::kF32, zeros(12));
  EXPECT_THAT(refusal(written(twice)), HasSubstr("\"norm\" stands twice"));
}

TEST(Gguf, UnknownTypesAreForWhoAsks) {
  const auto file = open(patched(written(sample()), "small", 20, uint32_t{23}));
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->tensors().at("small").type, nullptr);
  EXPECT_EQ(file->tensors().at("small").type_number, 23u);
}

GgufWriter part(uint32_t number, uint32_t count, const char* tensor) {
  GgufWriter writer;
  writer.add_u32("split.no", number);
  writer.add_u32("split.count", count);
  writer.add_u32("split.tensors.count", 2);
  writer.add_tensor(tensor, {1}, GgmlType::kF32, zeros(4));
  return writer;
}

TEST(Gguf, PartsAreJoined) {
  MemoryFiles files;
  files.add("m-00001-of-00002.gguf", Blob::own(written(part(0, 2, "a"))));
  const std::string first = "m-00001-of-00002.gguf";
  const std::string second = "m-00002-of-00002.gguf";
  EXPECT_EQ(GgufFile::open(files, first).status().code(), Code::kNotFound);
  files.add(second, Blob::own(written(part(1, 2, "b"))));
  const auto file = GgufFile::open(files, first);
  ASSERT_TRUE(file.ok()) << file.status().message();
  EXPECT_EQ(file->tensors().size(), 2u);
  EXPECT_THAT(std::string(GgufFile::open(files, second).status().message()),
              HasSubstr("-00001-of-00002.gguf"));
  files.add(second, Blob::own(written(part(1, 3, "b"))));
  EXPECT_THAT(std::string(GgufFile::open(files, first).status().message()),
              HasSubstr("part 2 of 3"));
  files.add(second, Blob::own(written(part(1, 2, "a"))));
  EXPECT_THAT(std::string(GgufFile::open(files, first).status().message()), HasSubstr("twice"));
}

// Whatever the damage: an error, or tensors that can be read to their last weight.
TEST(Gguf, SurvivesDamage) {
  const auto good = written(sample());
  Mutator mutator(4);
  for (int i = 0; i < kMutations; ++i) {
    const auto file = open(mutator.mutate(good));
    if (!file.ok()) continue;
    for (const auto& [name, tensor] : file->tensors()) {
      if (tensor.type == nullptr) continue;
      const int64_t count = *graph::checked_element_count(tensor.dims);
      ASSERT_EQ(tensor.data.size(), static_cast<uint64_t>(tensor.type->row_bytes(count)));
      std::vector<float> floats(static_cast<size_t>(count));
      dequantize_ggml(*tensor.type, tensor.data.data(), count, floats.data());
    }
  }
  for (size_t cut = 0; cut < good.size(); ++cut) {
    (void)open({good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut)});
  }
}

// A model of one layer with all that a file can tell.
GgufWriter tiny_model() {
  GgufWriter writer;
  writer.add_text("general.architecture", "llama");
  for (const auto& [key, value] :
       std::initializer_list<std::pair<const char*, uint32_t>>{{"context_length", 8},
                                                               {"embedding_length", 32},
                                                               {"feed_forward_length", 32},
                                                               {"block_count", 1},
                                                               {"attention.head_count", 2}}) {
    writer.add_u32(cat("llama.", key), value);
  }
  writer.add_text("tokenizer.ggml.model", "llama");
  writer.add_texts("tokenizer.ggml.tokens", std::vector<std::string>{"<s>", "a", "b", "ab"});
  writer.add_f32s("tokenizer.ggml.scores", std::vector<float>{0, -1, -2, -3});
  writer.add_i32s("tokenizer.ggml.token_type", std::vector<int32_t>{3, 1, 1, 1});
  writer.add_u32("tokenizer.ggml.bos_token_id", 0);
  writer.add_text("tokenizer.chat_template", "{{ messages }}");
  writer.add_tensor("token_embd.weight", {4, 32}, GgmlType::kQ4_0, zeros(4 * 18));
  for (const char* norm : {"output_norm", "blk.0.attn_norm", "blk.0.ffn_norm"}) {
    writer.add_tensor(cat(norm, ".weight"), {32}, GgmlType::kF32, zeros(128));
  }
  for (const char* name : {"attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up"}) {
    writer.add_tensor(cat("blk.0.", name, ".weight"), {32, 32}, GgmlType::kQ4_1, zeros(32 * 20));
  }
  writer.add_tensor("blk.0.ffn_down.weight", {32, 32}, GgmlType::kQ8_0, zeros(32 * 34));
  return writer;
}

// Everything of a model that opens: constants are made, companions are told or refused.
void use(const std::vector<uint8_t>& bytes, int& imported) {
  const auto files = std::make_shared<MemoryFiles>();
  files->add("m.gguf", Blob::borrow(bytes));
  const auto graph = import_gguf(*files, "m.gguf");
  if (graph.ok()) {
    ++imported;
    for (size_t id = 0; id < graph->value_count(); ++id) {
      const graph::Tensor* tensor = graph->constant(static_cast<graph::ValueId>(id));
      ASSERT_TRUE(tensor == nullptr || tensor->data.load().ok());
    }
  }
  const GgufFiles told(files, "m.gguf");
  for (const char* name :
       {"config.json", "tokenizer.json", "tokenizer_config.json", "generation_config.json"}) {
    (void)told.open(name);
  }
}

TEST(Gguf, ModelsSurviveDamage) {
  const auto good = written(tiny_model());
  int imported = 0;
  use(good, imported);
  ASSERT_EQ(imported, 1);
  Mutator mutator(6);
  for (int i = 0; i < kMutations; ++i) use(mutator.mutate(good), imported);
  EXPECT_GT(imported, kMutations / 100);  // the damage is not all in the first bytes
}

TEST(Gguf, FilesTellWhatFoldersHave) {
  const auto files = std::make_shared<MemoryFiles>();
  files->add("m.gguf", Blob::own(written(tiny_model())));
  const GgufFiles told(files, "m.gguf");
  EXPECT_FALSE(told.contains("modules.json"));
  const auto text = [&](const char* name) {
    const auto bytes = told.open(name);
    return bytes.ok() ? std::string(as_text(bytes->bytes()))
                      : std::string(bytes.status().message());
  };
  EXPECT_THAT(text("tokenizer.json"), HasSubstr(R"("merges":[["a","b"]])"));
  EXPECT_THAT(text("tokenizer_config.json"), HasSubstr(R"("chat_template":"{{ messages }}")"));
  EXPECT_THAT(text("config.json"), HasSubstr(R"("model_type":"llama")"));
}

families::DecoderConfig config_of(std::string family, int64_t layers) {
  families::DecoderConfig config;
  config.family = std::move(family);
  config.layers = layers;
  return config;
}

GgmlType type_of(std::string_view recipe, const families::DecoderConfig& config,
                 std::string_view name, int64_t columns, bool has_importance = false) {
  const int64_t dims[] = {256, columns};
  return gguf_tensor_type(*find_gguf_recipe(recipe), config, name, dims, has_importance);
}

TEST(Gguf, MixturesFallBackToSmallerBlocks) {
  const auto config = config_of("gemma3", 18);
  const char* plain = "blk.5.attn_q.weight";
  EXPECT_EQ(type_of("Q4_K", config, plain, 512), GgmlType::kQ4_K);
  EXPECT_EQ(type_of("Q4_K", config, plain, 640), GgmlType::kQ5_0);
  EXPECT_EQ(type_of("Q5_K", config, plain, 640), GgmlType::kQ5_1);
  EXPECT_EQ(type_of("Q6_K", config, plain, 640), GgmlType::kQ8_0);
  EXPECT_EQ(type_of("Q4_K_M", config, plain, 48), GgmlType::kF16);
  EXPECT_EQ(type_of("Q4_0", config, plain, 48), GgmlType::kF16);
  EXPECT_EQ(type_of("Q4_0", config, "blk.1.ffn_down.weight", 64, true), GgmlType::kQ4_1);
  EXPECT_EQ(type_of("Q4_0", config, "blk.2.ffn_down.weight", 64, true), GgmlType::kQ4_0);
  EXPECT_EQ(type_of("Q4_0", config, "output.weight", 640), GgmlType::kQ8_0);
  EXPECT_EQ(type_of("Q4_0", config, "output.weight", 512), GgmlType::kQ6_K);
  EXPECT_EQ(find_gguf_recipe("Q4"), nullptr);
  EXPECT_EQ(find_gguf_recipe(""), nullptr);
}

TEST(Gguf, ImportanceSurvivesDamage) {
  const std::vector<uint8_t> good = {1, 0, 0, 0,  1, 0, 0,   0,  'w', 2, 0, 0, 0, 2, 0, 0, 0,
                                     0, 0, 0, 64, 0, 0, 128, 64, 9,   0, 0, 0, 1, 0, 0, 0, 't'};
  const auto read = [](const std::vector<uint8_t>& bytes) {
    MemoryFiles files;
    files.add("m.dat", Blob::borrow(bytes));
    return read_importance(files, "m.dat");
  };
  const auto importance = read(good);
  ASSERT_TRUE(importance.ok()) << importance.status().message();
  EXPECT_THAT(importance->columns.at("w"), testing::ElementsAre(1, 2));
  EXPECT_EQ(importance->chunks, 9);
  EXPECT_EQ(importance->text, "t");
  Mutator mutator(8);
  for (int i = 0; i < kMutations; ++i) (void)read(mutator.mutate(good));
}

}  // namespace
}  // namespace enm::formats
