// Functions of one variable. FastGelu takes an optional bias over the last axis.
#include <cmath>

#include "enm/kernels/activation/activation.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using Function = kernels::ActivationKernels::Function;

// Of FastGelu and BiasGelu.
Status biased_shape(const Attributes& attributes, Inputs in, Outputs out) {
  if (in[0].rank == 0) return InvalidArgument("X has no axis for a bias");
  const TensorView* bias = operand(in, 1);
  if (bias != nullptr && bias->dim(0) != in[0].last_dim()) {
    return InvalidArgument("bias is ", view_str(*bias), "; expected f32[", in[0].last_dim(), "]");
  }
  return like_first(attributes, in, out);
}

class Activation final : public PreparedOp {
 public:
  explicit Activation(Function function) : function_(function) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const float* x = in[0].as<float>();
    float* y = out[0].as<float>();
    if (const TensorView* bias = operand(in, 1)) {
      const int64_t width = in[0].last_dim();
      for (int64_t i = 0; i < in[0].count(); ++i) y[i] = x[i] + bias->as<float>()[i % width];
      x = y;
    }
    context.pool->parallel_for(in[0].count(), 8192, [&](int64_t begin, int64_t end, int) {
      function_(x + begin, y + begin, end - begin);
    });
    return {};
  }

 private:
  const Function function_;
};

template <Function kernels::ActivationKernels::* kFunction>
Result<std::unique_ptr<PreparedOp>> prepare_activation(const PrepareContext& context) {
  return make_prepared<Activation>(kernels::activation_kernels(context.isa).*kFunction);
}

// Gelu of opset 20 chooses its form by an attribute.
Result<std::unique_ptr<PreparedOp>> prepare_gelu(const PrepareContext& context) {
  const auto& kernels = kernels::activation_kernels(context.isa);
  const std::string_view form = context.attributes.text("approximate");
  if (form != "none" && form != "tanh") {
    return Unsupported("approximate is ", quoted(form), "; expected none or tanh");
  }
  return make_prepared<Activation>(form == "tanh" ? kernels.gelu_tanh : kernels.gelu);
}

// Too rare to be worth a kernel.
template <float (*kFunction)(float)>
void map(const float* x, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = kFunction(x[i]);
}
template <float (*kFunction)(float)>
Result<std::unique_ptr<PreparedOp>> prepare_map(const PrepareContext&) {
  return make_prepared<Activation>(map<kFunction>);
}
float square_root(float x) { return std::sqrt(x); }
float negative(float x) { return -x; }
float reciprocal(float x) { return 1.0f / x; }
float absolute(float x) { return std::fabs(x); }
float relu(float x) { return x > 0 ? x : x == x ? 0.0f : x; }

// x * sigmoid(alpha x)
class QuickGelu final : public PreparedOp {
 public:
  QuickGelu(Function sigmoid, float alpha) : sigmoid_(sigmoid), alpha_(alpha) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const auto* x = in[0].as<float>();
    auto* y = out[0].as<float>();
    context.pool->parallel_for(in[0].count(), 8192, [&](int64_t begin, int64_t end, int) {
      for (int64_t i = begin; i < end; ++i) y[i] = alpha_ * x[i];
      sigmoid_(y + begin, y + begin, end - begin);
      for (int64_t i = begin; i < end; ++i) y[i] *= x[i];
    });
    return {};
  }

 private:
  const Function sigmoid_;
  const float alpha_;
};

Result<std::unique_ptr<PreparedOp>> prepare_quick_gelu(const PrepareContext& context) {
  return make_prepared<QuickGelu>(kernels::activation_kernels(context.isa).sigmoid,
                                  context.attributes.number("alpha"));
}

// Inputs: x, least?, most?; scalars.
Status clip_shape(const Attributes& attributes, Inputs in, Outputs out) {
  for (size_t i : {size_t{1}, size_t{2}}) {
    const TensorView* bound = operand(in, i);
    if (bound != nullptr && bound->count() != 1) {
      return InvalidArgument("a bound is ", view_str(*bound));
    }
  }
  return like_first(attributes, in, out);
}

class Clip final : public PreparedOp {
 public:
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    with_number(in[0].dtype, [&](auto zero) {
      using T = decltype(zero);
      const T* least = operand(in, 1) != nullptr ? in[1].as<T>() : nullptr;
      const T* most = operand(in, 2) != nullptr ? in[2].as<T>() : nullptr;
      for (int64_t i = 0; i < in[0].count(); ++i) {
        T value = in[0].as<T>()[i];
        if (least != nullptr && value < *least) value = *least;
        if (most != nullptr && value > *most) value = *most;
        out[0].as<T>()[i] = value;
      }
    });
    return {};
  }
};

Result<std::unique_ptr<PreparedOp>> prepare_clip(const PrepareContext&) {
  return make_prepared<Clip>();
}

constexpr Operand kX[] = {Operand("X", kF32).as('T')};
constexpr Operand kXBias[] = {Operand("X", kF32).as('T'), Operand("bias", kF32).as('T').of_rank(1)};
constexpr Operand kXOptionalBias[] = {Operand("X", kF32).as('T'),
                                      Operand("bias", kF32).as('T').of_rank(1).optional()};
constexpr Operand kY[] = {Operand("Y", kF32).as('T')};

constexpr Operand kClipInputs[] = {Operand("input", kNumbers).as('T'),
                                   Operand("min", kNumbers).as('T').optional(),
                                   Operand("max", kNumbers).as('T').optional()};
constexpr Operand kClipOutput[] = {Operand("output", kNumbers).as('T')};

constexpr AttributeSpec kGeluAttributes[] = {AttributeSpec::string("approximate", "none")};
constexpr AttributeSpec kQuickGeluAttributes[] = {AttributeSpec::real("alpha", 1.702f)};

constexpr uint32_t kUnary = kElementwise | kRowWise;

using K = kernels::ActivationKernels;
using Prepare = Result<std::unique_ptr<PreparedOp>> (*)(const PrepareContext&);

// A function of one variable.
constexpr Op unary(std::string_view name, uint32_t traits, Prepare cpu) {
  return {.name = name,
          .inputs = kX,
          .outputs = kY,
          .shape = like_first,
          .traits = kUnary | traits,
          .alias = 1,
          .cpu = cpu};
}

}  // namespace

constexpr Op kSigmoid = unary("Sigmoid", kHalfSafe, prepare_activation<&K::sigmoid>);
constexpr Op kTanh = unary("Tanh", kHalfSafe, prepare_activation<&K::tanh>);
constexpr Op kErf = unary("Erf", kHalfSafe, prepare_activation<&K::erf>);
constexpr Op kExp = unary("Exp", 0, prepare_activation<&K::exp>);
constexpr Op kSqrt = unary("Sqrt", 0, prepare_map<square_root>);
constexpr Op kReciprocal = unary("Reciprocal", 0, prepare_map<reciprocal>);
constexpr Op kNeg = unary("Neg", kHalfSafe, prepare_map<negative>);
constexpr Op kAbs = unary("Abs", kHalfSafe, prepare_map<absolute>);
constexpr Op kRelu = unary("Relu", kHalfSafe, prepare_map<relu>);

constexpr Op kGelu = {.name = "Gelu",
                      .since = 20,
                      .inputs = kX,
                      .outputs = kY,
                      .attributes = kGeluAttributes,
                      .shape = like_first,
                      .traits = kUnary | kHalfSafe,
                      .alias = 1,
                      .cpu = prepare_gelu};
constexpr Op kMicrosoftGelu = {.name = "Gelu",
                               .domain = graph::kMicrosoft,
                               .inputs = kX,
                               .outputs = kY,
                               .shape = like_first,
                               .traits = kUnary | kHalfSafe,
                               .alias = 1,
                               .cpu = prepare_activation<&K::gelu>};
constexpr Op kFastGelu = {.name = "FastGelu",
                          .domain = graph::kMicrosoft,
                          .inputs = kXOptionalBias,
                          .outputs = kY,
                          .shape = biased_shape,
                          .traits = kRowWise | kHalfSafe,
                          .alias = 1,
                          .cpu = prepare_activation<&K::gelu_tanh>};
constexpr Op kBiasGelu = {.name = "BiasGelu",
                          .domain = graph::kMicrosoft,
                          .inputs = kXBias,
                          .outputs = kY,
                          .shape = biased_shape,
                          .traits = kRowWise | kHalfSafe,
                          .alias = 1,
                          .cpu = prepare_activation<&K::gelu>};
constexpr Op kQuickGelu = {.name = "QuickGelu",
                           .domain = graph::kMicrosoft,
                           .inputs = kX,
                           .outputs = kY,
                           .attributes = kQuickGeluAttributes,
                           .shape = like_first,
                           .traits = kUnary | kHalfSafe,
                           .cpu = prepare_quick_gelu};
constexpr Op kClip = {.name = "Clip",
                      .since = 11,
                      .inputs = kClipInputs,
                      .outputs = kClipOutput,
                      .shape = clip_shape,
                      .traits = kUnary | kHalfSafe,
                      .alias = 1,
                      .cpu = prepare_clip};

}  // namespace enm::ops
