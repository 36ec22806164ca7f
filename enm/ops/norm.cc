// LayerNormalization and its kin with a skip connection or without a mean, all over the last axis.
// Sources: ONNX LayerNormalization-17; ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/norm/norm.h"

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

// Where the operands stand in the inputs, -1 for those that the operator has not.
struct Layout {
  bool center;
  int skip;
  int gamma;
  int beta;
  int bias;
  size_t sum_output;  // 0: none
  float default_epsilon;
};

constexpr Layout kPlain = {true, -1, 1, 2, -1, 0, 1e-5f};
constexpr Layout kSimplified = {false, -1, 1, -1, -1, 0, 1e-5f};
constexpr Layout kSkip = {true, 1, 2, 3, 4, 3, 1e-12f};
constexpr Layout kSkipSimplified = {false, 1, 2, -1, 3, 3, 1e-12f};

class Norm final : public PreparedOp {
 public:
  Norm(const kernels::NormKernels& kernels, const Layout& layout, float epsilon)
      : kernels_(kernels), layout_(layout), epsilon_(epsilon) {}

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& x = in[0];
    ENM_RETURN_IF_ERROR(expect_dtype(x, DType::kFloat32, "input"));
    if (x.rank < 1) return InvalidArgument("input is a scalar");
    for (int index : {layout_.gamma, layout_.beta, layout_.bias}) {
      if (!given(in, index)) continue;
      const TensorView& vector = in[static_cast<size_t>(index)];
      if (vector.dtype != DType::kFloat32 || vector.rank != 1 || vector.dim(0) != x.last_dim()) {
        return InvalidArgument("input ", index, " is ", view_str(vector), "; expected f32[",
                               x.last_dim(), "]");
      }
    }
    if (layout_.skip >= 0 && !in[static_cast<size_t>(layout_.skip)].same_dims(x)) {
      return InvalidArgument("skip is ", view_str(in[static_cast<size_t>(layout_.skip)]),
                             "; expected ", view_str(x));
    }
    for (size_t i = 0; i < out.size(); ++i) {
      out[i].dtype = DType::kFloat32;
      if (i == 0 || i == layout_.sum_output) {
        out[i].set_dims({x.dims.data(), static_cast<size_t>(x.rank)});
      } else {
        out[i].set_dims({});
      }
    }
    return {};
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const int64_t width = in[0].last_dim();
    const int64_t rows = width == 0 ? 0 : in[0].count() / width;
    const bool has_sum = layout_.sum_output > 0 && out.size() > layout_.sum_output;
    context.pool->parallel_for(rows, row_grain(width), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        kernels::NormArgs args;
        args.x = in[0].as<float>() + row * width;
        args.skip = given(in, layout_.skip) ? pointer(in, layout_.skip) + row * width : nullptr;
        args.gamma = pointer(in, layout_.gamma);
        args.beta = given(in, layout_.beta) ? pointer(in, layout_.beta) : nullptr;
        args.bias = given(in, layout_.bias) ? pointer(in, layout_.bias) : nullptr;
        args.y = out[0].as<float>() + row * width;
        args.sum = has_sum ? out[layout_.sum_output].as<float>() + row * width : nullptr;
        args.width = width;
        args.epsilon = epsilon_;
        (layout_.center ? kernels_.layer_norm : kernels_.rms_norm)(args);
      }
    });
    return {};
  }

 private:
  static bool given(Inputs in, int index) {
    return index >= 0 && static_cast<size_t>(index) < in.size() &&
           in[static_cast<size_t>(index)].given();
  }
  static const float* pointer(Inputs in, int index) {
    return in[static_cast<size_t>(index)].as<float>();
  }

  const kernels::NormKernels& kernels_;
  const Layout& layout_;
  const float epsilon_;
};

template <const Layout& kLayout>
Result<std::unique_ptr<PreparedOp>> prepare_norm(const PrepareContext& context) {
  const graph::Node& node = context.node;
  if (node.domain.empty() && node.int_or("axis", -1) != -1) {
    return Unsupported("axis is ", node.int_or("axis", -1), "; only the last axis is supported");
  }
  // Outputs 1 and 2 (mean, inverse deviation) exist for training only.
  for (size_t i = 1; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != graph::kNoValue && i != kLayout.sum_output) {
      return Unsupported("output ", i, " is asked for; only the normalized rows are computed");
    }
  }
  return make_prepared<Norm>(kernels::norm_kernels(context.isa), kLayout,
                             node.float_or("epsilon", kLayout.default_epsilon));
}

}  // namespace

const Op kLayerNormalization = {"LayerNormalization", "", 2, 3, 3, prepare_norm<kPlain>};
const Op kSimplifiedLayerNormalization = {"SimplifiedLayerNormalization", "", 2, 2, 2,
                                          prepare_norm<kSimplified>};
const Op kSkipLayerNormalization = {"SkipLayerNormalization", graph::kMicrosoft, 3, 5, 4,
                                    prepare_norm<kSkip>};
const Op kSkipSimplifiedLayerNormalization = {
    "SkipSimplifiedLayerNormalization", graph::kMicrosoft, 3, 4, 4, prepare_norm<kSkipSimplified>};

}  // namespace enm::ops
