// What families share when they write a graph: nodes with one output, linear layers, norms, all
// named after the checkpoint's module paths. The first failure stays and finish() tells it; until
// then a value that could not be made is kNoValue.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "enm/families/family.h"
#include "enm/graph/description.h"

namespace enm::families {

/// An attribute of a node: a number, or a list of whole ones.
struct Attr {
  Attr(std::string_view key, int64_t number) : name(key), integer(number) {}
  Attr(std::string_view key, float number) : name(key), real(number), is_real(true) {}
  Attr(std::string_view key, std::initializer_list<int64_t> numbers) : name(key), list(numbers) {}

  std::string_view name;
  int64_t integer = 0;
  float real = 0;
  bool is_real = false;
  std::initializer_list<int64_t> list;
};

class Builder {
 public:
  using Values = std::initializer_list<graph::ValueId>;
  using Attrs = std::initializer_list<Attr>;

  /// `prefix` is stripped where a checkpoint has it and the module path has not ("bert.").
  Builder(const TensorSource& tensors, std::string_view prefix)
      : tensors_(tensors), prefix_(prefix) {}

  graph::Graph graph;
  graph::ModelDescription description;  // linear() adds its modules

  /// A node "<module>/<op>" with one output of that element type, named after it. Inputs that are
  /// kNoValue at the end are left out.
  graph::ValueId node(std::string_view op, std::string_view domain, std::string_view module,
                      Values inputs, graph::DType dtype, Attrs attributes = {});
  graph::ValueId f32(std::string_view op, std::string_view module, Values inputs,
                     Attrs attributes = {});
  graph::ValueId i64(std::string_view op, std::string_view module, Values inputs,
                     Attrs attributes = {});
  /// Of com.microsoft's operators.
  graph::ValueId microsoft(std::string_view op, std::string_view module, Values inputs,
                           Attrs attributes = {});
  graph::ValueId cast(std::string_view module, graph::ValueId value, graph::DType dtype);
  /// One more output of the last node.
  graph::ValueId add_output(std::string_view name);

  graph::ValueId constant(std::string_view name, graph::Tensor tensor);
  graph::ValueId int64s(std::string_view name, std::vector<int64_t> dims,
                        std::initializer_list<int64_t> values);
  graph::ValueId scalar(std::string_view name, float value);

  /// A checkpoint tensor as f32: the constant in the checkpoint's own type, and a Cast that
  /// constant folding turns into a tensor made on demand. kCorrupt if its dimensions are others.
  graph::ValueId parameter(const std::string& name, std::initializer_list<int64_t> dims);
  /// The same, or kNoValue where the checkpoint has none.
  graph::ValueId parameter_if_any(const std::string& name, std::initializer_list<int64_t> dims);

  /// x W^T + b with the checkpoint's `module`.weight [out, in] and, if it has one, `module`.bias.
  graph::ValueId linear(const std::string& module, graph::ValueId x, int64_t in, int64_t out);

  /// x W^T with the checkpoint's `weight` [out, in]: Transpose and MatMul, the untransposed
  /// constant in sight for the quantizer, which wants rows of W; MatMulNBits where the checkpoint
  /// has blocks.
  graph::ValueId product(const std::string& module, const std::string& weight, graph::ValueId x,
                         int64_t in, int64_t out);

  /// x cut along its last axis: parts[i] is widths[i] wide.
  void split(const std::string& module, graph::ValueId x, std::initializer_list<int64_t> widths,
             graph::ValueId* parts);

  /// Rows of the checkpoint's `module`.weight [rows, width]: ids [batch, sequence] ->
  /// [batch, sequence, width].
  graph::ValueId embedding(const std::string& module, graph::ValueId ids, int64_t rows,
                           int64_t width);

  /// LayerNormalization over the last axis; without a bias where the checkpoint has none.
  graph::ValueId layer_norm(const std::string& module, graph::ValueId x, int64_t width,
                            float epsilon);

  graph::ValueId output(std::string_view name, graph::ValueId value, graph::Type type);

  bool ok() const { return status_.ok(); }
  void fail(Status status);

  /// The graph with the description in its metadata.
  Result<graph::Graph> finish();

 private:
  struct Blocks {
    int64_t bits = 0;
    int64_t block = 0;
    graph::ValueId quants = graph::kNoValue;
    graph::ValueId scales = graph::kNoValue;
    graph::ValueId zero_points = graph::kNoValue;
  };
  Blocks add_blocks(const std::string& weight, BlockWeight blocks, int64_t rows, int64_t columns);
  graph::ValueId gather_blocks(const std::string& module, const Blocks& blocks, graph::ValueId ids);

  const TensorSource& tensors_;
  const std::string prefix_;
  Status status_;
};

}  // namespace enm::families
