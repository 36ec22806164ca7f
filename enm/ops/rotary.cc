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

using graph::DType;

class RotaryEmbedding final : public PreparedOp {
 public:
  RotaryEmbedding(const graph::Node& node, bool is_contrib)
      : heads_(node.int_or("num_heads", 0)),
        rotary_dim_(node.int_or("rotary_embedding_dim", 0)),
        interleaved_(node.int_or("interleaved", 0) != 0),
        positions_(is_contrib ? 1 : 3),
        cos_(is_contrib ? 2 : 1) {}

  Status infer(Inputs in, Outputs out) const override {
    for (size_t i : {size_t{0}, cos_, cos_ + 1}) {
      ENM_RETURN_IF_ERROR(expect_dtype(in[i], DType::kFloat32, "an input"));
    }
    ENM_ASSIGN_OR_RETURN(const Layout layout, layout_of(in));
    const TensorView& cos = in[cos_];
    const TensorView* positions = given_positions(in);
    if (positions != nullptr) {
      ENM_RETURN_IF_ERROR(expect_dtype(*positions, DType::kInt64, "position_ids"));
      const int64_t count = positions->count();
      if (count != 1 && count != layout.batch * layout.sequence) {
        return InvalidArgument("position_ids are ", view_str(*positions));
      }
    }
    const bool fits = cos.same_dims(in[cos_ + 1]) && cos.rank == (positions != nullptr ? 2 : 3) &&
                      cos.last_dim() == layout.rotary / 2;
    const bool per_token =
        positions != nullptr || cos.count() == layout.batch * layout.sequence * layout.rotary / 2;
    if (!fits || !per_token) {
      return InvalidArgument("cos is ", view_str(cos), ", sin ", view_str(in[cos_ + 1]), " for ",
                             view_str(in[0]), " of which ", layout.rotary, " of a head turn");
    }
    out[0] = in[0];
    return {};
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const Layout layout, layout_of(in));
    const TensorView* positions = given_positions(in);
    const int64_t half = layout.rotary / 2;
    for (int64_t token = 0; token < layout.batch * layout.sequence; ++token) {
      int64_t row = token;
      if (positions != nullptr) {
        const auto* ids = positions->as<int64_t>();
        row = positions->count() == 1 ? ids[0] + token % layout.sequence : ids[token];
        if (row < 0 || row >= in[cos_].dim(0)) {
          return InvalidArgument("position ", row, " is outside of ", in[cos_].dim(0), " rows");
        }
      }
      const float* cos = in[cos_].as<float>() + row * half;
      const float* sin = in[cos_ + 1].as<float>() + row * half;
      for (int64_t head = 0; head < layout.heads; ++head) {
        const int64_t at = layout.offset(token, head);
        float* y = out[0].as<float>() + at;
        std::memcpy(y, in[0].as<float>() + at,
                    static_cast<size_t>(layout.head_dim) * sizeof(float));
        kernels::rotate_head(y, cos, sin, half, interleaved_);
      }
    }
    return {};
  }

 private:
  struct Layout {
    int64_t batch, sequence, heads, head_dim, rotary;
    bool heads_first;

    int64_t offset(int64_t token, int64_t head) const {
      if (!heads_first) return (token * heads + head) * head_dim;
      return ((token / sequence * heads + head) * sequence + token % sequence) * head_dim;
    }
  };

  const TensorView* given_positions(Inputs in) const {
    return in.size() > positions_ && in[positions_].given() ? &in[positions_] : nullptr;
  }

  Result<Layout> layout_of(Inputs in) const {
    const TensorView& x = in[0];
    Layout out{};
    if (x.rank == 4) {
      out = {x.dim(0), x.dim(2), x.dim(1), x.dim(3), 0, true};
    } else if (x.rank == 3) {
      // Without num_heads the caches say how wide a head is, if all of it turns.
      const int64_t turned = 2 * in[cos_].last_dim();
      const int64_t heads = heads_ > 0 ? heads_ : turned > 0 ? x.dim(2) / turned : 0;
      if (heads == 0 || x.dim(2) % heads != 0) {
        return InvalidArgument("x is ", view_str(x), " for ", heads, " heads");
      }
      out = {x.dim(0), x.dim(1), heads, x.dim(2) / heads, 0, false};
    } else {
      return InvalidArgument("x is ", view_str(x), "; expected 3 or 4 dimensions");
    }
    out.rotary = rotary_dim_ > 0 ? rotary_dim_ : out.head_dim;
    if (out.rotary % 2 == 0 && out.rotary <= out.head_dim) return out;
    return InvalidArgument("rotary_embedding_dim is ", out.rotary, " of ", out.head_dim);
  }

  const int64_t heads_;
  const int64_t rotary_dim_;
  const bool interleaved_;
  const size_t positions_;  // which input
  const size_t cos_;        // sin follows
};

template <bool kContrib>
Result<std::unique_ptr<PreparedOp>> prepare_rotary(const PrepareContext& context) {
  if (context.node.float_or("scale", 1.0f) != 1.0f ||
      context.node.int_or("is_packed_batching", 0)) {
    return Unsupported("a scale or packed batches are not supported");
  }
  return make_prepared<RotaryEmbedding>(context.node, kContrib);
}

}  // namespace

const Op kRotaryEmbedding = {"RotaryEmbedding", "", 3, 4, 1, prepare_rotary<false>};
const Op kMicrosoftRotaryEmbedding = {"RotaryEmbedding",   graph::kMicrosoft, 4, 4, 1,
                                      prepare_rotary<true>};

}  // namespace enm::ops
