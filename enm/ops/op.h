// What an operator is: a schema, a shape rule, an evaluation that binds kernels, and what training
// may know of it. One file an operator or a family of small kin; all_ops() lists them.
#pragma once

#include <array>
#include <memory>
#include <span>
#include <string_view>

#include "enm/base/cpu.h"
#include "enm/base/threads.h"
#include "enm/graph/graph.h"

namespace enm::ops {

inline constexpr int kMaxRank = 8;
inline constexpr int kMaxInputs = 16;
inline constexpr int kMaxOutputs = 16;

/// A value at run time: fixed size, so that shapes cost no allocation. `data` may be null while
/// only shapes are asked for. An input that is not given has dtype kUndefined.
struct TensorView {
  graph::DType dtype = graph::DType::kUndefined;
  int rank = 0;
  std::array<int64_t, kMaxRank> dims{};
  void* data = nullptr;
  /// Rows of axis 2 that the memory has room for, when that is more than dims[2] (the key-value
  /// cache); 0 when dense.
  int64_t capacity = 0;

  bool given() const { return dtype != graph::DType::kUndefined; }
  int64_t count() const;
  uint64_t bytes() const { return graph::byte_size(dtype, count()); }
  int64_t dim(int axis) const { return dims[static_cast<size_t>(axis)]; }
  int64_t last_dim() const { return rank == 0 ? 1 : dim(rank - 1); }
  template <typename T>
  T* as() const {
    return static_cast<T*>(data);
  }
  void set_dims(std::span<const int64_t> new_dims);
  bool same_dims(const TensorView& other) const;
};

/// "f32[1, 5, 256]"
std::string view_str(const TensorView& view);

using Inputs = std::span<const TensorView>;
using Outputs = std::span<TensorView>;

/// What an evaluation may use besides its inputs.
struct RunContext {
  ThreadPool* pool = nullptr;
  uint8_t* scratch = nullptr;  // scratch_bytes(), 64-byte aligned
};

/// A node made ready to run: attributes read, constant weights packed. Const and therefore shared
/// between threads once made.
class PreparedOp {
 public:
  virtual ~PreparedOp() = default;

  /// Sets dtype and dims of the outputs. Inputs that this operator's shape depends on (Reshape's
  /// second) carry data; if such data is null the answer is kInvalidArgument.
  virtual Status infer(Inputs inputs, Outputs outputs) const = 0;

  /// Scratch memory that run() wants for inputs of these shapes.
  virtual size_t scratch_bytes(Inputs inputs, const ThreadPool& pool) const {
    (void)inputs, (void)pool;
    return 0;
  }

  /// Fills the outputs, whose dims infer() has set. Allocates nothing.
  virtual Status run(const RunContext& context, Inputs inputs, Outputs outputs) const = 0;

  /// True if the weights of input `index` are held here in packed form: the runtime then keeps no
  /// other copy and passes a view without data.
  virtual bool owns_input(size_t index) const {
    (void)index;
    return false;
  }

  /// True if output 0 may share the memory of input `index` (same size, read before written).
  virtual bool in_place(size_t index) const {
    (void)index;
    return false;
  }

  /// Bytes of packed weights.
  virtual uint64_t weight_bytes() const { return 0; }
};

/// What prepare() sees of a node.
struct PrepareContext {
  const graph::Graph& graph;
  const graph::Node& node;
  int64_t opset;  // of the node's domain
  Isa isa = Isa::kScalar;
  ThreadPool* pool = nullptr;

  const graph::Tensor* constant(size_t input) const { return graph.constant(node.input(input)); }
};

enum class Gradient { kNone };  // training comes with its rules; none are written yet

struct Op {
  std::string_view name;
  std::string_view domain;
  int min_inputs;
  int max_inputs;
  int max_outputs;
  Result<std::unique_ptr<PreparedOp>> (*prepare)(const PrepareContext& context);
  Gradient gradient = Gradient::kNone;
};

/// Every operator there is.
std::span<const Op> all_ops();

/// The operator of a node; kUnsupported naming it and the node.
Result<const Op*> find_op(const graph::Node& node);

/// Checks the counts of inputs and outputs, then prepares. Failures name the node.
Result<std::unique_ptr<PreparedOp>> prepare(const PrepareContext& context);

/// Runs one node on constants: constant folding, and the tests. Inputs in the node's order, absent
/// ones with dtype kUndefined.
Result<std::vector<graph::Tensor>> evaluate(const graph::Graph& graph, const graph::Node& node,
                                            std::span<const graph::Tensor> inputs);

/// The same bytes where elements of that type may be read: a file need not align them.
Blob aligned_elements(Blob bytes, graph::DType dtype);

// Checks that the operators share. Messages say what was got and what was expected.
Status expect_dtype(const TensorView& view, graph::DType dtype, std::string_view what);
Status expect_rank(const TensorView& view, int rank, std::string_view what);
/// Index of an axis counted from the end when negative; kInvalidArgument outside [-rank, rank).
Result<int> normalize_axis(int64_t axis, int rank);
/// Values of an i64 or i32 tensor of at most kMaxRank elements.
struct SmallInts {
  std::array<int64_t, kMaxRank> values{};
  int count = 0;
};
Result<SmallInts> read_small_ints(const TensorView& view, std::string_view what);

}  // namespace enm::ops
