#include "enm/pipeline/model.h"

#include "enm/families/recognize.h"
#include "enm/pipeline/model_folder.h"

namespace enm::pipeline {

Result<std::shared_ptr<const Model>> Model::open(const FileSource& files,
                                                 const ModelOptions& options, ThreadPool& pool) {
  ENM_ASSIGN_OR_RETURN(text::Tokenizer tokenizer, load_tokenizer(files));
  ENM_ASSIGN_OR_RETURN(graph::Graph graph, load_graph(files, options.model_file));
  std::shared_ptr<Model> model(new Model(std::move(tokenizer), options.memory_limit));
  ENM_ASSIGN_OR_RETURN(model->end_tokens_, load_end_tokens(files));
  ENM_ASSIGN_OR_RETURN(model->description_, families::describe(graph));
  ENM_RETURN_IF_ERROR(model->compile(std::move(graph), pool));
  // The file's bytes go when the packed weights stand.
  model->weights_.forget_sources();
  return std::shared_ptr<const Model>(std::move(model));
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
