// Softmax along one axis (opset 13 on); before, along all axes from `axis` on as if they were one.
#include <algorithm>
#include <cmath>

#include "enm/kernels/activation/activation.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

class Softmax final : public PreparedOp {
 public:
  Softmax(const kernels::ActivationKernels& kernels, int64_t axis, bool flattens)
      : kernels_(kernels), axis_(axis), flattens_(flattens) {}

  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], graph::DType::kFloat32, "input"));
    out[0] = in[0];
    return normalize_axis(axis_, in[0].rank).status();
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    ENM_ASSIGN_OR_RETURN(const int axis, normalize_axis(axis_, in[0].rank));
    int64_t length = in[0].dim(axis);
    int64_t inner = 1;
    for (int i = axis + 1; i < in[0].rank; ++i) (flattens_ ? length : inner) *= in[0].dim(i);
    if (in[0].count() == 0) return {};
    const auto* x = in[0].as<float>();
    auto* y = out[0].as<float>();
    context.pool->parallel_for(
        in[0].count() / length, row_grain(length), [&](int64_t begin, int64_t end, int) {
          for (int64_t line = begin; line < end; ++line) {
            const int64_t at = line / inner * inner * length + line % inner;
            inner == 1 ? row(x + at, y + at, length) : strided(x + at, y + at, length, inner);
          }
        });
    return {};
  }

  bool in_place(size_t) const override { return true; }

 private:
  void row(const float* x, float* y, int64_t length) const {
    const float largest = *std::max_element(x, x + length);
    for (int64_t i = 0; i < length; ++i) y[i] = x[i] - largest;
    kernels_.exp(y, y, length);
    float sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += y[i];
    for (int64_t i = 0; i < length; ++i) y[i] /= sum;
  }

  static void strided(const float* x, float* y, int64_t length, int64_t step) {
    float largest = x[0];
    for (int64_t i = 1; i < length; ++i) largest = std::max(largest, x[i * step]);
    float sum = 0;
    for (int64_t i = 0; i < length; ++i) sum += y[i * step] = std::exp(x[i * step] - largest);
    for (int64_t i = 0; i < length; ++i) y[i * step] /= sum;
  }

  const kernels::ActivationKernels& kernels_;
  const int64_t axis_;
  const bool flattens_;
};

Result<std::unique_ptr<PreparedOp>> prepare_softmax(const PrepareContext& context) {
  const bool flattens = context.opset < 13;
  return make_prepared<Softmax>(kernels::activation_kernels(context.isa),
                                context.node.int_or("axis", flattens ? 1 : -1), flattens);
}

}  // namespace

const Op kSoftmax = {"Softmax", "", 1, 1, 1, prepare_softmax};

}  // namespace enm::ops
