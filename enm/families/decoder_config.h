// What a decoder is, in numbers and choices: the one thing that a checkpoint's format has to say of
// a language model. config.json and the metadata of other formats fill it; build_decoder() reads
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enm/families/family.h"

namespace enm::families {

/// Rotary positions: the pair i of a head turns by position * frequency[i], where
/// frequency[i] = theta^(-2i / rotary_dim), rotary_dim = partial_factor * head_dim, is changed as
/// `kind` says. Source: transformers, modeling_rope_utils.py
struct Rope {
  enum class Kind : uint8_t {
    kDefault,
    kLinear,    // frequency / factor
    kDynamic,   // theta grows behind the model's own positions; as kDefault up to there
    kYarn,      // arXiv 2309.00071
    kLongRope,  // arXiv 2402.13753: frequency / short_factors[i], or long ones for long texts
    kLlama3,    // low frequencies / factor, those between mixed
  };
  Kind kind = Kind::kDefault;
  double theta = 10000;
  double partial_factor = 1;
  double factor = 1;
  /// Positions of the model before it was stretched; of kYarn, kLongRope and kLlama3.
  int64_t original_positions = 0;
  double low_frequency_factor = 1;   // kLlama3
  double high_frequency_factor = 4;  // kLlama3
  double beta_fast = 32;             // kYarn
  double beta_slow = 1;              // kYarn
  bool truncate = true;              // kYarn: whole numbers for the ends of its ramp
  /// cos and sin are multiplied by it. 0: what kYarn and kLongRope derive from `factor`.
  double attention_factor = 0;
  std::vector<double> short_factors, long_factors;  // kLongRope: one a pair
  /// Further divisors of the frequencies, one a pair, or none (GGUF's rope_freqs.weight).
  std::vector<double> divisors;
};

/// Modules below a block's name, as the checkpoint calls them: "model.layers.0." + query.
struct DecoderNames {
  std::string_view embedding = "model.embed_tokens";
  std::string_view blocks = "model.layers.";
  std::string_view attention_norm = "input_layernorm";
  std::string_view attention = "self_attn";
  std::string_view query = "self_attn.q_proj";
  std::string_view key = "self_attn.k_proj";
  std::string_view value = "self_attn.v_proj";
  std::string_view query_key_value = "self_attn.qkv_proj";  // if fused_qkv
  std::string_view query_norm = "self_attn.q_norm";         // if qk_norm
  std::string_view key_norm = "self_attn.k_norm";
  std::string_view attention_output = "self_attn.o_proj";
  std::string_view attention_post_norm = "post_attention_layernorm";  // if post_norms
  std::string_view mlp_norm = "post_attention_layernorm";             // unless parallel
  std::string_view mlp = "mlp";
  std::string_view gate = "mlp.gate_proj";  // if gated
  std::string_view up = "mlp.up_proj";
  std::string_view gate_up = "mlp.gate_up_proj";  // if fused_gate_up
  std::string_view down = "mlp.down_proj";
  std::string_view mlp_post_norm = "post_feedforward_layernorm";  // if post_norms
  std::string_view final_norm = "model.norm";
  std::string_view head = "lm_head";  // unless tied_head
};

struct DecoderConfig {
  enum class Norm : uint8_t { kRms, kLayer };
  /// kGeluTanh approximates the exact kGelu; kQuickGelu is x sigmoid(1.702 x).
  enum class Activation : uint8_t { kSilu, kGelu, kGeluTanh, kQuickGelu, kRelu };

  std::string family;  // of the description
  DecoderNames names;

  int64_t vocab = 0;
  int64_t hidden = 0;
  int64_t intermediate = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  int64_t max_positions = 0;  // the longest text that the model knows

  Norm norm = Norm::kRms;
  float epsilon = 1e-6f;
  bool norm_plus_one = false;  // norms multiply by 1 + weight
  bool qk_norm = false;        // RMS over each head of queries and keys, before positions
  bool post_norms = false;     // attention's and the MLP's results are normalized, too
  bool parallel = false;       // attention and MLP read the same norm, side by side

  bool fused_qkv = false;
  float attention_scale = 0;     // of q . k; 0: 1 / sqrt(head_dim)
  float attention_softcap = 0;   // 0: none
  std::vector<int64_t> windows;  // a layer: tokens that it looks back, itself included; 0: all

  Activation activation = Activation::kSilu;
  bool gated = true;  // down(act(gate(x)) * up(x)); else down(act(up(x)))
  bool fused_gate_up = false;

  Rope rope;
  Rope local_rope;  // of layers with a window, if dual_rope
  bool dual_rope = false;

  float embedding_scale = 1;  // of the rows of the table
  bool tied_head = false;     // the head is the table
  float logit_softcap = 0;    // 0: none

  int64_t window(int64_t layer) const {
    return windows.empty() ? 0 : windows[static_cast<size_t>(layer)];
  }
};

/// Layers and width of a head that nobody passes: inputs and tables are sized by these before any
/// tensor has vouched for them.
inline constexpr int64_t kMostLayers = 4096;
inline constexpr int64_t kMostHeadDim = 4096;

/// Positions that rotary tables have where nobody asks for more.
inline constexpr int64_t kDefaultPositions = 8192;

struct DecoderOptions {
  /// Rows of the rotary tables; 0: max_positions, at most kDefaultPositions.
  int64_t context = 0;
};

/// The fused graph, in the layout of onnxruntime-genai and transformers.js: input_ids,
/// attention_mask and past_key_values.N.key/value in; logits and present.N.key/value out. Biases
/// are added where the source has them ("<module>.bias"). kCorrupt if the numbers of the config
/// contradict each other or tensors have other dimensions; kResourceExhausted if `context` is
/// beyond the model's positions.
Result<graph::Graph> build_decoder(const DecoderConfig& config, const TensorSource& tensors,
                                   const DecoderOptions& options = {});

}  // namespace enm::families
