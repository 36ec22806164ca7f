// Rows of a weight as floats, from wherever its bytes lie, a few at a time.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "enm/graph/graph.h"

namespace enm::quantize {

/// A constant [rows, columns] or [columns, rows] read by row of the logical matrix.
class RowSource {
 public:
  /// The matrix behind `value`: a constant in f32, f16 or bf16, or a Cast or a Transpose of one.
  /// Nothing if it is anything else.
  /// `nodes` are where makers are looked up: the graph's own, or a list that is being rewritten.
  static std::optional<RowSource> find(const graph::Graph& graph,
                                       std::span<const graph::Node> nodes, graph::ValueId value);

  /// The constant's, as the checkpoint calls it.
  const std::string& name() const { return name_; }

  /// Rows as they stand after the Transpose, if there was one.
  int64_t rows() const { return transposed_ ? tensor_.dims[1] : tensor_.dims[0]; }
  int64_t columns() const { return transposed_ ? tensor_.dims[0] : tensor_.dims[1]; }

  /// True if both are rows of the same constant, read the same way.
  bool is_same(const RowSource& other) const {
    return tensor_.data.identity() == other.tensor_.data.identity() &&
           transposed_ == other.transposed_ && tensor_.dims == other.tensor_.dims;
  }

  /// The same matrix with rows and columns exchanged.
  RowSource transposed() const {
    RowSource other = *this;
    other.transposed_ = !other.transposed_;
    return other;
  }

  /// Makes the bytes ready; they are let go of when the reader goes.
  class Reader {
   public:
    /// columns() floats of a row.
    void read(int64_t row, float* out) const;
    /// Rows before `row` will not be asked for again.
    void done_with(int64_t row) const;

   private:
    friend class RowSource;
    Reader(const RowSource& source, Blob bytes) : source_(source), bytes_(std::move(bytes)) {}
    float at(int64_t index) const;
    const RowSource& source_;
    Blob bytes_;
  };
  Result<Reader> open() const;

 private:
  RowSource(std::string name, graph::Tensor tensor)
      : name_(std::move(name)), tensor_(std::move(tensor)) {}
  std::string name_;
  graph::Tensor tensor_;
  bool transposed_ = false;
};

}  // namespace enm::quantize
