// LayerNormalization and its kin with a skip connection or without a mean. LayerNormalization
// may span several last axes; the others take one.
// Sources: ONNX LayerNormalization-17; ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/norm/norm.h"

#include <cmath>

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
  Norm(const kernels::NormKernels& kernels, const Layout& layout, float epsilon, int64_t axis)
      : kernels_(kernels), layout_(layout), epsilon_(epsilon), axis_(axis) {}

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& x = in[0];
    ENM_RETURN_IF_ERROR(expect_dtype(x, DType::kFloat32, "input"));
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, x.rank));
    TensorView row = x;  // what is normalized together
    row.set_dims({x.dims.data() + axis, static_cast<size_t>(x.rank - axis)});
    for (int index : {layout_.gamma, layout_.beta, layout_.bias}) {
      if (!given(in, index)) continue;
      const TensorView& vector = in[static_cast<size_t>(index)];
      if (vector.dtype != DType::kFloat32 || !vector.same_dims(row)) {
        return InvalidArgument("input ", index, " is ", view_str(vector), "; expected ",
                               view_str(row));
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
        out[i].set_dims({x.dims.data(), static_cast<size_t>(x.rank)});
        for (int a = axis; a < x.rank; ++a) out[i].dims[static_cast<size_t>(a)] = 1;
      }
    }
    return {};
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    int64_t width = 1;
    for (int a = axis; a < in[0].rank; ++a) width *= in[0].dim(a);
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
    if (layout_.sum_output == 0 && out.size() > 1) write_statistics(in[0], width, out);
    return {};
  }

 private:
  static bool given(Inputs in, int index) {
    return index >= 0 && static_cast<size_t>(index) < in.size() &&
           in[static_cast<size_t>(index)].given();
  }
  // Outputs 1 and 2: mean and inverse deviation of each row.
  void write_statistics(const TensorView& x, int64_t width, Outputs out) const {
    const int64_t rows = width == 0 ? 0 : x.count() / width;
    for (int64_t row = 0; row < rows; ++row) {
      const float* values = x.as<float>() + row * width;
      double mean = 0;
      double variance = 0;
      for (int64_t i = 0; i < width; ++i) mean += values[i];
      mean = layout_.center ? mean / static_cast<double>(width) : 0;
      for (int64_t i = 0; i < width; ++i) variance += (values[i] - mean) * (values[i] - mean);
      const double inverse = 1 / std::sqrt(variance / static_cast<double>(width) + epsilon_);
      const bool has_mean = layout_.center && out[1].data != nullptr;
      if (has_mean) out[1].as<float>()[row] = static_cast<float>(mean);
      TensorView& deviation = out[layout_.center && out.size() > 2 ? 2 : 1];
      const bool has_deviation = deviation.data != nullptr && (!layout_.center || out.size() > 2);
      if (has_deviation) deviation.as<float>()[row] = static_cast<float>(inverse);
    }
  }

  static const float* pointer(Inputs in, int index) {
    return in[static_cast<size_t>(index)].as<float>();
  }

  const kernels::NormKernels& kernels_;
  const Layout& layout_;
  const float epsilon_;
  const int64_t axis_;
};

template <const Layout& kLayout>
Result<std::unique_ptr<PreparedOp>> prepare_norm(const PrepareContext& context) {
  const graph::Node& node = context.node;
  // Outputs that only training reads: of skip norms, all but the first and the sum.
  for (size_t i = 1; i < node.outputs.size() && kLayout.sum_output > 0; ++i) {
    if (node.outputs[i] != graph::kNoValue && i != kLayout.sum_output) {
      return Unsupported("output ", i, " is asked for; only the normalized rows are computed");
    }
  }
  return make_prepared<Norm>(kernels::norm_kernels(context.isa), kLayout,
                             node.float_or("epsilon", kLayout.default_epsilon),
                             node.domain.empty() ? node.int_or("axis", -1) : -1);
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
