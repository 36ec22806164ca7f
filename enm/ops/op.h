// What an operator is. Its row holds all that anyone may know of it: graph knows no operator, and
// passes, quantizers and the runtime ask rows instead of matching names. One file an operator or a
// family of small kin; ops.inc lists the rows.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "enm/graph/graph.h"
#include "enm/ops/tensor_view.h"

namespace enm::ops {

inline constexpr int kMaxInputs = 16;
inline constexpr int kMaxOutputs = 16;

/// A set of element types.
class Types {
 public:
  constexpr Types(graph::DType one) : bits_(1u << static_cast<unsigned>(one)) {}
  constexpr Types(std::initializer_list<graph::DType> list) {
    for (graph::DType one : list) bits_ |= Types(one).bits_;
  }
  constexpr bool contains(graph::DType type) const { return (bits_ & Types(type).bits_) != 0; }
  constexpr Types operator|(Types other) const {
    other.bits_ |= bits_;
    return other;
  }
  /// The one type of the set, or kUndefined if it has several.
  constexpr graph::DType only() const {
    if ((bits_ & (bits_ - 1)) != 0) return graph::DType::kUndefined;
    return static_cast<graph::DType>(__builtin_ctz(bits_));
  }
  /// "f32", "f32 or i64"
  std::string str() const;

 private:
  uint32_t bits_ = 0;
};

inline constexpr Types kF32 = graph::DType::kFloat32;
inline constexpr Types kI64 = graph::DType::kInt64;
inline constexpr Types kBool = graph::DType::kBool;
inline constexpr Types kIndices = {graph::DType::kInt64, graph::DType::kInt32};
inline constexpr Types kByteTypes = {graph::DType::kUint8, graph::DType::kInt8};
/// What arithmetic is written for.
inline constexpr Types kNumbers = kIndices | kByteTypes | kF32 | Types(graph::DType::kFloat64);
/// Whole bytes an element: what can be moved around.
inline constexpr Types kFixedSize =
    kNumbers | Types{graph::DType::kUint16,  graph::DType::kInt16, graph::DType::kUint32,
                     graph::DType::kUint64,  graph::DType::kBool,  graph::DType::kFloat16,
                     graph::DType::kBfloat16};

/// An input or output of an operator.
struct Operand {
  enum Flag : uint8_t {
    kOptional = 1,      // may be missing; an optional output that is missing is not written
    kVariadic = 2,      // the last one: stands for any number of its kind
    kConstant = 4,      // must be an initializer
    kDecidesShape = 8,  // the shape rule reads its data
    kCache = 16,        // may be a layer of the key-value cache instead of a tensor
  };

  constexpr Operand(std::string_view operand_name, Types operand_types)
      : name(operand_name), types(operand_types) {}

  /// Operands of one letter have one type.
  constexpr Operand as(char letter) const {
    Operand copy = *this;
    copy.variable = letter;
    return copy;
  }
  constexpr Operand of_rank(int number) const {
    Operand copy = *this;
    copy.rank = static_cast<int8_t>(number);
    return copy;
  }
  constexpr Operand optional() const { return flagged(kOptional); }
  constexpr Operand variadic() const { return flagged(kVariadic); }
  constexpr Operand constant() const { return flagged(kConstant); }
  constexpr Operand decides_shape() const { return flagged(kDecidesShape); }
  constexpr Operand cache() const { return flagged(kCache); }

  constexpr bool is(Flag flag) const { return (flags & flag) != 0; }

  std::string_view name;
  Types types;
  char variable = 0;
  int8_t rank = -1;  // any
  uint8_t flags = 0;

 private:
  constexpr Operand flagged(Flag flag) const {
    Operand copy = *this;
    copy.flags |= flag;
    return copy;
  }
};

/// An attribute with its kind and default.
struct AttributeSpec {
  enum class Kind : uint8_t { kInteger, kFloat, kString, kIntegers, kFloats, kStrings, kTensor };

  static constexpr AttributeSpec integer(std::string_view name, int64_t fallback = 0) {
    AttributeSpec spec{name, Kind::kInteger};
    spec.integer_default = fallback;
    return spec;
  }
  static constexpr AttributeSpec real(std::string_view name, float fallback = 0) {
    AttributeSpec spec{name, Kind::kFloat};
    spec.real_default = fallback;
    return spec;
  }
  static constexpr AttributeSpec string(std::string_view name, const char* fallback = "") {
    AttributeSpec spec{name, Kind::kString};
    spec.string_default = fallback;
    return spec;
  }
  /// Lists and tensors default to nothing.
  static constexpr AttributeSpec of_kind(std::string_view name, Kind kind) { return {name, kind}; }

  constexpr AttributeSpec required() const {
    AttributeSpec copy = *this;
    copy.is_required = true;
    return copy;
  }
  /// Any value but the default is refused: the operator exists, this form of it does not.
  constexpr AttributeSpec only() const {
    AttributeSpec copy = *this;
    copy.is_only = true;
    return copy;
  }

  std::string_view name;
  Kind kind;
  bool is_required = false;
  bool is_only = false;
  union {
    int64_t integer_default = 0;
    float real_default;
    const char* string_default;
  };
};

class Attributes;
class PreparedOp;
struct PrepareContext;
struct GradientContext;  // training
struct GpuProgram;       // WebGPU

/// Sets the dims of the outputs, whose types are set, from the inputs' types and dims, which the
/// row has checked. Operands that decide the shape carry data, or null where it is not known yet:
/// then the answer is kInvalidArgument. Needs no weights and no CPU.
using ShapeRule = Status (*)(const Attributes& attributes, Inputs inputs, Outputs outputs);

/// The type of output 0 where neither a letter nor a set of one type says it.
using TypeRule = graph::DType (*)(const Attributes& attributes,
                                  std::span<const graph::DType> inputs);

enum Trait : uint32_t {
  kShapeOnly = 1,     // reads only its inputs' dims
  kElementwise = 2,   // element i of the output depends on the elements that broadcast to i
  kRowWise = 4,       // a row (along the last axis) of the output depends on that row of input 0
                      // and on constants
  kHalfSafe = 8,      // runtimes have it in f16, and it adds up no long rows of halves
  kWholeTensor = 32,  // all of the input decides every element: rows of a batch are not independent
  kDataSized = 16,    // the shape rule gives the largest dims; running tells the true ones
};

struct Op {
  std::string_view name;
  std::string_view domain;
  int since = 1;        // first opset of the domain whose meaning this is
  int until = 1 << 30;  // last one
  std::span<const Operand> inputs;
  std::span<const Operand> outputs;
  std::span<const AttributeSpec> attributes;
  ShapeRule shape = nullptr;
  TypeRule type = nullptr;
  uint32_t traits = 0;  // of Trait
  uint32_t alias = 0;  // bit i: output 0 may share the memory of input i, if both are equally large
  Result<std::unique_ptr<PreparedOp>> (*cpu)(const PrepareContext& context) = nullptr;
  /// Writes the nodes of the backward pass; absent while the operator has no rule.
  Status (*gradient)(GradientContext& context) = nullptr;
  /// WGSL and its bindings; absent while the operator has none.
  const GpuProgram* gpu = nullptr;

  bool has(Trait trait) const { return (traits & trait) != 0; }
  /// The operand that describes input or output `index`, or null beyond the last.
  const Operand* input(size_t index) const { return describing(inputs, index); }
  const Operand* output(size_t index) const { return describing(outputs, index); }

 private:
  static const Operand* describing(std::span<const Operand> operands, size_t index) {
    if (index < operands.size()) return &operands[index];
    const bool open = !operands.empty() && operands.back().is(Operand::kVariadic);
    return open ? &operands.back() : nullptr;
  }
};

/// Every row, in the order of ops.inc.
std::span<const Op* const> all_ops();

/// The row for a node of the graph, or null if there is none for its operator at that opset.
const Op* find_op(const graph::Graph& graph, const graph::Node& node);

/// True if the node's operator is known and has the trait.
bool has_trait(const graph::Graph& graph, const graph::Node& node, Trait trait);

/// How many outputs an evaluation fills at least, whoever reads them: up to the last that is not
/// optional.
size_t required_outputs(const Op& op);

/// "[ops] Strange 'n': this operator cannot be run"
Status unknown_op(const graph::Node& node);

}  // namespace enm::ops
