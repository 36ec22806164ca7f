// What families share when they write a graph: nodes with one output, linear layers, norms, all
// named after the checkpoint's module paths.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "enm/families/family.h"
#include "enm/graph/description.h"

namespace enm::families {

class Builder {
 public:
  /// `prefix` is stripped where a checkpoint has it and the module path has not ("bert.").
  Builder(const TensorSource& tensors, std::string prefix)
      : tensors_(tensors), prefix_(std::move(prefix)) {}

  graph::Graph graph;
  graph::ModelDescription description;  // linear() adds its modules

  /// A node with one output of that element type; the output is named after the node.
  graph::ValueId node(std::string_view op, std::string_view domain, std::string_view name,
                      std::vector<graph::ValueId> inputs, graph::DType dtype,
                      std::map<std::string, graph::Attribute, std::less<>> attributes = {});
  graph::ValueId f32(std::string_view op, std::string_view name, std::vector<graph::ValueId> inputs,
                     std::map<std::string, graph::Attribute, std::less<>> attributes = {}) {
    return node(op, "", name, std::move(inputs), graph::DType::kFloat32, std::move(attributes));
  }
  /// The same of com.microsoft's operators.
  graph::ValueId microsoft(std::string_view op, std::string_view name,
                           std::vector<graph::ValueId> inputs,
                           std::map<std::string, graph::Attribute, std::less<>> attributes = {}) {
    return node(op, graph::kMicrosoft, name, std::move(inputs), graph::DType::kFloat32,
                std::move(attributes));
  }
  graph::ValueId cast(std::string_view name, graph::ValueId value, graph::DType dtype);

  graph::ValueId constant(std::string_view name, graph::Tensor tensor);
  graph::ValueId int64s(std::string_view name, std::vector<int64_t> dims,
                        const std::vector<int64_t>& values);
  graph::ValueId float_scalar(std::string_view name, float value);

  /// A checkpoint tensor as f32: the constant in the checkpoint's own type, and a Cast that
  /// constant folding turns into a tensor made on demand. kCorrupt if its dimensions are others.
  Result<graph::ValueId> parameter(const std::string& name, const std::vector<int64_t>& dims);

  /// x W^T + b with the checkpoint's `module`.weight [out, in] and, if it has one, `module`.bias.
  Result<graph::ValueId> linear(const std::string& module, graph::ValueId x, int64_t in,
                                int64_t out);

  /// x W^T with the checkpoint's `weight` [out, in]: Transpose and MatMul, the untransposed
  /// constant in sight for the quantizer, which wants rows of W; MatMulNBits where the checkpoint
  /// has blocks.
  Result<graph::ValueId> product(const std::string& module, const std::string& weight,
                                 graph::ValueId x, int64_t in, int64_t out);

  /// x cut along its last axis.
  std::vector<graph::ValueId> split(const std::string& module, graph::ValueId x,
                                    const std::vector<int64_t>& widths);

  /// Rows of the checkpoint's `module`.weight [rows, width]: ids [batch, sequence] ->
  /// [batch, sequence, width].
  Result<graph::ValueId> embedding(const std::string& module, graph::ValueId ids, int64_t rows,
                                   int64_t width);

  /// LayerNormalization over the last axis; without a bias where the checkpoint has none.
  Result<graph::ValueId> layer_norm(const std::string& module, graph::ValueId x, int64_t width,
                                    float epsilon);

  /// The graph with the description in its metadata.
  graph::Graph finish();

  graph::ValueId output(std::string name, graph::ValueId value, graph::Type type);

  bool has(std::string_view parameter) const { return tensors_.contains(cat(prefix_, parameter)); }

 private:
  struct Blocks {
    int bits = 0;
    int64_t block = 0;
    graph::ValueId quants = graph::kNoValue;
    graph::ValueId scales = graph::kNoValue;
    graph::ValueId zero_points = graph::kNoValue;
  };
  Result<Blocks> add_blocks(const std::string& weight, BlockWeight blocks, int64_t rows,
                            int64_t columns);
  graph::ValueId gather_blocks(const std::string& module, const Blocks& blocks, graph::ValueId ids);

  const TensorSource& tensors_;
  const std::string prefix_;
};

}  // namespace enm::families
