// Elementwise operators of two operands with numpy's broadcasting.
#include <cmath>

#include "enm/ops/broadcast.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

// Integers wrap, as they do in ONNX: signed ones are added as the unsigned ones of 64 bits.
template <typename T>
using Wrapping = std::conditional_t<std::is_integral_v<T>, uint64_t, T>;

struct AddOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) + Wrapping<T>(b));
  }
};
struct SubOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) - Wrapping<T>(b));
  }
};
struct MulOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(Wrapping<T>(a) * Wrapping<T>(b));
  }
};
struct DivOf {
  // Integer division by zero and of the least value by -1 are undefined in C++; they give 0 and
  // wrap.
  template <typename T>
  T operator()(T a, T b) const {
    if constexpr (std::is_integral_v<T>) {
      if (b == 0) return 0;
      if constexpr (std::is_signed_v<T>) {
        if (b == -1) return static_cast<T>(0 - Wrapping<T>(a));
      }
    }
    return static_cast<T>(a / b);
  }
};
struct MaxOf {
  template <typename T>
  T operator()(T a, T b) const {
    return a > b || a != a ? a : b;
  }
};
struct MinOf {
  template <typename T>
  T operator()(T a, T b) const {
    return a < b || a != a ? a : b;
  }
};
struct PowOf {
  template <typename T>
  T operator()(T a, T b) const {
    const double power = std::pow(static_cast<double>(a), static_cast<double>(b));
    if constexpr (std::is_integral_v<T>) return static_cast<T>(truncate(power));
    return static_cast<T>(power);
  }
};

// Max and Min take any number of operands, the others two.
class Binary final : public PreparedOp {
 public:
  explicit Binary(BinaryRow (*row_of)(graph::DType)) : row_of_(row_of) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const BinaryRow row = row_of_(in[0].dtype);
    run_binary(*context.pool, row, in[0], in[in.size() > 1 ? 1 : 0], out[0]);
    for (size_t i = 2; i < in.size(); ++i) run_binary(*context.pool, row, out[0], in[i], out[0]);
    return {};
  }

 private:
  BinaryRow (*const row_of_)(graph::DType);
};

template <typename F>
Result<std::unique_ptr<PreparedOp>> prepare_binary(const PrepareContext&) {
  return make_prepared<Binary>(binary_row_of<F>);
}

constexpr Operand kTwo[] = {Operand("A", kNumbers).as('T'), Operand("B", kNumbers).as('T')};
constexpr Operand kMany[] = {Operand("data", kNumbers).as('T').variadic()};
constexpr Operand kResult[] = {Operand("C", kNumbers).as('T')};

template <typename F>
constexpr Op binary(std::string_view name, std::span<const Operand> inputs, uint32_t traits) {
  return {.name = name,
          .since = 7,
          .inputs = inputs,
          .outputs = kResult,
          .shape = broadcast_all,
          .traits = kElementwise | traits,
          .cpu = prepare_binary<F>};
}

}  // namespace

constexpr Op kAdd = binary<AddOf>("Add", kTwo, kHalfSafe);
constexpr Op kSub = binary<SubOf>("Sub", kTwo, kHalfSafe);
constexpr Op kMul = binary<MulOf>("Mul", kTwo, kHalfSafe);
constexpr Op kDiv = binary<DivOf>("Div", kTwo, kHalfSafe);
constexpr Op kPow = binary<PowOf>("Pow", kTwo, 0);
constexpr Op kMax = binary<MaxOf>("Max", kMany, 0);
constexpr Op kMin = binary<MinOf>("Min", kMany, 0);

}  // namespace enm::ops
