// Comparisons, logic and choice, with numpy's broadcasting: Equal, Less, LessOrEqual, Greater,
// GreaterOrEqual, And, Or, Not, Where.
#include <cstring>
#include <functional>

#include "enm/ops/broadcast.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;

// NaN is in no relation to anything. a > b is b < a: `swapped` exchanges the operands.
class Compare final : public PreparedOp {
 public:
  Compare(BinaryRow (*row_of)(DType), bool swapped) : row_of_(row_of), swapped_(swapped) {}

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    const size_t first = swapped_ ? 1 : 0;
    run_binary(*context.pool, row_of_(in[0].dtype), in[first], in[1 - first], out[0]);
    return {};
  }

 private:
  BinaryRow (*const row_of_)(DType);
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

template <typename F>
BinaryRow bool_row_of(DType) {
  return binary_row<F, uint8_t>;
}
template <BinaryRow (*kRowOf)(DType), bool kSwapped>
Result<std::unique_ptr<PreparedOp>> prepare_compare(const PrepareContext&) {
  return make_prepared<Compare>(kRowOf, kSwapped);
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

template <BinaryRow (*kRowOf)(DType), bool kSwapped = false>
constexpr Op relation(std::string_view name, std::span<const Operand> inputs) {
  return {.name = name,
          .since = 7,
          .inputs = inputs,
          .outputs = kResult,
          .shape = broadcast_all,
          .traits = kElementwise,
          .cpu = prepare_compare<kRowOf, kSwapped>};
}

}  // namespace

constexpr Op kEqual = relation<binary_row_of<std::equal_to<>>>("Equal", kTwo);
constexpr Op kLess = relation<binary_row_of<std::less<>>>("Less", kTwoNumbers);
constexpr Op kLessOrEqual = relation<binary_row_of<std::less_equal<>>>("LessOrEqual", kTwoNumbers);
constexpr Op kGreater = relation<binary_row_of<std::less<>>, true>("Greater", kTwoNumbers);
constexpr Op kGreaterOrEqual =
    relation<binary_row_of<std::less_equal<>>, true>("GreaterOrEqual", kTwoNumbers);
constexpr Op kAnd = relation<bool_row_of<std::logical_and<>>>("And", kTwoBools);
constexpr Op kOr = relation<bool_row_of<std::logical_or<>>>("Or", kTwoBools);
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
