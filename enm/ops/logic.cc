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

  Status run(const RunContext&, Inputs in, Outputs out) const override {
    with_number(in[0].dtype, [&](auto zero) {
      fill<decltype(zero)>(in[swapped_ ? 1 : 0], in[swapped_ ? 0 : 1], out[0]);
    });
    return {};
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
  Status run(const RunContext&, Inputs in, Outputs out) const override {
    for (int64_t i = 0; i < in[0].count(); ++i) {
      out[0].as<uint8_t>()[i] = in[0].as<uint8_t>()[i] == 0;
    }
    return {};
  }
};

// Inputs: condition, value where it holds, value where not.
class Where final : public PreparedOp {
 public:
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

constexpr Types kComparable = kNumbers | kBool;
constexpr Operand kTwo[] = {Operand("A", kComparable).as('T'), Operand("B", kComparable).as('T')};
constexpr Operand kTwoNumbers[] = {Operand("A", kNumbers).as('T'), Operand("B", kNumbers).as('T')};
constexpr Operand kTwoBools[] = {Operand("A", kBool), Operand("B", kBool)};
constexpr Operand kOneBool[] = {Operand("X", kBool)};
constexpr Operand kResult[] = {Operand("C", kBool)};
constexpr Operand kWhereInputs[] = {Operand("condition", kBool), Operand("X", kFixedSize).as('T'),
                                    Operand("Y", kFixedSize).as('T')};
constexpr Operand kWhereOutput[] = {Operand("output", kFixedSize).as('T')};

template <Relation kRelation, bool kSwapped = false>
constexpr Op relation(std::string_view name, std::span<const Operand> inputs) {
  return {.name = name,
          .since = 7,
          .inputs = inputs,
          .outputs = kResult,
          .shape = broadcast_all,
          .traits = kElementwise,
          .cpu = prepare_compare<kRelation, kSwapped>};
}

}  // namespace

constexpr Op kEqual = relation<Relation::kEqual>("Equal", kTwo);
constexpr Op kLess = relation<Relation::kLess>("Less", kTwoNumbers);
constexpr Op kLessOrEqual = relation<Relation::kLessOrEqual>("LessOrEqual", kTwoNumbers);
constexpr Op kGreater = relation<Relation::kLess, true>("Greater", kTwoNumbers);
constexpr Op kGreaterOrEqual =
    relation<Relation::kLessOrEqual, true>("GreaterOrEqual", kTwoNumbers);
constexpr Op kAnd = relation<Relation::kAnd>("And", kTwoBools);
constexpr Op kOr = relation<Relation::kOr>("Or", kTwoBools);
constexpr Op kNot = {.name = "Not",
                     .inputs = kOneBool,
                     .outputs = kResult,
                     .shape = like_first,
                     .traits = kElementwise,
                     .alias = 1,
                     .cpu = prepare_plain<Not>};
constexpr Op kWhere = {.name = "Where",
                       .since = 9,
                       .inputs = kWhereInputs,
                       .outputs = kWhereOutput,
                       .shape = broadcast_all,
                       .traits = kElementwise | kHalfSafe,
                       .cpu = prepare_plain<Where>};

}  // namespace enm::ops
