// LayerNormalization and its kin with a skip connection or without a mean. LayerNormalization
// may span several last axes; the others take one.
// Sources: ONNX LayerNormalization-17; ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/norm/norm.h"

#include <cmath>

#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

constexpr size_t kNone = kMaxInputs;

// Where the operands stand, kNone for those that the operator has not.
struct Layout {
  bool center;
  bool has_axis;
  size_t skip, gamma, beta, bias;  // inputs
  size_t mean, inverse, sum;       // outputs; others are not computed
};

constexpr Layout kPlain = {true, true, kNone, 1, 2, kNone, 1, 2, kNone};
constexpr Layout kSimplified = {false, true, kNone, 1, kNone, kNone, kNone, 1, kNone};
constexpr Layout kSkip = {true, false, 1, 2, 3, 4, kNone, kNone, 3};
constexpr Layout kSkipSimplified = {false, false, 1, 2, kNone, 3, kNone, kNone, 3};

int64_t axis_of(const Layout& layout, const Attributes& attributes) {
  return layout.has_axis ? attributes.integer("axis") : -1;
}

// A skip connection is like x, or one for all of a batch: [1, sequence, width] or [sequence,
// width].
Status check_skip(const TensorView& x, const TensorView* skip) {
  if (skip == nullptr || skip->same_dims(x)) return {};
  TensorView one = x;
  one.dims[0] = 1;
  TensorView flat;
  flat.set_dims(x.shape().subspan(1));
  if (x.rank == 3 && (skip->same_dims(one) || skip->same_dims(flat))) return {};
  return InvalidArgument("skip is ", view_str(*skip), "; expected ", view_str(x));
}

Status norm_shape(const Layout& layout, const Attributes& attributes, Inputs in, Outputs out) {
  const TensorView& x = in[0];
  ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_of(layout, attributes), x.rank));
  TensorView row = x;  // what is normalized together
  row.set_dims(x.shape().subspan(static_cast<size_t>(axis)));
  for (size_t index : {layout.gamma, layout.beta, layout.bias}) {
    const TensorView* vector = operand(in, index);
    if (vector != nullptr && !vector->same_dims(row)) {
      return InvalidArgument("input ", index, " is ", view_str(*vector), "; expected ",
                             view_str(row));
    }
  }
  ENM_RETURN_IF_ERROR(check_skip(x, operand(in, layout.skip)));
  for (size_t i = 0; i < out.size(); ++i) {
    out[i].set_dims(x.shape());
    if (i == 0 || i == layout.sum) continue;
    for (int a = axis; a < x.rank; ++a) out[i].dims[static_cast<size_t>(a)] = 1;
  }
  return {};
}

template <const Layout& kLayout>
Status shape_of(const Attributes& attributes, Inputs in, Outputs out) {
  return norm_shape(kLayout, attributes, in, out);
}

class Norm final : public PreparedOp {
 public:
  Norm(const kernels::NormKernels& kernels, const Layout& layout, float epsilon, int64_t axis)
      : kernels_(kernels), layout_(layout), epsilon_(epsilon), axis_(axis) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    const int64_t width = dims_product(in[0], axis, in[0].rank);
    float* mean = pointer(out, layout_.mean);
    float* inverse = pointer(out, layout_.inverse);
    const float* skip = pointer(in, layout_.skip);
    const int64_t skip_rows = skip != nullptr ? row_count(in[layout_.skip]) : 0;
    float* sum = pointer(out, layout_.sum);
    kernels::NormArgs args;
    args.gamma = pointer(in, layout_.gamma);
    args.beta = pointer(in, layout_.beta);
    args.bias = pointer(in, layout_.bias);
    args.width = width;
    args.epsilon = epsilon_;
    // Rows of nothing still have statistics.
    const bool is_empty = width == 0 && mean == nullptr && inverse == nullptr;
    const int64_t rows = is_empty ? 0 : dims_product(in[0], 0, axis);
    context.pool->parallel_for(rows, row_grain(width), [&](int64_t begin, int64_t end, int) {
      kernels::NormArgs one = args;
      for (int64_t row = begin; row < end; ++row) {
        one.x = in[0].as<float>() + row * width;
        one.skip = skip != nullptr ? skip + row % skip_rows * width : nullptr;
        one.y = out[0].as<float>() + row * width;
        one.sum = sum != nullptr ? sum + row * width : nullptr;
        // Before y, which may be x.
        if (mean != nullptr || inverse != nullptr) {
          const Statistics of_row = statistics(one);
          if (mean != nullptr) mean[row] = of_row.mean;
          if (inverse != nullptr) inverse[row] = of_row.inverse;
        }
        (layout_.center ? kernels_.layer_norm : kernels_.rms_norm)(one);
      }
    });
    return {};
  }

 private:
  // Mean and inverse deviation.
  struct Statistics {
    float mean, inverse;
  };

  static float* pointer(Inputs operands, size_t index) {
    const TensorView* view = operand(operands, index);
    return view == nullptr ? nullptr : view->as<float>();
  }

  Statistics statistics(const kernels::NormArgs& row) const {
    const auto width = static_cast<double>(row.width);
    double mean = 0;
    double variance = 0;
    for (int64_t i = 0; i < row.width; ++i) mean += row.x[i];
    mean = layout_.center ? mean / width : 0;
    for (int64_t i = 0; i < row.width; ++i) variance += (row.x[i] - mean) * (row.x[i] - mean);
    return {static_cast<float>(mean),
            static_cast<float>(1 / std::sqrt(variance / width + epsilon_))};
  }

  const kernels::NormKernels& kernels_;
  const Layout& layout_;
  const float epsilon_;
  const int64_t axis_;
};

Result<std::unique_ptr<PreparedOp>> prepare_norm(const Layout& layout,
                                                 const PrepareContext& context) {
  for (size_t i = 1; i < context.node().outputs.size(); ++i) {
    const bool is_computed = i == layout.mean || i == layout.inverse || i == layout.sum;
    if (context.node().outputs[i] == graph::kNoValue || is_computed) continue;
    return Unsupported("output ", i, " (", context.attributes.op().output(i)->name,
                       ") is asked for; only training reads it");
  }
  return make_prepared<Norm>(kernels::norm_kernels(context.isa), layout,
                             context.attributes.number("epsilon"),
                             axis_of(layout, context.attributes));
}

template <const Layout& kLayout>
Result<std::unique_ptr<PreparedOp>> prepare_with(const PrepareContext& context) {
  return prepare_norm(kLayout, context);
}

constexpr Operand kPlainInputs[] = {Operand("X", kF32).as('T'), Operand("Scale", kF32).as('T'),
                                    Operand("B", kF32).as('T').optional()};
constexpr Operand kPlainOutputs[] = {Operand("Y", kF32).as('T'), Operand("Mean", kF32).optional(),
                                     Operand("InvStdDev", kF32).optional()};
constexpr Operand kSimplifiedInputs[] = {Operand("X", kF32).as('T'),
                                         Operand("scale", kF32).as('T')};
constexpr Operand kSimplifiedOutputs[] = {Operand("Y", kF32).as('T'),
                                          Operand("inv_std_var", kF32).optional()};
constexpr AttributeSpec kPlainAttributes[] = {AttributeSpec::integer("axis", -1),
                                              AttributeSpec::real("epsilon", 1e-5f),
                                              AttributeSpec::integer("stash_type", 1).only()};

constexpr Operand kSkipInputs[] = {
    Operand("input", kF32).as('T'), Operand("skip", kF32).as('T'), Operand("gamma", kF32).as('T'),
    Operand("beta", kF32).as('T').optional(), Operand("bias", kF32).as('T').optional()};
constexpr Operand kSkipSimplifiedInputs[] = {
    Operand("input", kF32).as('T'), Operand("skip", kF32).as('T'), Operand("gamma", kF32).as('T'),
    Operand("bias", kF32).as('T').optional()};
constexpr Operand kSkipOutputs[] = {Operand("output", kF32).as('T'),
                                    Operand("mean", kF32).optional(),
                                    Operand("inv_std_var", kF32).optional(),
                                    Operand("input_skip_bias_sum", kF32).as('T').optional()};
constexpr AttributeSpec kSkipAttributes[] = {AttributeSpec::real("epsilon", 1e-12f)};

}  // namespace

constexpr Op kLayerNormalization = {.name = "LayerNormalization",
                                    .inputs = kPlainInputs,
                                    .outputs = kPlainOutputs,
                                    .attributes = kPlainAttributes,
                                    .shape = shape_of<kPlain>,
                                    .traits = kHalfSafe,
                                    .alias = 1,
                                    .cpu = prepare_with<kPlain>};
constexpr Op kSimplifiedLayerNormalization = {.name = "SimplifiedLayerNormalization",
                                              .inputs = kSimplifiedInputs,
                                              .outputs = kSimplifiedOutputs,
                                              .attributes = kPlainAttributes,
                                              .shape = shape_of<kSimplified>,
                                              .traits = kHalfSafe,
                                              .alias = 1,
                                              .cpu = prepare_with<kSimplified>};
constexpr Op kSkipLayerNormalization = {.name = "SkipLayerNormalization",
                                        .domain = graph::kMicrosoft,
                                        .inputs = kSkipInputs,
                                        .outputs = kSkipOutputs,
                                        .attributes = kSkipAttributes,
                                        .shape = shape_of<kSkip>,
                                        .traits = kRowWise | kHalfSafe,
                                        .alias = 1,
                                        .cpu = prepare_with<kSkip>};
constexpr Op kSkipSimplifiedLayerNormalization = {.name = "SkipSimplifiedLayerNormalization",
                                                  .domain = graph::kMicrosoft,
                                                  .inputs = kSkipSimplifiedInputs,
                                                  .outputs = kSkipOutputs,
                                                  .attributes = kSkipAttributes,
                                                  .shape = shape_of<kSkipSimplified>,
                                                  .traits = kRowWise | kHalfSafe,
                                                  .alias = 1,
                                                  .cpu = prepare_with<kSkipSimplified>};

}  // namespace enm::ops
