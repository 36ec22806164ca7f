#include "enm/runtime/decoder.h"

#include <algorithm>
#include <limits>

namespace enm::runtime {

using graph::DType;
using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

namespace {

TensorView make_view(DType dtype, std::initializer_list<int64_t> dims, void* data) {
  TensorView view;
  view.dtype = dtype;
  view.set_dims({dims.begin(), dims.size()});
  view.data = data;
  return view;
}

// Puts a Slice of the last position in front of the head, so that a prompt of a hundred tokens
// costs one row of the largest product instead of a hundred.
void keep_last_position(graph::Graph& graph) {
  ValueId value = graph.find_value("logits");
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    graph::Node& node = graph.nodes[i];
    if (node.output(0) != value) continue;
    if (node.is("Add")) {
      value = node.inputs[graph.constant(node.inputs[0]) != nullptr ? 1 : 0];
      continue;
    }
    if (node.is("Cast")) {
      value = node.inputs[0];
      continue;
    }
    if (!node.is("MatMul") && !node.is("MatMulNBits", graph::kMicrosoft)) return;
    const auto constant = [&](const char* name, int64_t number) {
      return graph.add_constant(graph.unique_name(name),
                                graph::make_tensor(DType::kInt64, {1}, std::vector{number}));
    };
    graph::Node slice{"Slice", "", "last_position/Slice", {node.inputs[0]}, {}, {}};
    slice.inputs.push_back(constant("last_position.start", -1));
    slice.inputs.push_back(constant("last_position.end", std::numeric_limits<int64_t>::max()));
    slice.inputs.push_back(constant("last_position.axis", 1));
    slice.outputs.push_back(graph.add_value(graph.unique_name("last_position")));
    node.inputs[0] = slice.outputs[0];
    graph.nodes.insert(graph.nodes.begin() + static_cast<std::ptrdiff_t>(i), std::move(slice));
    return;
  }
}

}  // namespace

bool Decoder::fits(const graph::Graph& graph) {
  return graph.find_value("logits") != kNoValue &&
         graph.find_value("past_key_values.0.key") != kNoValue;
}

Result<std::unique_ptr<Decoder>> Decoder::open(graph::Graph graph, const DecoderOptions& options,
                                               ThreadPool& pool) {
  if (!options.all_logits) keep_last_position(graph);
  std::unique_ptr<Decoder> decoder(new Decoder());
  ENM_ASSIGN_OR_RETURN(decoder->executor_, Executor::open(std::move(graph), options.isa, pool));
  decoder->all_logits_ = options.all_logits;
  ENM_RETURN_IF_ERROR(decoder->find_layers().in("[runtime]"));
  ENM_RETURN_IF_ERROR(decoder->choose_context(options.context_length).in("[runtime]"));
  decoder->chunk_ = std::clamp<int64_t>(options.chunk, 1, decoder->context_);
  decoder->ids_.resize(static_cast<size_t>(decoder->chunk_));
  decoder->positions_.resize(static_cast<size_t>(decoder->chunk_));
  decoder->mask_.assign(static_cast<size_t>(decoder->context_), 1);
  uint64_t cache = 0;
  for (Layer& layer : decoder->layers_) {
    layer.offset = cache;
    cache +=
        static_cast<uint64_t>(layer.kv_heads * decoder->context_ * layer.head_dim) * sizeof(float);
  }
  decoder->cache_ = AlignedMemory(cache);
  if (decoder->cache_.size() < cache) {
    return ResourceExhausted("[runtime] no memory for a cache of ", cache,
                             " bytes; ask for a shorter context");
  }
  decoder->bind(decoder->context_ - decoder->chunk_, decoder->chunk_);
  ENM_RETURN_IF_ERROR(decoder->executor_->plan());
  return decoder;
}

Status Decoder::find_layers() {
  const graph::Graph& graph = executor_->graph();
  input_ids_ = graph.find_value("input_ids");
  attention_mask_ = graph.find_value("attention_mask");
  position_ids_ = graph.find_value("position_ids");
  logits_value_ = graph.find_value("logits");
  if (input_ids_ == kNoValue || logits_value_ == kNoValue) {
    return Unsupported("a decoder needs the input input_ids and the output logits");
  }
  const auto& logits_shape = graph.value(logits_value_).type.shape;
  if (!logits_shape || logits_shape->size() != 3 || !logits_shape->back().is_known()) {
    return Unsupported("logits have no known vocabulary size");
  }
  vocab_ = logits_shape->back().value();
  for (int64_t i = 0;; ++i) {
    const ValueId key = graph.find_value(cat("past_key_values.", i, ".key"));
    if (key == kNoValue) break;
    for (const char* part : {"key", "value"}) {
      Layer layer;
      layer.past = graph.find_value(cat("past_key_values.", i, ".", part));
      layer.present = graph.find_value(cat("present.", i, ".", part));
      if (layer.past == kNoValue || layer.present == kNoValue) {
        return Unsupported("layer ", i, " lacks its ", part, " cache");
      }
      const auto& type = graph.value(layer.past).type;
      if (type.dtype != DType::kFloat32 || !type.shape || type.shape->size() != 4 ||
          !(*type.shape)[1].is_known() || !(*type.shape)[3].is_known()) {
        return Unsupported("the cache of layer ", i, " is ", graph::type_str(type),
                           "; expected f32[batch, kv_heads, past, head_dim]");
      }
      layer.kv_heads = (*type.shape)[1].value();
      layer.head_dim = (*type.shape)[3].value();
      layers_.push_back(layer);
    }
  }
  return {};
}

// The model's own limit is the length of its rotary tables.
Status Decoder::choose_context(int64_t asked) {
  constexpr int64_t kMost = int64_t{1} << 20;
  int64_t limit = kMost;
  const graph::Graph& graph = executor_->graph();
  for (const graph::Node& node : graph.nodes) {
    if (!node.is("GroupQueryAttention", graph::kMicrosoft)) continue;
    const graph::Tensor* cos = graph.constant(node.input(7));
    if (cos != nullptr && !cos->dims.empty()) limit = std::min(limit, cos->dims[0]);
  }
  if (asked < 0 || asked > limit) {
    return ResourceExhausted("a context of ", asked, " tokens; the model has ", limit);
  }
  context_ = asked == 0 ? std::min<int64_t>(limit, 4096) : asked;
  return {};
}

void Decoder::bind(int64_t past, int64_t count) {
  executor_->bind(input_ids_, make_view(DType::kInt64, {1, count}, ids_.data()));
  if (attention_mask_ != kNoValue) {
    executor_->bind(attention_mask_, make_view(DType::kInt64, {1, past + count}, mask_.data()));
  }
  if (position_ids_ != kNoValue) {
    executor_->bind(position_ids_, make_view(DType::kInt64, {1, count}, positions_.data()));
  }
  for (const Layer& layer : layers_) {
    uint8_t* data = cache_.data() + layer.offset;
    TensorView view = make_view(DType::kFloat32, {1, layer.kv_heads, past, layer.head_dim}, data);
    view.capacity = context_;
    executor_->bind(layer.past, view);
    view.dims[2] = past + count;
    executor_->bind(layer.present, view);
  }
}

Status Decoder::run_chunk(std::span<const int32_t> tokens) {
  const auto count = static_cast<int64_t>(tokens.size());
  for (size_t i = 0; i < tokens.size(); ++i) {
    ids_[i] = tokens[i];
    positions_[i] = position_ + static_cast<int64_t>(i);
  }
  bind(position_, count);
  ENM_RETURN_IF_ERROR(executor_->run());
  const TensorView& logits = executor_->view(logits_value_);
  const int64_t rows = logits.count() / vocab_;
  logits_ = {logits.as<float>() + (rows - 1) * vocab_, static_cast<size_t>(vocab_)};
  if (all_logits_ && sink_) ENM_RETURN_IF_ERROR(sink_(position_, count, logits.as<float>()));
  position_ += count;
  return {};
}

Status Decoder::append(std::span<const int32_t> tokens) {
  if (position_ + static_cast<int64_t>(tokens.size()) > context_) {
    return ResourceExhausted("[runtime] ", position_, " + ", tokens.size(),
                             " tokens do not fit the context of ", context_);
  }
  for (int32_t token : tokens) {
    if (token < 0 || token >= vocab_) {
      return InvalidArgument("[runtime] token ", token, " is outside of the vocabulary of ",
                             vocab_);
    }
  }
  while (!tokens.empty()) {
    const size_t count = std::min(tokens.size(), static_cast<size_t>(chunk_));
    ENM_RETURN_IF_ERROR(run_chunk(tokens.first(count)));
    tokens = tokens.subspan(count);
  }
  return {};
}

}  // namespace enm::runtime
