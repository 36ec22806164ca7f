// Functions of one variable. FastGelu takes an optional bias over the last axis.
#include <cmath>

#include "enm/kernels/activation/activation.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;
using Function = kernels::ActivationKernels::Function;

class Activation final : public PreparedOp {
 public:
  explicit Activation(Function function) : function_(function) {}

  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], DType::kFloat32, "input"));
    if (in.size() > 1 && in[1].given() && (in[1].rank != 1 || in[1].dim(0) != in[0].last_dim())) {
      return InvalidArgument("bias is ", view_str(in[1]), "; expected f32[", in[0].last_dim(), "]");
    }
    out[0] = in[0];
    return {};
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const float* x = in[0].as<float>();
    float* y = out[0].as<float>();
    if (in.size() > 1 && in[1].given()) {
      const float* bias = in[1].as<float>();
      const int64_t width = in[0].last_dim();
      for (int64_t i = 0; i < in[0].count(); ++i) y[i] = x[i] + bias[i % width];
      x = y;
    }
    context.pool->parallel_for(in[0].count(), 8192, [&](int64_t begin, int64_t end, int) {
      function_(x + begin, y + begin, end - begin);
    });
    return {};
  }

  bool in_place(size_t index) const override { return index == 0; }

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
  const std::string_view form = context.node.string_or("approximate", "none");
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

  Status infer(Inputs in, Outputs out) const override {
    out[0] = in[0];
    return expect_dtype(in[0], graph::DType::kFloat32, "input");
  }
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
                                  context.node.float_or("alpha", 1.702f));
}

// Inputs: x, least?, most?; scalars.
class Clip final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    for (size_t i = 1; i < in.size(); ++i) {
      if (!in[i].given()) continue;
      ENM_RETURN_IF_ERROR(expect_dtype(in[i], in[0].dtype, "a bound"));
      if (in[i].count() != 1) return InvalidArgument("a bound is ", view_str(in[i]));
    }
    out[0] = in[0];
    return {};
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    return with_numeric(in[0].dtype, "x", [&](auto zero) {
      using T = decltype(zero);
      const T* least = in.size() > 1 && in[1].given() ? in[1].as<T>() : nullptr;
      const T* most = in.size() > 2 && in[2].given() ? in[2].as<T>() : nullptr;
      for (int64_t i = 0; i < in[0].count(); ++i) {
        T value = in[0].as<T>()[i];
        if (least != nullptr && value < *least) value = *least;
        if (most != nullptr && value > *most) value = *most;
        out[0].as<T>()[i] = value;
      }
      return Status();
    });
  }
  bool in_place(size_t index) const override { return index == 0; }
};

Result<std::unique_ptr<PreparedOp>> prepare_clip(const PrepareContext&) {
  return make_prepared<Clip>();
}

using K = kernels::ActivationKernels;

}  // namespace

const Op kGelu = {"Gelu", "", 1, 1, 1, prepare_gelu};
const Op kMicrosoftGelu = {"Gelu", graph::kMicrosoft, 1, 1, 1, prepare_activation<&K::gelu>};
const Op kFastGelu = {"FastGelu", graph::kMicrosoft, 1, 2, 1, prepare_activation<&K::gelu_tanh>};
const Op kBiasGelu = {"BiasGelu", graph::kMicrosoft, 2, 2, 1, prepare_activation<&K::gelu>};
const Op kQuickGelu = {"QuickGelu", graph::kMicrosoft, 1, 1, 1, prepare_quick_gelu};
const Op kClip = {"Clip", "", 1, 3, 1, prepare_clip};
const Op kSigmoid = {"Sigmoid", "", 1, 1, 1, prepare_activation<&K::sigmoid>};
const Op kTanh = {"Tanh", "", 1, 1, 1, prepare_activation<&K::tanh>};
const Op kErf = {"Erf", "", 1, 1, 1, prepare_activation<&K::erf>};
const Op kExp = {"Exp", "", 1, 1, 1, prepare_activation<&K::exp>};
const Op kSqrt = {"Sqrt", "", 1, 1, 1, prepare_map<square_root>};
const Op kNeg = {"Neg", "", 1, 1, 1, prepare_map<negative>};
const Op kReciprocal = {"Reciprocal", "", 1, 1, 1, prepare_map<reciprocal>};
const Op kAbs = {"Abs", "", 1, 1, 1, prepare_map<absolute>};
const Op kRelu = {"Relu", "", 1, 1, 1, prepare_map<relu>};

}  // namespace enm::ops
