// Elementwise operators of two operands with numpy's broadcasting.
#include <cmath>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

struct AddOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a + b);
  }
};
struct SubOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a - b);
  }
};
struct MulOf {
  template <typename T>
  T operator()(T a, T b) const {
    return static_cast<T>(a * b);
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
        if (b == -1) return static_cast<T>(0 - static_cast<std::make_unsigned_t<T>>(a));
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
    return static_cast<T>(std::pow(static_cast<double>(a), static_cast<double>(b)));
  }
};

template <typename T, typename F>
void apply_row(const T* a, int64_t a_step, const T* b, int64_t b_step, T* y, int64_t n, F f) {
  if (a_step == 1 && b_step == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
  } else if (b_step == 0 && a_step == 1) {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], *b);
  } else {
    for (int64_t i = 0; i < n; ++i) y[i] = f(a[i * a_step], b[i * b_step]);
  }
}

// Max and Min take any number of operands, the others two.
template <typename F>
class Binary final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    out[0].dtype = in[0].dtype;
    out[0].set_dims({in[0].dims.data(), static_cast<size_t>(in[0].rank)});
    for (size_t i = 1; i < in.size(); ++i) {
      ENM_RETURN_IF_ERROR(expect_dtype(in[i], in[0].dtype, "an operand beside the first"));
      const TensorView so_far = out[0];
      ENM_RETURN_IF_ERROR(broadcast_dims(so_far, in[i], out[0]));
    }
    return {};
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    return with_numeric(in[0].dtype, "an operand", [&](auto zero) {
      using T = decltype(zero);
      run_typed<T>(context, in[0], in[in.size() > 1 ? 1 : 0], out[0]);
      for (size_t i = 2; i < in.size(); ++i) run_typed<T>(context, out[0], in[i], out[0]);
      return Status();
    });
  }

  // With more operands a later one would be read after it was written.
  bool in_place(size_t index) const override { return index < 2; }

 private:
  template <typename T>
  static void run_typed(const RunContext& context, const TensorView& a, const TensorView& b,
                        const TensorView& y) {
    const bool flat = a.same_dims(y) && b.same_dims(y);
    if (flat || y.rank == 0) {
      context.pool->parallel_for(y.count(), 16384, [&](int64_t begin, int64_t end, int) {
        apply_row(a.as<T>() + begin, 1, b.as<T>() + begin, 1, y.as<T>() + begin, end - begin, F());
      });
      return;
    }
    const BroadcastStrides a_strides(a, y);
    const BroadcastStrides b_strides(b, y);
    const int64_t width = y.last_dim();
    const auto last = static_cast<size_t>(y.rank - 1);
    const int64_t rows = width == 0 ? 0 : y.count() / width;
    context.pool->parallel_for(rows, row_grain(width), [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) {
        apply_row(a.as<T>() + a_strides.offset(y, row), a_strides.of[last],
                  b.as<T>() + b_strides.offset(y, row), b_strides.of[last], y.as<T>() + row * width,
                  width, F());
      }
    });
  }
};

template <typename F>
Result<std::unique_ptr<PreparedOp>> prepare_binary(const PrepareContext&) {
  return make_prepared<Binary<F>>();
}

}  // namespace

const Op kAdd = {"Add", "", 2, 2, 1, prepare_binary<AddOf>};
const Op kSub = {"Sub", "", 2, 2, 1, prepare_binary<SubOf>};
const Op kMul = {"Mul", "", 2, 2, 1, prepare_binary<MulOf>};
const Op kDiv = {"Div", "", 2, 2, 1, prepare_binary<DivOf>};
const Op kMax = {"Max", "", 1, kMaxInputs, 1, prepare_binary<MaxOf>};
const Op kMin = {"Min", "", 1, kMaxInputs, 1, prepare_binary<MinOf>};
const Op kPow = {"Pow", "", 2, 2, 1, prepare_binary<PowOf>};

}  // namespace enm::ops
