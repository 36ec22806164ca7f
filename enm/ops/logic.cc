// Comparisons, logic and choice, with numpy's broadcasting: Equal, Less, LessOrEqual, Greater,
// GreaterOrEqual, And, Or, Not, Where.
#include <cstring>

#include "enm/ops/broadcast.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

enum class Relation { kEqual, kLess, kLessOrEqual, kAnd, kOr };

// NaN is in no relation to anything.
template <typename T>
bool holds(Relation relation, T a, T b) {
  switch (relation) {
    case Relation::kEqual:
      return a == b;
    case Relation::kLess:
      return a < b;
    case Relation::kLessOrEqual:
      return a <= b;
    case Relation::kAnd:
      return a && b;
    default:
      return a || b;
  }
}

class Compare final : public PreparedOp {
 public:
  // a > b is b < a: `swapped` exchanges the operands.
  Compare(Relation relation, bool swapped) : relation_(relation), swapped_(swapped) {}

  Status infer(Inputs in, Outputs out) const override {
    const bool is_logic = relation_ == Relation::kAnd || relation_ == Relation::kOr;
    ENM_RETURN_IF_ERROR(expect_dtype(in[1], in[0].dtype, "the second operand"));
    if (is_logic) ENM_RETURN_IF_ERROR(expect_dtype(in[0], DType::kBool, "an operand"));
    out[0].dtype = DType::kBool;
    return broadcast_dims(in[0], in[1], out[0]);
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    // A bool is a byte of 0 or 1.
    const DType type = in[0].dtype == DType::kBool ? DType::kUint8 : in[0].dtype;
    return with_numeric(type, "an operand", [&](auto zero) {
      fill<decltype(zero)>(in[swapped_ ? 1 : 0], in[swapped_ ? 0 : 1], out[0]);
      return Status();
    });
  }

 private:
  template <typename T>
  void fill(const TensorView& a, const TensorView& b, const TensorView& y) const {
    const BroadcastStrides a_strides(a, y);
    const BroadcastStrides b_strides(b, y);
    const int64_t width = y.last_dim();
    for (int64_t row = 0; row < row_count(y); ++row) {
      const T* a_row = a.as<T>() + a_strides.offset(y, row);
      const T* b_row = b.as<T>() + b_strides.offset(y, row);
      for (int64_t i = 0; i < width; ++i) {
        y.as<uint8_t>()[row * width + i] =
            holds(relation_, a_row[i * a_strides.step(y)], b_row[i * b_strides.step(y)]);
      }
    }
  }

  const Relation relation_;
  const bool swapped_;
};

class Not final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    out[0] = in[0];
    return expect_dtype(in[0], DType::kBool, "input");
  }
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    for (int64_t i = 0; i < in[0].count(); ++i) {
      out[0].as<uint8_t>()[i] = in[0].as<uint8_t>()[i] == 0;
    }
    return {};
  }
  bool in_place(size_t) const override { return true; }
};

// Inputs: condition, value where it holds, value where not.
class Where final : public PreparedOp {
 public:
  Status infer(Inputs in, Outputs out) const override {
    ENM_RETURN_IF_ERROR(expect_dtype(in[0], DType::kBool, "condition"));
    ENM_RETURN_IF_ERROR(expect_dtype(in[2], in[1].dtype, "the second value"));
    if (graph::dtype_bits(in[1].dtype) < 8) return Unsupported("values are ", view_str(in[1]));
    TensorView values;
    ENM_RETURN_IF_ERROR(broadcast_dims(in[1], in[2], values));
    out[0].dtype = in[1].dtype;
    return broadcast_dims(in[0], values, out[0]);
  }

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    const TensorView& y = out[0];
    const BroadcastStrides chosen(in[0], y);
    const BroadcastStrides strides[2] = {{in[1], y}, {in[2], y}};
    const auto size = static_cast<size_t>(graph::dtype_bits(y.dtype) / 8);
    const int64_t width = y.last_dim();
    auto* to = y.as<uint8_t>();
    for (int64_t row = 0; row < row_count(y); ++row) {
      const uint8_t* condition = in[0].as<uint8_t>() + chosen.offset(y, row);
      const int64_t starts[2] = {strides[0].offset(y, row), strides[1].offset(y, row)};
      for (int64_t i = 0; i < width; ++i, to += size) {
        const size_t which = condition[i * chosen.step(y)] != 0 ? 0 : 1;
        const int64_t from = starts[which] + i * strides[which].step(y);
        std::memcpy(to, in[1 + which].as<uint8_t>() + from * static_cast<int64_t>(size), size);
      }
    }
    return {};
  }
};

template <Relation kRelation, bool kSwapped = false>
Result<std::unique_ptr<PreparedOp>> prepare_compare(const PrepareContext&) {
  return make_prepared<Compare>(kRelation, kSwapped);
}
template <typename T>
Result<std::unique_ptr<PreparedOp>> prepare_plain(const PrepareContext&) {
  return make_prepared<T>();
}

}  // namespace

const Op kEqual = {"Equal", "", 2, 2, 1, prepare_compare<Relation::kEqual>};
const Op kLess = {"Less", "", 2, 2, 1, prepare_compare<Relation::kLess>};
const Op kLessOrEqual = {"LessOrEqual", "", 2, 2, 1, prepare_compare<Relation::kLessOrEqual>};
const Op kGreater = {"Greater", "", 2, 2, 1, prepare_compare<Relation::kLess, true>};
const Op kGreaterOrEqual = {
    "GreaterOrEqual", "", 2, 2, 1, prepare_compare<Relation::kLessOrEqual, true>};
const Op kAnd = {"And", "", 2, 2, 1, prepare_compare<Relation::kAnd>};
const Op kOr = {"Or", "", 2, 2, 1, prepare_compare<Relation::kOr>};
const Op kNot = {"Not", "", 1, 1, 1, prepare_plain<Not>};
const Op kWhere = {"Where", "", 3, 3, 1, prepare_plain<Where>};

}  // namespace enm::ops
