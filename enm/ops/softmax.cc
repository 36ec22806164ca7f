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

bool flattens(const Attributes& attributes) { return attributes.opset() < 13; }

// The default changed with the meaning.
int64_t axis_of(const Attributes& attributes) {
  if (attributes.has("axis")) return attributes.integer("axis");
  return flattens(attributes) ? 1 : -1;
}

Status softmax_shape(const Attributes& attributes, Inputs in, Outputs out) {
  ENM_RETURN_IF_ERROR(normalize_axis(axis_of(attributes), in[0].rank).status());
  return like_first(attributes, in, out);
}

Result<std::unique_ptr<PreparedOp>> prepare_softmax(const PrepareContext& context) {
  return make_prepared<Softmax>(kernels::activation_kernels(context.isa),
                                axis_of(context.attributes), flattens(context.attributes));
}

constexpr Operand kInput[] = {Operand("input", kF32).as('T')};
constexpr Operand kOutput[] = {Operand("output", kF32).as('T')};
constexpr AttributeSpec kAttributes[] = {AttributeSpec::integer("axis", -1)};

}  // namespace

constexpr Op kSoftmax = {.name = "Softmax",
                         .inputs = kInput,
                         .outputs = kOutput,
                         .attributes = kAttributes,
                         .shape = softmax_shape,
                         .traits = kHalfSafe,
                         .alias = 1,
                         .cpu = prepare_softmax};

}  // namespace enm::ops
