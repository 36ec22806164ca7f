#include "enm/pipeline/model.h"

#include <algorithm>

#include "enm/families/recognize.h"
#include "enm/pipeline/checkpoint.h"
#include "enm/pipeline/model_folder.h"

namespace enm::pipeline {
namespace {

void set_accuracy_level(graph::Graph& graph, int level) {
  if (level == ModelOptions::kAccuracyOfFile) return;
  for (graph::Node& node : graph.nodes) {
    if (node.is("MatMulNBits", graph::kMicrosoft)) {
      node.attributes["accuracy_level"] = int64_t{level};
    }
  }
}

}  // namespace

Result<std::shared_ptr<const Model>> Model::open(const FileSource& files,
                                                 const ModelOptions& options, ThreadPool& pool) {
  if (options.model_file.ends_with(".gguf")) {
    // Not owned: the files outlive this call.
    const std::shared_ptr<const FileSource> base(std::shared_ptr<void>(), &files);
    ENM_ASSIGN_OR_RETURN(const auto folder, gguf_folder(base, options.model_file));
    return open_files(*folder, options, pool);
  }
  return open_files(files, options, pool);
}

Result<std::shared_ptr<const Model>> Model::open_files(const FileSource& files,
                                                       const ModelOptions& options,
                                                       ThreadPool& pool) {
  ENM_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, load_tokenizer(files, options.model_file));
  ENM_ASSIGN_OR_RETURN(graph::Graph graph,
                       load_graph(files, options.model_file, {.context = options.context}));
  set_accuracy_level(graph, options.accuracy_level);
  std::shared_ptr<Model> model(new Model(std::move(tokenizer), options.memory_limit));
  ENM_ASSIGN_OR_RETURN(model->end_tokens_, load_end_tokens(files));
  ENM_ASSIGN_OR_RETURN(model->prompts_, load_prompts(files));
  // Only who chats needs to know what is wrong with it.
  model->chat_template_ = text::ChatTemplate::load(files, options.chat_template);
  model->add_end_tokens_of_chat();
  ENM_ASSIGN_OR_RETURN(model->description_, families::describe(graph));
  ENM_RETURN_IF_ERROR(model->compile(std::move(graph), pool));
  // The file's bytes go when the packed weights stand.
  model->weights_.forget_sources();
  return std::shared_ptr<const Model>(std::move(model));
}

void Model::add_end_tokens_of_chat() {
  if (!chat_template_.ok()) return;
  const auto add = [&](int32_t id) {
    const bool is_known =
        std::find(end_tokens_.begin(), end_tokens_.end(), id) != end_tokens_.end();
    if (id >= 0 && !is_known) end_tokens_.push_back(id);
  };
  add(tokenizer_.id_of(chat_template_->special_token("eos_token")));
  const std::vector<int32_t> behind = tokenizer_.encode(chat_template_->after_answer(), false);
  if (!behind.empty() && tokenizer_.is_special(behind[0])) add(behind[0]);
}

const text::grammar::TokenTexts& Model::token_texts() const {
  const MutexLock lock(token_texts_mutex_);
  if (token_texts_ == nullptr) {
    token_texts_ = std::make_unique<const text::grammar::TokenTexts>(tokenizer_, decoder_->vocab());
  }
  return *token_texts_;
}

Status Model::compile(graph::Graph graph, ThreadPool& pool) {
  using Task = graph::ModelDescription::Task;
  ENM_ASSIGN_OR_RETURN(const Isa isa, select_isa());
  switch (description_.task) {
    case Task::kTextGeneration: {
      ENM_ASSIGN_OR_RETURN(decoder_, runtime::DecoderProgram::compile(
                                         std::move(graph), description_, isa, pool, weights_));
      return {};
    }
    case Task::kEmbedding: {
      ENM_ASSIGN_OR_RETURN(encoder_, runtime::EncoderProgram::compile(
                                         std::move(graph), description_, isa, pool, weights_));
      return {};
    }
    case Task::kUnknown:
      break;
  }
  return Unsupported("this graph is neither a decoder (logits, past and present keys and values) ",
                     "nor an embedder (one vector a text)");
}

}  // namespace enm::pipeline
