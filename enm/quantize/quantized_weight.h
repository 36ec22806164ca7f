// A weight in blocks: its format and its solution, made once and shared by the tensors that hold
// it.
#pragma once

#include <memory>
#include <vector>

#include "enm/quantize/method.h"
#include "enm/quantize/row_source.h"

namespace enm::quantize {

class QuantizedWeight {
 public:
  /// Rows of the source, solved by a method that needs no statistics when the tensors are written.
  /// Grids (scales and zero points, which are small) are kept until all of the tensors have been
  /// written: one pass over the source where the quants come first, else two. Written by one
  /// thread. `method` outlives the weight.
  QuantizedWeight(const RowSource& source, const BlockFormat& format,
                  const Method& method = round_to_nearest());
  /// Blocks as a checkpoint or a calibration made them, in the layout that the format describes.
  QuantizedWeight(const BlockFormat& format, int64_t rows, int64_t columns,
                  graph::TensorData quants, graph::TensorData scales, graph::TensorData zero_points,
                  double error = 0);

  const BlockFormat& format() const { return format_; }
  int64_t rows() const { return rows_; }
  int64_t columns() const { return columns_; }
  int64_t blocks() const { return format_.blocks_of(columns_); }

  /// Copies of one handle each.
  const graph::TensorData& quants() const { return quants_; }            // u8
  const graph::TensorData& scales() const { return scales_; }            // f32
  const graph::TensorData& zero_points() const { return zero_points_; }  // u8; none in some formats

  /// Square of the difference over the square of the whole: of the weights where they were solved
  /// alone, of the product's outputs where calibration knows them. 0 until quants were written.
  double error() const;

  /// How often the source's rows were gone through so far.
  int passes() const;
  /// Bytes of grids that wait to be written.
  uint64_t kept_bytes() const;

 private:
  class Rows;

  BlockFormat format_;
  int64_t rows_;
  int64_t columns_;
  double error_ = 0;
  std::shared_ptr<Rows> solved_;  // null where the blocks were given
  graph::TensorData quants_, scales_, zero_points_;
};

}  // namespace enm::quantize
