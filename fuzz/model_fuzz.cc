// A whole model, as ONNX or as text: read, described, compiled, run on a few tokens.
#include <algorithm>

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
  ENM_ASSIGN_OR_RETURN(const auto program,
                       enm::runtime::DecoderProgram::compile(std::move(graph), description, isa,
                                                             pool, weights));
  weights.forget_sources();
  const int64_t context = std::min<int64_t>(program->context_limit(), 12);
  ENM_ASSIGN_OR_RETURN(const auto decoder, enm::runtime::Decoder::open(
                                               program, {context, program->is_cached() ? 2 : 1, 3},
                                               pool, budget));
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
  ENM_ASSIGN_OR_RETURN(const auto program,
                       enm::runtime::EncoderProgram::compile(std::move(graph), description, isa,
                                                             pool, weights));
  enm::runtime::Encoder encoder(program, pool, budget);
  const std::vector<std::vector<int32_t>> texts = {{0, 1, 2, 3}, {1}};
  ENM_RETURN_IF_ERROR(encoder.embed(texts).status());
  return encoder.embed(std::span(texts).subspan(1)).status();
}

}  // namespace

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
