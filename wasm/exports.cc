// The C ABI. Models, sessions of them and texts that a session writes are known by handles. Calls
// come from one thread, the host's worker.
//
// A call returns 0 when it failed, and result() is then the error's message; else result() is what
// the call is said to give. Texts are UTF-8; requests and results are JSON, schemas/requests.json.
#include <cstdint>
#include <memory>
#include <string>

#include "enm/pipeline/requests.h"
#include "enm/pipeline/session.h"
#include "wasm/handles.h"
#include "wasm/host_files.h"
#include "wasm/support.h"

#define ENM_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {

namespace pipeline = enm::pipeline;
using enm::Result;
using enm::Status;

struct OpenSession {
  std::unique_ptr<pipeline::Session> session;
  bool in_pass = false;
};

struct Text {
  uint32_t session = 0;
  std::unique_ptr<pipeline::Generation> generation;
};

// Workers serve the pool for as long as the module lives; it is never destroyed.
enm::ThreadPool* pool = nullptr;
// In this order: texts go before the sessions that they are of.
enm::wasm::Handles<std::shared_ptr<const pipeline::Model>> models;
enm::wasm::Handles<OpenSession> sessions;
enm::wasm::Handles<Text> texts;
std::string result;
enm::Code code = enm::Code::kOk;
std::vector<float> vectors;

uint32_t fail(const Status& status) {
  code = status.code();
  result = std::string(status.message());
  return 0;
}

uint32_t done(const Status& status) { return status.ok() ? 1 : fail(status); }

uint32_t no_handle(std::string_view kind, uint32_t handle) {
  return fail(enm::InvalidArgument("no ", kind, " has the handle ", handle));
}

// The session if it may be touched: not while a pass reads and writes its cache.
pipeline::Session* idle_session(uint32_t handle) {
  OpenSession* found = sessions.find(handle);
  if (found == nullptr) {
    no_handle("session", handle);
    return nullptr;
  }
  if (found->in_pass) {
    fail(enm::InvalidArgument("session ", handle, " is in a pass; finish it first"));
    return nullptr;
  }
  return found->session.get();
}

pipeline::Generation* find_text(uint32_t handle) {
  Text* found = texts.find(handle);
  if (found != nullptr) return found->generation.get();
  no_handle("text", handle);
  return nullptr;
}

Result<uint32_t> open_session(const std::shared_ptr<const pipeline::Model>& model,
                              std::string_view request) {
  pipeline::SessionOptions options;
  ENM_RETURN_IF_ERROR(pipeline::read_request(request, pipeline::fields(options)));
  ENM_ASSIGN_OR_RETURN(auto session, pipeline::Session::open(model, options, *pool));
  return sessions.add({std::move(session)});
}

Result<uint32_t> start_text(uint32_t handle, pipeline::Session& session, std::string_view json) {
  pipeline::GenerateRequest request;
  ENM_RETURN_IF_ERROR(pipeline::read_request(json, pipeline::fields(request)));
  ENM_ASSIGN_OR_RETURN(auto generation, session.start(request.prompt, request.options));
  return texts.add({handle, std::move(generation)});
}

Result<uint32_t> start_answer(uint32_t handle, pipeline::Session& session, std::string_view json) {
  pipeline::ChatRequest request;
  ENM_RETURN_IF_ERROR(pipeline::read_request(json, pipeline::fields(request)));
  ENM_ASSIGN_OR_RETURN(auto generation, session.start(request.chat, request.options));
  return texts.add({handle, std::move(generation)});
}

Result<std::string> rendered_chat(const pipeline::Model& model, std::string_view json) {
  pipeline::ChatRequest request;
  ENM_RETURN_IF_ERROR(pipeline::read_request(json, pipeline::fields(request)));
  if (!model.chat_template().ok()) return model.chat_template().status();
  return model.chat_template()->render(request.chat);
}

Result<uint32_t> embed_texts(pipeline::Session& session, std::string_view json) {
  pipeline::EmbedRequest request;
  ENM_RETURN_IF_ERROR(pipeline::read_request(json, pipeline::fields(request)));
  if (request.texts.empty()) return enm::InvalidArgument("no text to embed");
  ENM_ASSIGN_OR_RETURN(const auto made, session.embed(request.texts, request.options));
  vectors.clear();
  for (const std::vector<float>& vector : made) {
    vectors.insert(vectors.end(), vector.begin(), vector.end());
  }
  return static_cast<uint32_t>(made.front().size());
}

uint32_t value_or_fail(const Result<uint32_t>& value) {
  return value.ok() ? *value : fail(value.status());
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
/// worker 1 .. threads - 1 enter work(), before open_model() is called.
ENM_EXPORT(start_pool) void start_pool(uint32_t threads) {
  if (pool == nullptr) pool = new enm::ThreadPool(static_cast<int>(threads));
}

/// Body of a worker: does not return.
ENM_EXPORT(work) void work(uint32_t worker) {
  enm::wasm::is_worker = true;
  pool->work_until_stopped(static_cast<int>(worker));
}

/// Takes a ModelRequest and opens the model that the host's files are during the call. Gives a
/// handle, and "decoder" or "embedder" as the result.
ENM_EXPORT(open_model) uint32_t open_model(const char* request, uint32_t size) {
  start_pool(1);
  pipeline::ModelOptions options;
  const Status read = pipeline::read_request({request, size}, pipeline::fields(options));
  if (!read.ok()) return fail(read);
  auto model = pipeline::Model::open(enm::wasm::HostFiles(), options, *pool);
  if (!model.ok()) return fail(model.status());
  result = (*model)->decoder() != nullptr ? "decoder" : "embedder";
  return models.add(*std::move(model));
}

/// Its memory goes with the last of its sessions.
ENM_EXPORT(close_model) uint32_t close_model(uint32_t handle) {
  if (models.find(handle) == nullptr) return no_handle("model", handle);
  models.remove(handle);
  return 1;
}

/// Takes a SessionRequest, gives a handle.
ENM_EXPORT(open_session)
uint32_t open_session(uint32_t model, const char* request, uint32_t size) {
  const auto* found = models.find(model);
  if (found == nullptr) return no_handle("model", model);
  return value_or_fail(open_session(*found, {request, size}));
}

/// With the texts that it writes.
ENM_EXPORT(close_session) uint32_t close_session(uint32_t handle) {
  if (idle_session(handle) == nullptr) return 0;
  texts.remove_if([&](uint32_t, const Text& text) { return text.session == handle; });
  sessions.remove(handle);
  return 1;
}

/// Takes a GenerateRequest, gives the handle of a text that holds one of the session's sequences
/// until it is closed.
ENM_EXPORT(generate)
uint32_t generate(uint32_t session, const char* request, uint32_t size) {
  pipeline::Session* found = idle_session(session);
  return found == nullptr ? 0 : value_or_fail(start_text(session, *found, {request, size}));
}

/// The same with a ChatRequest.
ENM_EXPORT(chat)
uint32_t chat(uint32_t session, const char* request, uint32_t size) {
  pipeline::Session* found = idle_session(session);
  return found == nullptr ? 0 : value_or_fail(start_answer(session, *found, {request, size}));
}

/// Takes a ChatRequest; the result is the text that the model would be given.
ENM_EXPORT(render_chat)
uint32_t render_chat(uint32_t model, const char* request, uint32_t size) {
  const auto* found = models.find(model);
  if (found == nullptr) return no_handle("model", model);
  auto text = rendered_chat(**found, {request, size});
  if (!text.ok()) return fail(text.status());
  result = *std::move(text);
  return 1;
}

/// Starts a pass of the model over the next tokens of texts of one session. Those that are done are
/// left out.
ENM_EXPORT(step_begin)
uint32_t step_begin(uint32_t session, const uint32_t* handles, uint32_t count) {
  pipeline::Session* found = idle_session(session);
  if (found == nullptr) return 0;
  std::vector<pipeline::Generation*> generations;
  for (uint32_t i = 0; i < count; ++i) {
    const Text* text = texts.find(handles[i]);
    if (text == nullptr || text->session != session) return no_handle("text", handles[i]);
    generations.push_back(text->generation.get());
  }
  const Status begun = found->begin(generations);
  sessions.find(session)->in_pass = begun.ok();
  return done(begun);
}

/// Waits for the pass.
ENM_EXPORT(step_finish) uint32_t step_finish(uint32_t session) {
  OpenSession* found = sessions.find(session);
  if (found == nullptr) return no_handle("session", session);
  if (!found->in_pass) return fail(enm::InvalidArgument("session ", session, " is in no pass"));
  found->in_pass = false;
  return done(found->session->finish());
}

/// The result is the text that can be shown since the last call.
ENM_EXPORT(generation_text) uint32_t generation_text(uint32_t handle) {
  pipeline::Generation* found = find_text(handle);
  if (found == nullptr) return 0;
  result = found->take_text();
  return 1;
}

/// 1 while the prompt is read, 2 while there is more to come, 3 at the end.
ENM_EXPORT(generation_state) uint32_t generation_state(uint32_t handle) {
  const pipeline::Generation* found = find_text(handle);
  if (found == nullptr) return 0;
  return found->done() ? 3 : found->reading_prompt() ? 1 : 2;
}

/// The result is a GenerateResult, whole once the text is done.
ENM_EXPORT(generation_result) uint32_t generation_result(uint32_t handle) {
  const pipeline::Generation* found = find_text(handle);
  if (found == nullptr) return 0;
  pipeline::GenerateResult copy = found->result();
  result = pipeline::write_result(pipeline::fields(copy));
  return 1;
}

/// Ends the text here.
ENM_EXPORT(cancel) uint32_t cancel(uint32_t handle) {
  pipeline::Generation* found = find_text(handle);
  if (found == nullptr) return 0;
  found->cancel();
  return 1;
}

/// Its sequence is free for another; what the sequence holds stays in the cache.
ENM_EXPORT(close_generation) uint32_t close_generation(uint32_t handle) {
  const Text* found = texts.find(handle);
  if (found == nullptr) return no_handle("text", handle);
  if (idle_session(found->session) == nullptr) return 0;
  texts.remove(handle);
  return 1;
}

/// Forgets what was read and written, but for texts that are being written.
ENM_EXPORT(clear_cache) uint32_t clear_cache(uint32_t session) {
  pipeline::Session* found = idle_session(session);
  if (found == nullptr) return 0;
  found->clear_cache();
  return 1;
}

/// Takes an EmbedRequest; vectors_data() is then f32 [count of texts, dimensions]. Gives the
/// dimensions.
ENM_EXPORT(embed) uint32_t embed(uint32_t session, const char* request, uint32_t size) {
  pipeline::Session* found = idle_session(session);
  return found == nullptr ? 0 : value_or_fail(embed_texts(*found, {request, size}));
}
ENM_EXPORT(vectors_data) const float* vectors_data() { return vectors.data(); }

/// The result is the MemoryInfo of a session.
ENM_EXPORT(memory_info) uint32_t memory_info(uint32_t session) {
  const OpenSession* found = sessions.find(session);
  if (found == nullptr) return no_handle("session", session);
  const pipeline::Session& open = *found->session;
  pipeline::MemoryInfo info = {open.model().weight_bytes(), open.cache_bytes(), open.arena_bytes()};
  result = pipeline::write_result(pipeline::fields(info));
  return 1;
}
