#include "enm/runtime/decoder.h"

#include <algorithm>
#include <cstring>

#include "enm/passes/select_rows.h"

namespace enm::runtime {

using graph::DType;
using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

namespace {

constexpr int64_t kMostPositions = int64_t{1} << 20;

TensorView make_view(DType dtype, std::initializer_list<int64_t> dims, void* data) {
  TensorView view;
  view.dtype = dtype;
  view.set_dims({dims.begin(), dims.size()});
  view.data = data;
  return view;
}

size_t index(int64_t at) { return static_cast<size_t>(at); }

int64_t shared_length(std::span<const int32_t> a, std::span<const int32_t> b) {
  const size_t most = std::min(a.size(), b.size());
  return std::mismatch(a.begin(), a.begin() + static_cast<std::ptrdiff_t>(most), b.begin()).first -
         a.begin();
}

}  // namespace

Result<std::shared_ptr<const DecoderProgram>> DecoderProgram::compile(
    graph::Graph graph, const graph::ModelDescription& description, Isa isa, ThreadPool& pool,
    ops::Weights& weights) {
  std::shared_ptr<DecoderProgram> out(new DecoderProgram());
  out->rows_ = passes::select_rows(graph, description.output);
  ENM_ASSIGN_OR_RETURN(out->program_, Program::compile(std::move(graph), isa, pool, weights));
  ENM_RETURN_IF_ERROR(out->resolve(description).in("[runtime]"));
  return std::shared_ptr<const DecoderProgram>(std::move(out));
}

Status DecoderProgram::resolve(const graph::ModelDescription& description) {
  const graph::Graph& graph = program_->graph();
  input_ids_ = graph.find_value(description.input_ids);
  attention_mask_ = graph.find_value(description.attention_mask);
  position_ids_ = graph.find_value(description.position_ids);
  logits_ = graph.find_value(description.output);
  if (input_ids_ == kNoValue || logits_ == kNoValue || description.layers.empty()) {
    return Unsupported("a decoder needs input ids, logits and a key-value cache");
  }
  vocab_ = description.vocabulary;
  if (vocab_ < 1) return Unsupported("logits have no known vocabulary size");
  context_limit_ = description.context_length > 0
                       ? std::min(description.context_length, kMostPositions)
                       : kMostPositions;
  for (const graph::ModelDescription::Layer& layer : description.layers) {
    if (layer.kv_heads < 1 || layer.head_dim < 1) {
      return Unsupported("the cache ", quoted(layer.past_key), " has no known heads");
    }
    layers_.push_back({layer.kv_heads, layer.head_dim, layer.window});
    layer_values_.push_back(
        {{graph.find_value(layer.past_key), graph.find_value(layer.past_value)},
         {graph.find_value(layer.present_key), graph.find_value(layer.present_value)}});
  }
  is_cached_ = attends_in_place();
  return {};
}

// Only operators that declare it may touch the cache: each layer is read and continued by one such
// operator and by nobody else.
bool DecoderProgram::attends_in_place() const {
  std::vector<int> cache_uses(program_->graph().value_count(), 0);
  std::vector<int> other_uses(program_->graph().value_count(), 0);
  for (const Program::Step& step : program_->steps()) {
    const ops::Op& op = step.attributes.op();
    for (size_t i = 0; i < step.inputs.size(); ++i) {
      if (step.inputs[i] == kNoValue) continue;
      const bool is_cache = op.input(i)->is(ops::Operand::kCache);
      ++(is_cache ? cache_uses : other_uses)[index(step.inputs[i])];
    }
    for (size_t i = 0; i < step.outputs.size(); ++i) {
      if (step.outputs[i] == kNoValue) continue;
      const bool is_cache = op.output(i)->is(ops::Operand::kCache);
      ++(is_cache ? cache_uses : other_uses)[index(step.outputs[i])];
    }
  }
  for (const LayerValues& layer : layer_values_) {
    for (ValueId id : {layer.past[0], layer.past[1], layer.present[0], layer.present[1]}) {
      if (cache_uses[index(id)] != 1 || other_uses[index(id)] != 0) return false;
    }
    // The same operator has them all, in its order.
    const bool together = std::any_of(
        program_->steps().begin(), program_->steps().end(), [&](const Program::Step& step) {
          const auto past = std::find(step.inputs.begin(), step.inputs.end(), layer.past[0]);
          const auto present =
              std::find(step.outputs.begin(), step.outputs.end(), layer.present[0]);
          return past != step.inputs.end() && past + 1 != step.inputs.end() &&
                 past[1] == layer.past[1] && present != step.outputs.end() &&
                 present + 1 != step.outputs.end() && present[1] == layer.present[1];
        });
    if (!together) return false;
  }
  return true;
}

Result<std::unique_ptr<Decoder>> Decoder::open(std::shared_ptr<const DecoderProgram> program,
                                               const DecoderOptions& options, ThreadPool& pool,
                                               MemoryBudget& budget) {
  constexpr int64_t kDefaultContext = 4096;
  const int64_t limit = program->context_limit();
  if (options.context_length < 0 || options.context_length > limit) {
    return ResourceExhausted("[runtime] a context of ", options.context_length,
                             " tokens; the model has ", limit);
  }
  if (options.sequences < 1) {
    return InvalidArgument("[runtime] ", options.sequences, " sequences; expected 1 or more");
  }
  if (options.sequences > 1 && !program->is_cached()) {
    return Unsupported("[runtime] ", options.sequences,
                       " sequences at once; a model that joins its cache by itself takes one");
  }
  std::unique_ptr<Decoder> decoder(new Decoder(std::move(program), pool, budget));
  decoder->context_ =
      options.context_length == 0 ? std::min(limit, kDefaultContext) : options.context_length;
  decoder->chunk_ = std::clamp<int64_t>(options.chunk, 1, decoder->context_);
  decoder->sequences_ = options.sequences;
  ENM_RETURN_IF_ERROR(decoder->make_cache(budget).in("[runtime]"));
  ENM_RETURN_IF_ERROR(decoder->plan_for(1, decoder->chunk_));
  // A vocabulary that the model only says it has sizes nothing.
  ENM_RETURN_IF_ERROR(decoder->check_logits());
  if (options.sequences > 1) ENM_RETURN_IF_ERROR(decoder->plan_for(options.sequences, 1));
  return decoder;
}

Status Decoder::make_cache(MemoryBudget& budget) {
  if (program_->is_cached()) {
    ENM_ASSIGN_OR_RETURN(cache_,
                         ops::KvCache::create(program_->layers(), context_, sequences_, budget));
    return {};
  }
  for (const ops::KvLayerShape& layer : program_->layers()) {
    const int64_t dims[] = {layer.kv_heads, context_, layer.head_dim};
    ENM_ASSIGN_OR_RETURN(const int64_t count, graph::checked_element_count(dims));
    const uint64_t bytes = static_cast<uint64_t>(count) * sizeof(float);
    for (int part = 0; part < 2; ++part) {
      Dense& dense = dense_.emplace_back();
      for (AlignedMemory* memory : {&dense.now, &dense.next}) {
        ENM_ASSIGN_OR_RETURN(*memory, AlignedMemory::allocate(bytes, budget, "past and present"));
      }
    }
  }
  dense_tokens_.reserve(index(context_));
  return {};
}

uint64_t Decoder::cache_bytes() const {
  if (cache_ != nullptr) return cache_->bytes();
  uint64_t total = 0;
  for (const Dense& dense : dense_) total += dense.now.size() + dense.next.size();
  return total;
}

std::span<const int32_t> Decoder::tokens(int sequence) const {
  return cache_ != nullptr ? cache_->tokens(sequence) : std::span<const int32_t>(dense_tokens_);
}

// Runs of up to so many sequences and tokens allocate nothing afterwards.
Status Decoder::plan_for(int64_t batch, int64_t count) {
  for (const auto& [planned_batch, planned_count] : planned_) {
    if (batch <= planned_batch && count <= planned_count) return {};
  }
  ids_.resize(std::max(ids_.size(), index(batch * count)));
  positions_.resize(ids_.size());
  wanted_.resize(ids_.size());
  mask_.resize(std::max(mask_.size(), index(batch * context_)), 1);
  bind(batch, context_ - count, count, batch * count);
  ENM_RETURN_IF_ERROR(session_.plan());
  planned_.emplace_back(batch, count);
  return {};
}

void Decoder::bind(int64_t batch, int64_t past, int64_t count, int64_t rows) {
  const auto bind_input = [&](ValueId id, const TensorView& view) {
    if (id != kNoValue) session_.bind(id, view);
  };
  bind_input(program_->input_ids_, make_view(DType::kInt64, {batch, count}, ids_.data()));
  bind_input(program_->position_ids_, make_view(DType::kInt64, {batch, count}, positions_.data()));
  bind_input(program_->attention_mask_,
             make_view(DType::kInt64, {batch, past + count}, mask_.data()));
  bind_input(program_->rows_, make_view(DType::kInt64, {rows}, wanted_.data()));
  bind_layers(batch, past, count);
}

void Decoder::bind_layers(int64_t batch, int64_t past, int64_t count) {
  for (size_t layer = 0; layer < program_->layers().size(); ++layer) {
    const ops::KvLayerShape& shape = program_->layers()[layer];
    const DecoderProgram::LayerValues& values = program_->layer_values_[layer];
    for (size_t part = 0; part < 2; ++part) {
      TensorView view =
          make_view(DType::kFloat32, {batch, shape.kv_heads, past, shape.head_dim}, nullptr);
      if (cache_ != nullptr) {
        view.cache_layer = static_cast<int>(layer);
      } else {
        view.data = dense_[layer * 2 + part].now.data();
      }
      session_.bind(values.past[part], view);
      view.dims[2] = past + count;
      if (cache_ == nullptr) view.data = dense_[layer * 2 + part].next.data();
      session_.bind(values.present[part], view,
                    cache_ == nullptr ? dense_[layer * 2 + part].next.size() : 0);
    }
  }
}

Status Decoder::check(std::span<const Feed> feeds) const {
  if (feeds.empty() || feeds.size() > index(sequences_)) {
    return InvalidArgument("a pass over ", feeds.size(), " sequences; there are ", sequences_);
  }
  for (size_t i = 0; i < feeds.size(); ++i) {
    const Feed& feed = feeds[i];
    if (feed.sequence < 0 || feed.sequence >= sequences_) {
      return InvalidArgument("sequence ", feed.sequence, " of ", sequences_);
    }
    for (size_t other = 0; other < i; ++other) {
      if (feeds[other].sequence == feed.sequence) {
        return InvalidArgument("sequence ", feed.sequence, " is twice in one pass");
      }
    }
    const auto count = static_cast<int64_t>(feed.tokens.size());
    if (count < 1 || count > chunk_) {
      return InvalidArgument(count, " tokens in a pass; expected 1 to ", chunk_);
    }
    if (position(feed.sequence) + count > context_) {
      return ResourceExhausted(position(feed.sequence), " + ", count,
                               " tokens do not fit the context of ", context_);
    }
    for (int32_t token : feed.tokens) {
      if (token < 0 || token >= vocab()) {
        return InvalidArgument("token ", token, " is outside of the vocabulary of ", vocab());
      }
    }
  }
  return {};
}

// Rows of the batch are padded behind their tokens with token 0, which the mask leaves out.
void Decoder::fill_inputs(std::span<const Feed> feeds, int64_t longest) {
  int64_t total = 0;
  pass_past_ = 0;
  for (const Feed& feed : feeds) {
    pass_past_ = std::max(pass_past_, position(feed.sequence));
  }
  const int64_t width = pass_past_ + longest;
  pass_sequences_.clear();
  pass_counts_.clear();
  pass_tokens_.clear();
  pass_rows_.clear();
  for (size_t b = 0; b < feeds.size(); ++b) {
    const Feed& feed = feeds[b];
    const auto count = static_cast<int64_t>(feed.tokens.size());
    const int64_t past = position(feed.sequence);
    const int64_t row = static_cast<int64_t>(b) * longest;
    for (int64_t t = 0; t < longest; ++t) {
      ids_[index(row + t)] = t < count ? feed.tokens[index(t)] : 0;
      positions_[index(row + t)] = std::min(past + t, context_ - 1);
    }
    int64_t* mask = mask_.data() + static_cast<int64_t>(b) * width;
    std::fill_n(mask, past + count, 1);
    std::fill_n(mask + past + count, width - past - count, 0);
    const int64_t wanted = feed.logits == Logits::kNone   ? 0
                           : feed.logits == Logits::kLast ? 1
                                                          : count;
    pass_rows_.push_back({total, wanted});
    for (int64_t i = count - wanted; i < count; ++i) wanted_[index(total++)] = row + i;
    pass_sequences_.push_back(feed.sequence);
    pass_counts_.push_back(count);
    pass_tokens_.push_back(feed.tokens);
  }
  // Where the head computes every position, a feed's rows are those of its tokens.
  if (program_->rows_ == kNoValue) {
    for (size_t b = 0; b < feeds.size(); ++b) {
      pass_rows_[b].first =
          static_cast<int64_t>(b) * longest + pass_counts_[b] - pass_rows_[b].count;
    }
  }
  bind(static_cast<int64_t>(feeds.size()), pass_past_, longest, total);
}

Status Decoder::begin(std::span<const Feed> feeds) {
  ENM_RETURN_IF_ERROR(check(feeds).in("[runtime]"));
  int64_t longest = 0;
  for (const Feed& feed : feeds) {
    longest = std::max(longest, static_cast<int64_t>(feed.tokens.size()));
  }
  // A mask of this width must fit its buffer: a short sequence may be padded beyond the context.
  ENM_RETURN_IF_ERROR(plan_for(static_cast<int64_t>(feeds.size()), longest));
  for (const Feed& feed : feeds) {
    const size_t width = index(position(feed.sequence) + longest) * feeds.size();
    mask_.resize(std::max(mask_.size(), width), 1);
  }
  fill_inputs(feeds, longest);
  const ops::KvRun run{cache_.get(), pass_sequences_, pass_counts_};
  const Status status = session_.run(cache_ != nullptr ? &run : nullptr);
  if (!status.ok()) pass_tokens_.clear();
  return status;
}

Status Decoder::check_logits() const {
  const TensorView& view = session_.view(program_->logits_);
  int64_t rows = 0;
  for (const Rows& one : pass_rows_) rows = std::max(rows, one.first + one.count);
  const bool fits =
      view.dtype == DType::kFloat32 && view.last_dim() == vocab() && view.count() >= rows * vocab();
  return fits ? Status()
              : Corrupt("[runtime] logits are ", view_str(view), "; expected rows of ", vocab(),
                        ", at least ", rows);
}

Status Decoder::finish() {
  if (pass_tokens_.empty()) return InvalidArgument("[runtime] no pass was begun");
  ENM_RETURN_IF_ERROR(check_logits());
  for (size_t b = 0; b < pass_tokens_.size(); ++b) {
    const std::span<const int32_t> tokens = pass_tokens_[b];
    computed_ += pass_counts_[b];
    if (cache_ != nullptr) {
      cache_->append(pass_sequences_[b], tokens);
    } else {
      dense_tokens_.insert(dense_tokens_.end(), tokens.begin(), tokens.end());
      for (Dense& dense : dense_) std::swap(dense.now, dense.next);
    }
  }
  pass_tokens_.clear();
  return {};
}

std::span<const float> Decoder::logits(size_t at) const {
  const Rows& rows = pass_rows_[at];
  const auto* all = session_.view(program_->logits_).as<float>();
  return {all + rows.first * vocab(), index(rows.count * vocab())};
}

Status Decoder::append(int sequence, std::span<const int32_t> tokens) {
  if (position(sequence) + static_cast<int64_t>(tokens.size()) > context_) {
    return ResourceExhausted("[runtime] ", position(sequence), " + ", tokens.size(),
                             " tokens do not fit the context of ", context_);
  }
  while (!tokens.empty()) {
    const size_t count = std::min(tokens.size(), index(chunk_));
    const Feed feed = {sequence, tokens.first(count),
                       count == tokens.size() ? Logits::kLast : Logits::kNone};
    ENM_RETURN_IF_ERROR(begin({&feed, 1}));
    ENM_RETURN_IF_ERROR(finish());
    tokens = tokens.subspan(count);
  }
  return {};
}

int64_t Decoder::reuse_prefix(int sequence, std::span<const int32_t> prompt) {
  if (prompt.empty()) return 0;
  const std::span<const int32_t> reusable = prompt.first(prompt.size() - 1);
  int best = sequence;
  int64_t length = shared_length(tokens(sequence), reusable);
  for (int other = 0; other < sequences_; ++other) {
    const int64_t shared = shared_length(tokens(other), reusable);
    if (shared <= length) continue;
    length = shared;
    best = other;
  }
  if (best == sequence) {
    truncate(sequence, length);
  } else {
    cache_->fork(best, sequence, length);
  }
  return length;
}

void Decoder::truncate(int sequence, int64_t length) {
  if (cache_ != nullptr) return cache_->truncate(sequence, length);
  const int64_t old = position();
  if (length >= old) return;
  // Tensors are dense: the heads move together.
  for (size_t i = 0; i < dense_.size(); ++i) {
    const ops::KvLayerShape& layer = program_->layers()[i / 2];
    auto* rows = reinterpret_cast<float*>(dense_[i].now.data());
    for (int64_t head = 1; head < layer.kv_heads; ++head) {
      std::memmove(rows + head * length * layer.head_dim, rows + head * old * layer.head_dim,
                   index(length * layer.head_dim) * sizeof(float));
    }
  }
  dense_tokens_.resize(index(length));
}

}  // namespace enm::runtime
