// A whole model, as ONNX or as text: read, described, compiled, run on a few tokens.
#include <algorithm>
#include <cctype>

#include "enm/base/mutate.h"
#include "enm/families/recognize.h"
#include "enm/formats/onnx_reader.h"
#include "enm/graph/text.h"
#include "enm/runtime/decoder.h"
#include "enm/runtime/encoder.h"

namespace {

constexpr uint64_t kMemory = 64 << 20;

enm::Result<enm::graph::Graph> read(enm::Bytes bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (text.starts_with("graph ")) return enm::graph::from_text(text);
  enm::MemoryFiles files;
  files.add("m.onnx", enm::Blob::borrow(bytes));
  return enm::formats::read_onnx(files, "m.onnx");
}

// Two passes over one sequence, a step back, and all logits read.
enm::Status decode(enm::graph::Graph graph, const enm::graph::ModelDescription& description,
                   enm::Isa isa, enm::ThreadPool& pool) {
  enm::MemoryBudget budget(kMemory);
  enm::ops::Weights weights(budget);
  ENM_ASSIGN_OR_RETURN(const auto program, enm::runtime::DecoderProgram::compile(
                                               std::move(graph), description, isa, pool, weights));
  weights.forget_sources();
  const int64_t context = std::min<int64_t>(program->context_limit(), 12);
  ENM_ASSIGN_OR_RETURN(const auto decoder,
                       enm::runtime::Decoder::open(
                           program, {context, program->is_cached() ? 2 : 1, 3}, pool, budget));
  const int32_t last = static_cast<int32_t>(std::min<int64_t>(decoder->vocab(), 5) - 1);
  const std::vector<int32_t> tokens = {0, last, 0, last, 0};
  float sum = 0;
  const auto look = [&](size_t feed) {
    for (float logit : decoder->logits(feed)) sum += logit;
  };
  ENM_RETURN_IF_ERROR(decoder->append(0, tokens));
  look(0);
  decoder->truncate(0, 2);
  using Logits = enm::runtime::Decoder::Logits;
  std::vector<enm::runtime::Decoder::Feed> feeds = {{0, std::span(tokens).first(2), Logits::kAll}};
  if (program->is_cached()) feeds.push_back({1, std::span(tokens).first(1), Logits::kLast});
  ENM_RETURN_IF_ERROR(decoder->begin(feeds));
  ENM_RETURN_IF_ERROR(decoder->finish());
  for (size_t i = 0; i < feeds.size(); ++i) look(i);
  const int64_t kept = decoder->reuse_prefix(program->is_cached() ? 1 : 0, tokens);
  ENM_RETURN_IF_ERROR(decoder->append(program->is_cached() ? 1 : 0,
                                      std::span(tokens).subspan(static_cast<size_t>(kept))));
  look(0);
  return {};
}

enm::Status embed(enm::graph::Graph graph, const enm::graph::ModelDescription& description,
                  enm::Isa isa, enm::ThreadPool& pool) {
  enm::MemoryBudget budget(kMemory);
  enm::ops::Weights weights(budget);
  ENM_ASSIGN_OR_RETURN(const auto program, enm::runtime::EncoderProgram::compile(
                                               std::move(graph), description, isa, pool, weights));
  enm::runtime::Encoder encoder(program, pool, budget);
  const std::vector<std::vector<int32_t>> texts = {{0, 1, 2, 3}, {1}};
  ENM_RETURN_IF_ERROR(encoder.embed(texts).status());
  return encoder.embed(std::span(texts).subspan(1)).status();
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t most);

// Words of a text take each other's places, numbers become hostile ones: flipped bits seldom leave
// a text that reads.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t most, unsigned seed) {
  enm::Mutator dice(seed);
  std::string text(reinterpret_cast<const char*>(data), size);
  if (!text.starts_with("graph ") || dice.below(8) == 0) return LLVMFuzzerMutate(data, size, most);
  const auto is_word = [](char c) { return std::isalnum(c) || c == '%' || c == '.' || c == '_'; };
  const auto word_at = [&](size_t from) {
    while (from < text.size() && !is_word(text[from])) ++from;
    while (from > 0 && is_word(text[from - 1])) --from;
    size_t end = from;
    while (end < text.size() && is_word(text[end])) ++end;
    return std::pair(from, end - from);
  };
  static constexpr const char* kNumbers[] = {"0",
                                             "1",
                                             "-1",
                                             "2",
                                             "3",
                                             "7",
                                             "8",
                                             "16",
                                             "4294967296",
                                             "281474976710656",
                                             "9223372036854775807",
                                             "-9223372036854775808",
                                             "2147483648",
                                             "65536",
                                             "1000000"};
  for (uint32_t edits = 1 + dice.below(3); edits > 0; --edits) {
    const auto [at, length] = word_at(dice.below(text.size()));
    const auto [other, other_length] = word_at(dice.below(text.size()));
    const bool is_number = at < text.size() && std::isdigit(text[at]) && dice.below(2) == 0;
    text.replace(
        at, length,
        is_number ? kNumbers[dice.below(std::size(kNumbers))] : text.substr(other, other_length));
  }
  text.resize(std::min(text.size(), most));
  std::copy(text.begin(), text.end(), data);
  return text.size();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using Task = enm::graph::ModelDescription::Task;
  static enm::ThreadPool pool(2);
  for (const enm::Isa isa : {enm::Isa::kScalar, *enm::select_isa()}) {
    const auto graph = read({data, size});
    if (!graph.ok()) return 0;
    const auto description = enm::families::describe(*graph);
    if (!description.ok()) return 0;
    if (description->task == Task::kTextGeneration) {
      (void)decode(*graph, *description, isa, pool);
    } else if (description->task == Task::kEmbedding) {
      (void)embed(*graph, *description, isa, pool);
    }
  }
  return 0;
}
