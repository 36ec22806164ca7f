// The C ABI. One model a module instance; calls come from one thread, the host's worker.
//
// A call returns 0 when it failed, and result() is then the error's message; else result() is what
// the call is said to give. Texts are UTF-8; requests are JSON with the SDK's option names.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "enm/base/json.h"
#include "enm/pipeline/generation.h"
#include "enm/pipeline/pipeline.h"
#include "wasm/host_files.h"
#include "wasm/support.h"

#define ENM_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

using enm::Json;
using enm::Result;
using enm::Status;

// Workers serve the pool for as long as the module lives; it is never destroyed.
enm::ThreadPool* pool = nullptr;
std::unique_ptr<enm::pipeline::Pipeline> model;
std::unique_ptr<enm::pipeline::Generation> generation;
std::string result;
enm::Code code = enm::Code::kOk;
std::vector<float> vectors;

uint32_t fail(const Status& status) {
  code = status.code();
  result = std::string(status.message());
  return 0;
}

Result<Json> parse_request(const char* data, uint32_t size) { return Json::parse({data, size}); }

Result<std::vector<std::string>> strings(const Json& json, std::string_view what) {
  std::vector<std::string> out;
  if (!json.is_array()) return enm::InvalidArgument(what, " is no list of texts");
  for (const Json& item : json.items()) {
    if (!item.is_string()) return enm::InvalidArgument(what, " holds something that is no text");
    out.push_back(item.string());
  }
  return out;
}

Status start(const Json& request) {
  enm::pipeline::GenerateOptions options;
  enm::runtime::SamplingOptions& sampling = options.sampling;
  ENM_ASSIGN_OR_RETURN(const std::string prompt, request.get_string("prompt"));
  ENM_ASSIGN_OR_RETURN(options.max_tokens, request.get_int("maxTokens", options.max_tokens));
  ENM_ASSIGN_OR_RETURN(const double temperature, request.get_double("temperature", 0));
  ENM_ASSIGN_OR_RETURN(const int64_t top_k, request.get_int("topK", 0));
  ENM_ASSIGN_OR_RETURN(const double top_p, request.get_double("topP", 1));
  ENM_ASSIGN_OR_RETURN(const double min_p, request.get_double("minP", 0));
  ENM_ASSIGN_OR_RETURN(const double penalty, request.get_double("repetitionPenalty", 1));
  ENM_ASSIGN_OR_RETURN(const int64_t seed, request.get_int("seed", 0));
  sampling.temperature = static_cast<float>(temperature);
  sampling.top_k = static_cast<int32_t>(top_k);
  sampling.top_p = static_cast<float>(top_p);
  sampling.min_p = static_cast<float>(min_p);
  sampling.repetition_penalty = static_cast<float>(penalty);
  sampling.seed = static_cast<uint64_t>(seed);
  if (const Json* stop = request.find("stop"); stop != nullptr && !stop->is_null()) {
    ENM_ASSIGN_OR_RETURN(options.stop, strings(*stop, "stop"));
  }
  ENM_ASSIGN_OR_RETURN(generation, model->start(prompt, options));
  return Status();
}

}  // namespace

/// Memory for the host to write a request into, or for a worker's stack.
ENM_EXPORT(allocate) void* allocate(uint32_t size) { return operator new(size); }
ENM_EXPORT(release) void release(void* memory) { operator delete(memory); }

ENM_EXPORT(result_data) const char* result_data() { return result.data(); }
ENM_EXPORT(result_size) uint32_t result_size() { return static_cast<uint32_t>(result.size()); }

/// Of the call that failed last, as the position in enm::Code.
ENM_EXPORT(error_code) uint32_t error_code() { return static_cast<uint32_t>(code); }

/// The kernels' instruction set as the result.
ENM_EXPORT(isa) uint32_t isa() {
  const auto chosen = enm::select_isa();
  if (!chosen.ok()) return fail(chosen.status());
  result = enm::isa_name(*chosen);
  return 1;
}

/// First of all, once. For more than one thread the host then lets an instance of its own for each
/// worker 1 .. threads - 1 enter work(), before open() is called.
ENM_EXPORT(start_pool) void start_pool(uint32_t threads) {
  if (pool == nullptr) pool = new enm::ThreadPool(static_cast<int>(threads));
}

/// Body of a worker: does not return.
ENM_EXPORT(work) void work(uint32_t worker) {
  enm::wasm::is_worker = true;
  pool->work_until_stopped(static_cast<int>(worker));
}

/// Opens the model that the host's files are. `context` tokens of cache at most, 0 for the model's
/// own limit. A model opened before is closed.
ENM_EXPORT(open) uint32_t open(uint32_t context) {
  generation.reset();
  model.reset();
  start_pool(1);
  const enm::wasm::HostFiles files;
  enm::pipeline::OpenOptions options;
  options.pool = pool;
  options.context_length = context;
  auto opened = enm::pipeline::Pipeline::open(files, options);
  if (!opened.ok()) return fail(opened.status());
  model = *std::move(opened);
  result = model->is_decoder() ? "decoder" : "embedder";
  return 1;
}

/// Begins a text: {prompt, maxTokens?, temperature?, topK?, topP?, minP?, repetitionPenalty?,
/// seed?, stop?}. The one before it, if any, ends here.
ENM_EXPORT(generate) uint32_t generate(const char* request, uint32_t size) {
  generation.reset();
  if (model == nullptr) return fail(enm::InvalidArgument("no model is open"));
  const auto json = parse_request(request, size);
  if (!json.ok()) return fail(json.status().in("request"));
  const Status status = start(*json);
  return status.ok() ? 1 : fail(status);
}

/// One pass of the model. The result is the text that can be shown now; returns 1 while there is
/// more to come, 2 at the end.
ENM_EXPORT(generate_step) uint32_t generate_step() {
  if (generation == nullptr) return fail(enm::InvalidArgument("nothing is being generated"));
  auto text = generation->step();
  if (!text.ok()) {
    generation.reset();
    return fail(text.status());
  }
  result = *std::move(text);
  return generation->done() ? 2 : 1;
}

ENM_EXPORT(generate_cancel) void generate_cancel() {
  if (generation != nullptr && !generation->done()) generation->cancel();
}

/// Of the generation begun last; finish() gives "stop", "length", "context_full" or "cancelled".
ENM_EXPORT(prompt_tokens) uint32_t prompt_tokens() {
  return generation ? static_cast<uint32_t>(generation->result().prompt_tokens) : 0;
}
ENM_EXPORT(tokens) uint32_t tokens() {
  return generation ? static_cast<uint32_t>(generation->result().tokens) : 0;
}
ENM_EXPORT(reading_prompt) uint32_t reading_prompt() {
  return generation != nullptr && generation->reading_prompt();
}
ENM_EXPORT(finish) uint32_t finish() {
  if (generation == nullptr) return fail(enm::InvalidArgument("nothing was generated"));
  result = enm::pipeline::finish_name(generation->result().finish);
  return 1;
}

/// Forgets the text being written.
ENM_EXPORT(clear_cache) void clear_cache() {
  generation.reset();
  if (model != nullptr && model->is_decoder()) model->decoder().truncate(0);
}

/// A JSON list of texts to vectors: vectors_data() is f32 [count of texts, dimensions].
/// Returns the dimensions.
ENM_EXPORT(embed) uint32_t embed(const char* request, uint32_t size) {
  if (model == nullptr) return fail(enm::InvalidArgument("no model is open"));
  const auto json = parse_request(request, size);
  if (!json.ok()) return fail(json.status().in("request"));
  const auto texts = strings(*json, "request");
  if (!texts.ok()) return fail(texts.status());
  if (texts->empty()) return fail(enm::InvalidArgument("no text to embed"));
  const auto made = model->embed(*texts);
  if (!made.ok()) return fail(made.status());
  vectors.clear();
  for (const std::vector<float>& vector : *made) {
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  return static_cast<uint32_t>(made->front().size());
}
ENM_EXPORT(vectors_data) const float* vectors_data() { return vectors.data(); }

/// Bytes of weights, key-value cache and working memory of the open model.
ENM_EXPORT(weight_bytes) double weight_bytes() {
  return model == nullptr ? 0 : static_cast<double>(model->weight_bytes());
}
ENM_EXPORT(cache_bytes) double cache_bytes() {
  return model == nullptr || !model->is_decoder()
             ? 0
             : static_cast<double>(model->decoder().cache_bytes());
}
