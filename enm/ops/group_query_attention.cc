// com.microsoft.GroupQueryAttention: decoders; causal, with rotary positions and the keys and
// values of the tokens before, either as tensors or as a layer of the key-value cache. Source: ONNX
// Runtime, docs/ContribOperators.md, and its CPU kernel for ragged batches.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/kernels/attention/attention.h"
#include "enm/kernels/rotary/rotary.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

enum Input : size_t {
  kQuery,
  kKey,
  kValue,
  kPastKey,
  kPastValue,
  kSeqlens,
  kTotal,
  kCos,
  kSin,
  kPositions,
  kBias,
  kSink,
};

// What follows from the operands' dims, checked to fit each other.
struct Sizes {
  int64_t batch, sequence, heads, kv_heads, head_dim;
  int64_t past;  // rows of the past operands; of the longest sequence where they are a cache

  int64_t group() const { return heads / kv_heads; }
};

Result<Sizes> sizes_of(const Attributes& attributes, Inputs in) {
  Sizes s{in[kQuery].dim(0),
          in[kQuery].dim(1),
          attributes.integer("num_heads"),
          attributes.integer("kv_num_heads"),
          0,
          0};
  if (s.heads < 1 || s.kv_heads < 1 || s.heads % s.kv_heads != 0) {
    return Corrupt("num_heads is ", s.heads, " and kv_num_heads ", s.kv_heads);
  }
  if (operand(in, kKey) == nullptr || operand(in, kValue) == nullptr) {
    return Unsupported("key or value is missing; packed ones are not supported");
  }
  s.head_dim = in[kQuery].dim(2) / s.heads;
  if (s.head_dim < 1 || in[kQuery].dim(2) != s.heads * s.head_dim || in[kKey].rank != 3 ||
      in[kKey].dim(2) != s.kv_heads * s.head_dim || !in[kKey].same_dims(in[kValue]) ||
      in[kKey].dim(1) != s.sequence || in[kKey].dim(0) != s.batch) {
    return InvalidArgument("query ", view_str(in[kQuery]), ", key ", view_str(in[kKey]),
                           " and value ", view_str(in[kValue]), " do not fit ", s.heads, " and ",
                           s.kv_heads, " heads");
  }
  const TensorView* key = operand(in, kPastKey);
  const TensorView* value = operand(in, kPastValue);
  if (key == nullptr && value == nullptr) return s;
  if (key == nullptr || value == nullptr || key->rank != 4 || !key->same_dims(*value) ||
      key->dim(0) != s.batch || key->dim(1) != s.kv_heads || key->dim(3) != s.head_dim ||
      key->cache_layer != value->cache_layer) {
    return InvalidArgument("past_key and past_value do not fit f32[", s.batch, ", ", s.kv_heads,
                           ", past, ", s.head_dim, "]");
  }
  s.past = key->dim(2);
  return s;
}

// Rows of present: what total_sequence_length says where it is known, at least the past ones.
Result<int64_t> present_rows(const Sizes& s, const TensorView& total) {
  if (total.count() != 1) return InvalidArgument("total_sequence_length is ", view_str(total));
  if (total.data == nullptr) return s.past + s.sequence;
  const int64_t rows = *total.as<int32_t>();
  if (rows < s.sequence || rows > s.past + s.sequence) {
    return InvalidArgument("total_sequence_length is ", rows, " after ", s.past, " and ",
                           s.sequence, " tokens");
  }
  return std::max(s.past, rows);
}

Status check_rotary(const Attributes& attributes, Inputs in, const Sizes& s) {
  if (!attributes.flag("do_rotary")) return {};
  const TensorView* cos = operand(in, kCos);
  const TensorView* sin = operand(in, kSin);
  if (cos == nullptr || sin == nullptr) {
    return Corrupt("do_rotary is set, but cos_cache or sin_cache is missing");
  }
  if (cos->same_dims(*sin) && 2 * cos->dim(1) <= s.head_dim) return {};
  return InvalidArgument("the rotary tables are ", view_str(*cos), " and ", view_str(*sin),
                         " for heads of ", s.head_dim);
}

Status gqa_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_ASSIGN_OR_RETURN(const Sizes s, sizes_of(attributes, in));
  ENM_RETURN_IF_ERROR(check_rotary(attributes, in, s));
  if (in[kSeqlens].rank == 0 || in[kSeqlens].count() != s.batch) {
    return InvalidArgument("seqlens_k is ", view_str(in[kSeqlens]), " for a batch of ", s.batch);
  }
  const TensorView* sink = operand(in, kSink);
  if (sink != nullptr && sink->dim(0) != s.heads) {
    return InvalidArgument("head_sink is ", view_str(*sink), " for ", s.heads, " heads");
  }
  ENM_ASSIGN_OR_RETURN(const int64_t rows, present_rows(s, in[kTotal]));
  out[0].set_dims(in[kQuery].shape());
  for (TensorView& present : out.subspan(1)) {
    present.set_dims(std::array{s.batch, s.kv_heads, rows, s.head_dim});
  }
  return {};
}

// One sequence of the batch: where its rows begin in the operands, and how many are before it.
struct Row {
  int64_t past;
  int64_t count;
};

class GroupQueryAttention final : public PreparedOp {
 public:
  GroupQueryAttention(const kernels::AttentionKernels& kernels, const Attributes& attributes)
      : kernels_(kernels),
        attributes_(attributes),
        scale_(attributes.number("scale")),
        softcap_(attributes.number("softcap")),
        window_(std::max<int64_t>(attributes.integer("local_window_size"), 0)),
        rotary_(attributes.flag("do_rotary")),
        interleaved_(attributes.flag("rotary_interleaved")),
        smooth_(attributes.integer("smooth_softmax") == 1) {}

  uint64_t scratch_bytes(Inputs in, int threads) const override {
    const int64_t heads = attributes_.integer("num_heads");
    const int64_t queries = rotary_ ? in[kQuery].count() : 0;
    const int64_t tiles = kernels::attention_scratch_floats(in[kQuery].dim(2) / heads) * threads;
    return static_cast<uint64_t>(queries + tiles) * sizeof(float);
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Sizes sizes, sizes_of(attributes_, in));
    const Call call{context, in, out, sizes};
    ENM_RETURN_IF_ERROR(check_rows(call));
    append(call);
    if (rotary_) rotate_queries(call);
    attend(call);
    return {};
  }

 private:
  struct Call {
    const RunContext& context;
    Inputs in;
    Outputs out;
    const Sizes& sizes;

    bool is_cached() const { return out[1].is_cache(); }
    int sequence_of(int64_t b) const { return context.cache->sequences[static_cast<size_t>(b)]; }
    // As ONNX Runtime has it: a first prompt begins at 0 whatever its length, padded or not; later
    // tokens stand at the end of their sequence.
    Row row(int64_t b) const {
      if (is_cached()) {
        return {context.cache->cache->length(sequence_of(b)),
                context.cache->counts[static_cast<size_t>(b)]};
      }
      const bool first = *in[kTotal].as<int32_t>() == sizes.sequence;
      const int64_t total = int64_t{in[kSeqlens].as<int32_t>()[b]} + 1;
      return {first ? 0 : total - sizes.sequence, sizes.sequence};
    }
    // Rows that the memory of a head has.
    int64_t room() const { return is_cached() ? context.cache->cache->capacity() : out[1].dim(2); }
    float* present(size_t part, int64_t b, int64_t head) const {
      if (is_cached()) {
        const KvCache& cache = *context.cache->cache;
        const int layer = out[1].cache_layer;
        return part == 0 ? cache.keys(sequence_of(b), layer, head)
                         : cache.values(sequence_of(b), layer, head);
      }
      return out[1 + part].as<float>() + (b * sizes.kv_heads + head) * room() * sizes.head_dim;
    }
  };

  Status check_rows(const Call& call) const {
    for (int64_t b = 0; b < call.sizes.batch; ++b) {
      const Row row = call.row(b);
      const int64_t end = row.past + row.count;
      const bool fits =
          row.past >= 0 && end <= call.room() && (call.is_cached() || row.past <= call.sizes.past);
      const int64_t total = int64_t{call.in[kSeqlens].as<int32_t>()[b]} + 1;
      if (!fits || (call.is_cached() && total != end)) {
        return InvalidArgument("sequence ", b, " of the batch has ", total,
                               " tokens by seqlens_k; ", call.sizes.past, " are past, ",
                               call.sizes.sequence, " new");
      }
      if (rotary_ && end > call.in[kCos].dim(0)) {
        return ResourceExhausted(end, " positions; the model has ", call.in[kCos].dim(0));
      }
    }
    return {};
  }

  // Writes the new keys and values behind the past ones, keys turned to their positions.
  void append(const Call& call) const {
    const Sizes& s = call.sizes;
    const auto body = [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        append_head(call, static_cast<size_t>(i & 1), i / 2 / s.kv_heads, i / 2 % s.kv_heads);
      }
    };
    call.context.pool->parallel_for(s.batch * s.kv_heads * 2, 1, body);
  }

  void append_head(const Call& call, size_t part, int64_t b, int64_t head) const {
    const Sizes& s = call.sizes;
    const Row row = call.row(b);
    const auto bytes = [&](int64_t rows) {
      return static_cast<size_t>(rows * s.head_dim) * sizeof(float);
    };
    float* to = call.present(part, b, head);
    const TensorView* past = operand(call.in, kPastKey + part);
    if (!call.is_cached()) {
      const int64_t end = row.past + row.count;
      if (row.past > 0 && past->data != call.out[1 + part].data) {
        std::memcpy(to, past->as<float>() + (b * s.kv_heads + head) * s.past * s.head_dim,
                    bytes(row.past));
      }
      std::memset(to + end * s.head_dim, 0, bytes(call.room() - end));
    }
    to += row.past * s.head_dim;
    for (int64_t t = 0; t < row.count; ++t, to += s.head_dim) {
      const int64_t at = ((b * s.sequence + t) * s.kv_heads + head) * s.head_dim;
      std::memcpy(to, call.in[kKey + part].as<float>() + at, bytes(1));
      if (part == 0) rotate(call, to, row.past + t);
    }
  }

  void rotate_queries(const Call& call) const {
    const Sizes& s = call.sizes;
    auto* queries = reinterpret_cast<float*>(call.context.scratch);
    const auto body = [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) {
        const Row row = call.row(i / s.sequence);
        const int64_t t = i % s.sequence;
        if (t >= row.count) continue;
        float* to = queries + i * s.heads * s.head_dim;
        std::memcpy(to, call.in[kQuery].as<float>() + i * s.heads * s.head_dim,
                    static_cast<size_t>(s.heads * s.head_dim) * sizeof(float));
        for (int64_t head = 0; head < s.heads; ++head) {
          rotate(call, to + head * s.head_dim, row.past + t);
        }
      }
    };
    call.context.pool->parallel_for(s.batch * s.sequence, row_grain(s.heads * s.head_dim), body);
  }

  void rotate(const Call& call, float* x, int64_t position) const {
    if (!rotary_) return;
    const int64_t half = call.in[kCos].dim(1);
    kernels::rotate_head(x, call.in[kCos].as<float>() + position * half,
                         call.in[kSin].as<float>() + position * half, half, interleaved_);
  }

  // Tiles of positions of one head; for one token, of the heads that share keys, unless there are
  // fewer groups of them than threads.
  void attend(const Call& call) const {
    const Sizes& s = call.sizes;
    constexpr int64_t kRows = kernels::kAttentionTileRows;
    const bool grouped =
        s.sequence == 1 && s.group() <= kRows && s.batch * s.kv_heads >= call.context.pool->size();
    const int64_t heads_a_tile = grouped ? s.group() : 1;
    const int64_t columns = s.heads / heads_a_tile;
    const int64_t tiles = (s.sequence + kRows - 1) / kRows;
    const auto body = [&](int64_t begin, int64_t end, int worker) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t head = i / tiles % columns * heads_a_tile;
        attend_tile(call, i / tiles / columns, head, heads_a_tile, i % tiles * kRows, worker);
      }
    };
    call.context.pool->parallel_for(s.batch * columns * tiles, 1, body);
  }

  void attend_tile(const Call& call, int64_t b, int64_t head, int64_t heads, int64_t first,
                   int worker) const {
    static constexpr float kZeroSink = 0;
    const Sizes& s = call.sizes;
    const Row row = call.row(b);
    const int64_t hidden = s.heads * s.head_dim;
    const int64_t at = (b * s.sequence + first) * hidden + head * s.head_dim;
    const int64_t asked = std::min(kernels::kAttentionTileRows, s.sequence - first);
    auto* scratch = reinterpret_cast<float*>(call.context.scratch);
    const float* queries = rotary_ ? scratch : call.in[kQuery].as<float>();
    scratch += (rotary_ ? call.in[kQuery].count() : 0) +
               worker * kernels::attention_scratch_floats(s.head_dim);
    const TensorView* sinks = operand(call.in, kSink);
    kernels::AttentionTile tile;
    tile.q = queries + at;
    tile.k = call.present(0, b, head / s.group());
    tile.v = call.present(1, b, head / s.group());
    tile.y = call.out[0].as<float>() + at;
    tile.rows = heads > 1 ? (row.count > 0 ? heads : 0) : std::min(asked, row.count - first);
    tile.first_end = row.past + first + 1;
    tile.end_step = heads > 1 ? 0 : 1;
    tile.window = window_;
    tile.head_dim = tile.k_stride = tile.v_stride = s.head_dim;
    tile.q_stride = tile.y_stride = heads > 1 ? s.head_dim : hidden;
    tile.scale = scale_ != 0 ? scale_ : 1.0f / std::sqrt(static_cast<float>(s.head_dim));
    tile.softcap = softcap_;
    tile.sinks = sinks != nullptr ? sinks->as<float>() + head : smooth_ ? &kZeroSink : nullptr;
    tile.sink_step = sinks != nullptr && heads > 1 ? 1 : 0;
    tile.scratch = scratch;
    if (tile.rows > 0) kernels_.tile(tile);
    // Padding behind the tokens of a shorter sequence.
    for (int64_t t = std::max<int64_t>(row.count - first, 0); t < asked; ++t) {
      std::fill_n(tile.y + t * hidden, heads * s.head_dim, 0.0f);
    }
  }

  const kernels::AttentionKernels& kernels_;
  const Attributes attributes_;
  const float scale_;
  const float softcap_;
  const int64_t window_;  // 0: none
  const bool rotary_;
  const bool interleaved_;
  const bool smooth_;
};

Result<std::unique_ptr<PreparedOp>> prepare_gqa(const PrepareContext& context) {
  for (size_t i = kPositions; i < context.node().inputs.size(); ++i) {
    if (i == kSink || context.node().inputs[i] == graph::kNoValue) continue;
    return Unsupported("input ", i, " (", context.attributes.op().inputs[i].name,
                       ") is not supported");
  }
  if (context.attributes.number("softcap") < 0) return Corrupt("softcap is negative");
  return make_prepared<GroupQueryAttention>(kernels::attention_kernels(context.isa),
                                            context.attributes);
}

constexpr Types kI32 = graph::DType::kInt32;
constexpr Operand kInputs[] = {Operand("query", kF32).as('T').of_rank(3),
                               Operand("key", kF32).as('T').optional(),
                               Operand("value", kF32).as('T').optional(),
                               Operand("past_key", kF32).optional().cache(),
                               Operand("past_value", kF32).optional().cache(),
                               Operand("seqlens_k", kI32),
                               Operand("total_sequence_length", kI32).decides_shape(),
                               Operand("cos_cache", kF32).as('T').of_rank(2).optional(),
                               Operand("sin_cache", kF32).as('T').of_rank(2).optional(),
                               Operand("position_ids", kI64).optional(),
                               Operand("attention_bias", kF32).as('T').optional(),
                               Operand("head_sink", kF32).as('T').of_rank(1).optional(),
                               Operand("k_scale", kF32).optional(),
                               Operand("v_scale", kF32).optional()};
constexpr Operand kOutputs[] = {Operand("output", kF32).as('T'),
                                Operand("present_key", kF32).cache(),
                                Operand("present_value", kF32).cache()};
constexpr AttributeSpec kAttributes[] = {AttributeSpec::integer("num_heads").required(),
                                         AttributeSpec::integer("kv_num_heads").required(),
                                         AttributeSpec::real("scale"),
                                         AttributeSpec::real("softcap"),
                                         AttributeSpec::integer("do_rotary"),
                                         AttributeSpec::integer("rotary_interleaved"),
                                         AttributeSpec::integer("local_window_size", -1),
                                         AttributeSpec::integer("smooth_softmax", -1),
                                         AttributeSpec::integer("causal", 1).only(),
                                         AttributeSpec::integer("qk_output").only(),
                                         AttributeSpec::integer("kv_cache_bit_width").only(),
                                         AttributeSpec::string("k_quant_type", "NONE").only(),
                                         AttributeSpec::string("v_quant_type", "NONE").only()};

}  // namespace

constexpr Op kGroupQueryAttention = {.name = "GroupQueryAttention",
                                     .domain = graph::kMicrosoft,
                                     .inputs = kInputs,
                                     .outputs = kOutputs,
                                     .attributes = kAttributes,
                                     .shape = gqa_shape,
                                     .traits = kHalfSafe,
                                     .cpu = prepare_gqa};

}  // namespace enm::ops
