// RotaryEmbedding. com.microsoft: x, position_ids, cos, sin; opset 23: x, cos, sin, position_ids?.
// x is [batch, sequence, heads * head_dim] or [batch, heads, sequence, head_dim]. The first
// rotary_embedding_dim elements of a head turn: pairs (i, i + half), or (2 i, 2 i + 1) when
// interleaved. Source: ONNX RotaryEmbedding-23; ONNX Runtime, docs/ContribOperators.md
#include <cstring>

#include "enm/kernels/rotary/rotary.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

// What the attributes say, and where the operator's domain has its inputs.
struct Form {
  explicit Form(const Attributes& attributes)
      : heads(attributes.integer("num_heads")),
        rotary_dim(attributes.integer("rotary_embedding_dim")),
        interleaved(attributes.flag("interleaved")),
        is_contrib(attributes.op().domain == graph::kMicrosoft),
        positions(is_contrib ? 1 : 3),
        cos(is_contrib ? 2 : 1) {}

  int64_t heads;
  int64_t rotary_dim;
  bool interleaved;
  bool is_contrib;
  size_t positions;  // which input
  size_t cos;        // sin follows
};

struct Layout {
  int64_t batch, sequence, heads, head_dim, rotary;
  bool heads_first;

  int64_t offset(int64_t token, int64_t head) const {
    if (!heads_first) return (token * heads + head) * head_dim;
    return ((token / sequence * heads + head) * sequence + token % sequence) * head_dim;
  }
};

Result<Layout> layout_of(const Form& form, Inputs in) {
  const TensorView& x = in[0];
  Layout out{};
  if (x.rank == 4) {
    out = {x.dim(0), x.dim(2), x.dim(1), x.dim(3), 0, true};
  } else if (x.rank == 3) {
    // Without num_heads the caches say how wide a head is, if all of it turns.
    const int64_t turned = 2 * in[form.cos].last_dim();
    const int64_t heads = form.heads > 0 ? form.heads : turned > 0 ? x.dim(2) / turned : 0;
    if (heads == 0 || x.dim(2) % heads != 0) {
      return InvalidArgument("x is ", view_str(x), " for ", heads, " heads");
    }
    out = {x.dim(0), x.dim(1), heads, x.dim(2) / heads, 0, false};
  } else {
    return InvalidArgument("x is ", view_str(x), "; expected 3 or 4 dimensions");
  }
  out.rotary = form.rotary_dim != 0 ? form.rotary_dim : out.head_dim;
  if (!form.is_contrib && x.rank == 3 && form.heads == 0) return Corrupt("num_heads is missing");
  if (form.heads < 0) return InvalidArgument("num_heads is ", form.heads);
  if (out.rotary >= 0 && out.rotary % 2 == 0 && out.rotary <= out.head_dim) return out;
  return InvalidArgument("rotary_embedding_dim is ", out.rotary, " of ", out.head_dim);
}

Status rotary_shape(const Attributes& attributes, Inputs in, Outputs out) {
  const Form form(attributes);
  ENM_ASSIGN_OR_RETURN(const Layout layout, layout_of(form, in));
  const TensorView& cos = in[form.cos];
  const TensorView* positions = operand(in, form.positions);
  const auto is_one_a_token = [&](const TensorView& view) {
    return view.dim(0) == layout.batch && view.dim(1) == layout.sequence;
  };
  if (positions != nullptr) {
    const bool is_first = form.is_contrib && positions->rank <= 1 && positions->count() == 1;
    if (!is_first && (positions->rank != 2 || !is_one_a_token(*positions))) {
      return InvalidArgument("position_ids are ", view_str(*positions), "; expected i64[",
                             layout.batch, ", ", layout.sequence, "]");
    }
  }
  const bool fits = cos.same_dims(in[form.cos + 1]) && cos.last_dim() == layout.rotary / 2 &&
                    (positions != nullptr ? cos.rank == 2 : cos.rank == 3 && is_one_a_token(cos));
  if (!fits) {
    return InvalidArgument("cos is ", view_str(cos), ", sin ", view_str(in[form.cos + 1]), " for ",
                           view_str(in[0]), " of which ", layout.rotary, " of a head turn");
  }
  return like_first(attributes, in, out);
}

class RotaryEmbedding final : public PreparedOp {
 public:
  explicit RotaryEmbedding(const Form& form) : form_(form) {}

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    if (in[0].count() == 0) return {};
    ENM_ASSIGN_OR_RETURN(const Layout layout, layout_of(form_, in));
    const int64_t half = layout.rotary / 2;
    for (int64_t token = 0; token < layout.batch * layout.sequence; ++token) {
      ENM_ASSIGN_OR_RETURN(const int64_t row, row_of(in, token, layout));
      const float* cos = in[form_.cos].as<float>() + row * half;
      const float* sin = in[form_.cos + 1].as<float>() + row * half;
      for (int64_t head = 0; head < layout.heads; ++head) {
        const int64_t at = layout.offset(token, head);
        const float* x = in[0].as<float>() + at;
        float* y = out[0].as<float>() + at;
        if (y != x) std::memcpy(y, x, static_cast<size_t>(layout.head_dim) * sizeof(float));
        kernels::rotate_head(y, cos, sin, half, form_.interleaved);
      }
    }
    return {};
  }

 private:
  // The token's row of the caches. A single position is that of the first token of each sequence.
  Result<int64_t> row_of(Inputs in, int64_t token, const Layout& layout) const {
    const TensorView* positions = operand(in, form_.positions);
    if (positions == nullptr) return token;
    const bool is_first = positions->count() == 1;
    const int64_t position = positions->as<int64_t>()[is_first ? 0 : token];
    const int64_t after = is_first ? token % layout.sequence : 0;
    const int64_t rows = in[form_.cos].dim(0);
    if (position >= 0 && position < rows - after) return position + after;
    return InvalidArgument("position ", position, " and ", after, " after it is outside of ", rows,
                           " rows");
  }

  const Form form_;
};

Result<std::unique_ptr<PreparedOp>> prepare_rotary(const PrepareContext& context) {
  return make_prepared<RotaryEmbedding>(Form(context.attributes));
}

constexpr Operand kInputs[] = {Operand("X", kF32).as('T'), Operand("cos_cache", kF32).as('T'),
                               Operand("sin_cache", kF32).as('T'),
                               Operand("position_ids", kI64).optional()};
constexpr Operand kOutputs[] = {Operand("Y", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {AttributeSpec::integer("interleaved"),
                                         AttributeSpec::integer("num_heads"),
                                         AttributeSpec::integer("rotary_embedding_dim")};

constexpr Operand kMicrosoftInputs[] = {
    Operand("input", kF32).as('T'), Operand("position_ids", kI64),
    Operand("cos_cache", kF32).as('T'), Operand("sin_cache", kF32).as('T')};
constexpr Operand kMicrosoftOutputs[] = {Operand("output", kF32).as('T')};
constexpr AttributeSpec kMicrosoftAttributes[] = {
    AttributeSpec::integer("interleaved"), AttributeSpec::integer("is_packed_batching").only(),
    AttributeSpec::integer("num_heads"), AttributeSpec::integer("rotary_embedding_dim"),
    AttributeSpec::real("scale", 1).only()};

}  // namespace

constexpr Op kRotaryEmbedding = {.name = "RotaryEmbedding",
                                 .since = 23,
                                 .inputs = kInputs,
                                 .outputs = kOutputs,
                                 .attributes = kAttributes,
                                 .shape = rotary_shape,
                                 .traits = kHalfSafe,
                                 .alias = 1,
                                 .cpu = prepare_rotary};
constexpr Op kMicrosoftRotaryEmbedding = {.name = "RotaryEmbedding",
                                          .domain = graph::kMicrosoft,
                                          .inputs = kMicrosoftInputs,
                                          .outputs = kMicrosoftOutputs,
                                          .attributes = kMicrosoftAttributes,
                                          .shape = rotary_shape,
                                          .traits = kHalfSafe,
                                          .alias = 1,
                                          .cpu = prepare_rotary};

}  // namespace enm::ops
