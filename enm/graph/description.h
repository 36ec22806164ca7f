// What a model is: the only thing that runtime, quantizers, signing and inspection read of it. A
// family writes it, or a recognizer finds it once for a foreign graph; it travels in the file's
// metadata as JSON. Values and nodes are named: names survive rewrites and files.
#pragma once

#include <string>
#include <vector>

#include "enm/graph/graph.h"

namespace enm::graph {

struct ModelDescription {
  enum class Task : uint8_t { kUnknown, kTextGeneration, kEmbedding };

  /// A layer's key-value cache: names of the graph's inputs and outputs, all
  /// [batch, kv_heads, tokens, head_dim].
  struct Layer {
    std::string past_key, past_value;
    std::string present_key, present_value;
    int64_t kv_heads = 0;
    int64_t head_dim = 0;
    int64_t window = 0;  // tokens that attention looks back, itself included; 0 for all
  };

  /// A product that adapters may attach to.
  struct Module {
    std::string name;  // "model.layers.0.self_attn.q_proj": as the checkpoint calls it
    std::string node;  // its MatMul or MatMulNBits
  };

  Task task = Task::kUnknown;
  std::string family;  // "phi"; empty if it was recognized

  // Names of inputs by role; empty where the graph has none.
  std::string input_ids;       // i64 [batch, sequence]
  std::string attention_mask;  // i64 [batch, past + sequence]
  std::string position_ids;    // i64 [batch, sequence]
  std::string token_type_ids;  // i64 [batch, sequence]

  /// Logits f32 [batch, sequence, vocabulary], or vectors f32 [batch, dimensions].
  std::string output;

  int64_t context_length = 0;  // longest sequence; 0 if nothing says
  int64_t vocabulary = 0;
  int64_t dimensions = 0;  // of the hidden states; of the vectors of an embedder
  std::string head;        // node of the product that makes the logits
  std::string pooling;     // "mean", "cls"; of embedders
  bool normalized = false;
  std::vector<Layer> layers;
  std::vector<Module> modules;
};

/// "text-generation", "feature-extraction" or "unknown", as Hugging Face names tasks.
std::string_view task_name(ModelDescription::Task task);

/// Puts the description into the graph's metadata.
void write_description(const ModelDescription& description, Graph& graph);

/// kCorrupt if it is no description of this graph: inputs must be inputs, outputs computed, and
/// each value stands for one thing.
Status check_description(const ModelDescription& description, const Graph& graph);

bool has_description(const Graph& graph);

/// The description in the metadata, checked: kNotFound if there is none, kCorrupt if it is none.
Result<ModelDescription> read_description(const Graph& graph);

}  // namespace enm::graph
