#include "enm/formats/gguf_export.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>

#include "enm/base/json.h"
#include "enm/base/strings.h"
#include "enm/families/rope.h"
#include "enm/formats/gguf_config.h"
#include "enm/formats/gguf_quantize.h"
#include "enm/formats/safetensors.h"

namespace enm::formats {
namespace {

using families::DecoderConfig;
using families::Rope;
using graph::DType;

// Keys of an architecture.
class ArchitectureWriter {
 public:
  ArchitectureWriter(std::string_view architecture, GgufWriter& writer)
      : prefix_(cat(architecture, ".")), writer_(writer) {}

  void add(std::string_view key, int64_t value) {
    writer_.add_u32(cat(prefix_, key), static_cast<uint32_t>(value));
  }
  void add(std::string_view key, double value) {
    writer_.add_f32(cat(prefix_, key), static_cast<float>(value));
  }
  void add(std::string_view key, std::string_view value) {
    writer_.add_text(cat(prefix_, key), value);
  }

 private:
  const std::string prefix_;
  GgufWriter& writer_;
};

void add_row(GgufWriter& writer, std::string name, const std::vector<float>& values) {
  writer.add_tensor(std::move(name), {static_cast<int64_t>(values.size())}, GgmlType::kF32,
                    graph::TensorData::inline_bytes(graph::to_bytes(values)));
}

Status add_rope(const DecoderConfig& config, ArchitectureWriter& keys, GgufWriter& writer) {
  const Rope& rope = config.rope;
  keys.add("rope.dimension_count", 2 * families::rotary_pairs(rope, config.head_dim));
  keys.add("rope.freq_base", rope.theta);
  switch (rope.kind) {
    case Rope::Kind::kDefault:
    case Rope::Kind::kDynamic:
      break;
    case Rope::Kind::kLinear:
      keys.add("rope.scaling.type", std::string_view("linear"));
      keys.add("rope.scaling.factor", rope.factor);
      break;
    case Rope::Kind::kYarn:
      keys.add("rope.scaling.type", std::string_view("yarn"));
      keys.add("rope.scaling.factor", rope.factor);
      keys.add("rope.scaling.original_context_length", rope.original_positions);
      keys.add("rope.scaling.yarn_beta_fast", rope.beta_fast);
      keys.add("rope.scaling.yarn_beta_slow", rope.beta_slow);
      if (rope.attention_factor > 0) return Unsupported("yarn with an attention factor of its own");
      break;
    case Rope::Kind::kLongRope:
      keys.add("rope.scaling.type", std::string_view("longrope"));
      keys.add("rope.scaling.original_context_length", rope.original_positions);
      keys.add("rope.scaling.attn_factor", static_cast<double>(families::rotary_scale(rope)));
      add_row(writer, "rope_factors_short.weight",
              {rope.short_factors.begin(), rope.short_factors.end()});
      add_row(writer, "rope_factors_long.weight",
              {rope.long_factors.begin(), rope.long_factors.end()});
      break;
    case Rope::Kind::kLlama3: {
      Rope plain = rope;
      plain.kind = Rope::Kind::kDefault;
      std::vector<float> factors = families::rotary_frequencies(plain, config.head_dim, false);
      const std::vector<float> turned = families::rotary_frequencies(rope, config.head_dim, false);
      for (size_t i = 0; i < factors.size(); ++i) factors[i] /= turned[i];
      add_row(writer, "rope_freqs.weight", factors);
      break;
    }
  }
  return {};
}

// A window in all layers, or in all but every `period`th; 0 if it is neither.
int64_t window_period(const DecoderConfig& config) {
  const auto whole = std::ranges::find(config.windows, 0);
  if (whole == config.windows.end()) return 1;
  const int64_t period = whole - config.windows.begin() + 1;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    const bool is_whole = layer % period == period - 1;
    if (period < 2 || config.window(layer) != (is_whole ? 0 : config.windows[0])) return 0;
  }
  return period;
}

Status add_windows(const DecoderConfig& config, std::string_view architecture,
                   ArchitectureWriter& keys) {
  if (config.windows.empty()) return {};
  const int64_t period = window_period(config);
  if (period == 0) return Unsupported("windows in layers that follow no period");
  keys.add("attention.sliding_window", config.windows[0]);
  const int64_t implied = architecture == "gemma2" ? 2 : architecture == "gemma3" ? 6 : 1;
  if (period != implied) keys.add("attention.sliding_window_pattern", period);
  return {};
}

Status check_scale(const DecoderConfig& config, std::string_view architecture) {
  if (config.attention_scale == 0) return {};
  const bool wide = (architecture == "gemma2" && config.layers == 46) ||
                    (architecture == "gemma3" && config.layers == 62);
  const auto width = static_cast<float>(wide ? config.hidden / config.heads : config.head_dim);
  if (std::fabs(config.attention_scale * std::sqrt(width) - 1) < 1e-5f) return {};
  return Unsupported("scores scaled by ", config.attention_scale, ": ", architecture,
                     " files cannot say it");
}

// Row `row` of a tensor in f32, f16 or bf16.
void read_row(const graph::Tensor& tensor, const Blob& bytes, int64_t row,
              std::vector<float>& out) {
  const GgmlType type = tensor.dtype == DType::kFloat16    ? GgmlType::kF16
                        : tensor.dtype == DType::kBfloat16 ? GgmlType::kBF16
                                                           : GgmlType::kF32;
  const GgmlTypeInfo& info = *find_ggml_type(static_cast<uint32_t>(type));
  const auto columns = static_cast<int64_t>(out.size());
  dequantize_ggml(info, bytes.data() + row * info.row_bytes(columns), columns, out.data());
}

// How a tensor is written.
struct Target {
  const GgmlTypeInfo* type = nullptr;
  RowOrder order;
  float plus = 0;                 // added to each value
  std::vector<float> importance;  // of columns; empty if nothing is known
};

// The tensor's rows in the file's order, quantized when they are written.
graph::TensorData quantized(const std::string& name, const graph::Tensor& tensor, Target target,
                            ThreadPool& pool) {
  const int64_t columns = tensor.dims.empty() ? 1 : tensor.dims.back();
  const int64_t rows = tensor.element_count() / std::max<int64_t>(1, columns);
  const int64_t row_bytes = target.type->row_bytes(columns);
  const auto produce = [=, &pool, target = std::move(target)](MutableBytes out) -> Status {
    ENM_ASSIGN_OR_RETURN(const Blob bytes, tensor.data.load());
    const bool is_wide =
        target.type->type == GgmlType::kF32 || target.type->type == GgmlType::kBF16;
    const float most = is_wide ? std::numeric_limits<float>::max() : 65504.0f;
    const float* importance = target.importance.empty() ? nullptr : target.importance.data();
    std::vector<std::vector<float>> buffers(static_cast<size_t>(pool.size()));
    for (std::vector<float>& buffer : buffers) buffer.resize(static_cast<size_t>(columns));
    std::atomic<bool> fits{true};
    pool.parallel_for(rows, 16, [&](int64_t begin, int64_t end, int worker) {
      std::vector<float>& values = buffers[static_cast<size_t>(worker)];
      for (int64_t row = begin; row < end; ++row) {
        read_row(tensor, bytes, row, values);
        if (target.plus != 0) {  // which a 0 of its own sign would feel
          for (float& value : values) value += target.plus;
        }
        for (const float value : values) {
          if (!(std::fabs(value) <= most)) fits = false;
        }
        quantize_ggml_row(*target.type, values.data(), columns, importance,
                          out.data() + target.order.file_row(row) * row_bytes);
      }
    });
    bytes.discard_pages();
    if (fits) return {};
    return InvalidArgument("tensor ", quoted(name), " has a weight that ", target.type->name,
                           " cannot hold: NaN, infinite or beyond ", most);
  };
  return graph::TensorData::produced(static_cast<uint64_t>(rows * row_bytes), produce);
}

// Of a tensor's columns. llama.cpp measures no importance of the table, whose rows are looked up.
Result<std::vector<float>> importance_of(const GgufImportance* importance, const std::string& name,
                                         int64_t columns) {
  if (importance == nullptr) return std::vector<float>();
  const auto found = importance->columns.find(name);
  if (found == importance->columns.end()) return std::vector<float>();
  if (static_cast<int64_t>(found->second.size()) == columns) return found->second;
  if (name == "token_embd.weight") return std::vector<float>();
  return InvalidArgument("the importance of ", quoted(name), " is of ", found->second.size(),
                         " columns; the tensor has ", columns);
}

Status add_tensors(const DecoderConfig& config, const families::TensorSource& source,
                   const GgufExportOptions& options, GgufWriter& writer) {
  for (const std::string& name : source.names()) {
    const std::string file_name = gguf_tensor_name(config, name);
    if (config.tied_head && file_name == "output.weight") continue;
    if (file_name.empty()) {
      if (name.ends_with("rotary_emb.inv_freq")) continue;  // old checkpoints; made anew by all
      return Unsupported("tensor ", quoted(name), " has no place in a GGUF file");
    }
    ENM_ASSIGN_OR_RETURN(const graph::Tensor tensor, source.get(name));
    const bool is_norm = file_name.find("norm.weight") != std::string::npos;
    const GgmlType type = gguf_tensor_type(*options.recipe, config, file_name, tensor.dims,
                                           options.importance != nullptr);
    Target target = {find_ggml_type(static_cast<uint32_t>(type)),
                     gguf_row_order(config, file_name),
                     is_norm && config.norm_plus_one ? 1.0f : 0.0f,
                     {}};
    if (tensor.dims.size() == 2) {
      ENM_ASSIGN_OR_RETURN(target.importance,
                           importance_of(options.importance, file_name, tensor.dims[1]));
    }
    writer.add_tensor(file_name, tensor.dims, type,
                      quantized(name, tensor, std::move(target), *options.pool));
  }
  return {};
}

void add_importance(const GgufExportOptions& options, GgufWriter& writer) {
  if (options.importance == nullptr) return;
  const GgufImportance& importance = *options.importance;
  writer.add_text("quantize.imatrix.file", options.importance_file);
  if (!importance.text.empty()) writer.add_text("quantize.imatrix.dataset", importance.text);
  writer.add_u32("quantize.imatrix.entries_count",
                 static_cast<uint32_t>(importance.columns.size()));
  if (importance.chunks > 0) {
    writer.add_u32("quantize.imatrix.chunks_count", static_cast<uint32_t>(importance.chunks));
  }
}

}  // namespace

Status add_gguf_config(const DecoderConfig& config, GgufWriter& writer) {
  const std::string_view architecture = gguf_architecture(config);
  if (architecture.empty()) {
    return Unsupported("GGUF files have no architecture here for ", config.family);
  }
  ENM_RETURN_IF_ERROR(check_scale(config, architecture));
  ArchitectureWriter keys(architecture, writer);
  keys.add("context_length", config.max_positions);
  keys.add("embedding_length", config.hidden);
  keys.add("feed_forward_length", config.intermediate);
  keys.add("block_count", config.layers);
  keys.add("vocab_size", config.vocab);
  keys.add("attention.head_count", config.heads);
  keys.add("attention.head_count_kv", config.kv_heads);
  keys.add("attention.key_length", config.head_dim);
  keys.add("attention.value_length", config.head_dim);
  keys.add(config.norm == DecoderConfig::Norm::kRms ? "attention.layer_norm_rms_epsilon"
                                                    : "attention.layer_norm_epsilon",
           static_cast<double>(config.epsilon));
  if (config.attention_softcap > 0) {
    keys.add("attn_logit_softcapping", static_cast<double>(config.attention_softcap));
  }
  if (config.logit_softcap > 0) {
    keys.add("final_logit_softcapping", static_cast<double>(config.logit_softcap));
  }
  if (config.dual_rope) keys.add("rope.freq_base_swa", config.local_rope.theta);
  ENM_RETURN_IF_ERROR(add_windows(config, architecture, keys));
  return add_rope(config, keys, writer);
}

Result<GgufWriter> export_gguf(const FileSource& files, const GgufExportOptions& options) {
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open("config.json"));
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(as_text(bytes.bytes())));
  ENM_ASSIGN_OR_RETURN(const DecoderConfig config, families::read_decoder_config(json));
  ENM_ASSIGN_OR_RETURN(const SafetensorsCheckpoint tensors, SafetensorsCheckpoint::open(files));
  GgufWriter writer;
  writer.add_text("general.architecture", gguf_architecture(config));
  writer.add_text("general.type", "model");
  if (!options.name.empty()) writer.add_text("general.name", options.name);
  writer.add_u32("general.file_type", options.recipe->file_type);
  writer.add_u32("general.quantization_version", 2);
  add_importance(options, writer);
  ENM_RETURN_IF_ERROR(add_gguf_config(config, writer));
  ENM_RETURN_IF_ERROR(add_gguf_tokenizer(files, config.vocab, writer));
  ENM_RETURN_IF_ERROR(add_tensors(config, tensors, options, writer));
  return writer;
}

}  // namespace enm::formats
