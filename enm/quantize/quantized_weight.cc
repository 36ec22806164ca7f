#include "enm/quantize/quantized_weight.h"

#include <algorithm>

#include "enm/quantize/tables.h"

namespace enm::quantize {

using graph::TensorData;

class QuantizedWeight::Solution {
 public:
  Solution(const RowSource& source, const BlockFormat& format) : source_(source), format_(format) {}

  Status write_quants(MutableBytes out) {
    ENM_RETURN_IF_ERROR(pass(out.data()));
    written(kQuants);
    return {};
  }

  Status write_scales(MutableBytes out) {
    if (scales_.empty()) ENM_RETURN_IF_ERROR(pass(nullptr));
    const auto* bytes = reinterpret_cast<const uint8_t*>(scales_.data());
    std::copy(bytes, bytes + out.size(), out.begin());
    written(kScales);
    return {};
  }

  Status write_zero_points(MutableBytes out) {
    if (scales_.empty()) ENM_RETURN_IF_ERROR(pass(nullptr));
    std::copy(zero_points_.begin(), zero_points_.end(), out.begin());
    written(kZeroPoints);
    return {};
  }

  int passes() const { return passes_; }
  uint64_t kept_bytes() const {
    return scales_.capacity() * sizeof(float) + zero_points_.capacity();
  }

 private:
  enum Part : unsigned { kQuants = 1, kScales = 2, kZeroPoints = 4 };

  // Lets go of the grids once every tensor has been written with them.
  void written(Part part) {
    written_ |= part;
    if (written_ != (kQuants | kScales | (format_.has_zero_points() ? kZeroPoints : 0u))) return;
    written_ = 0;
    scales_ = std::vector<float>();  // `= {}` would keep the memory
    zero_points_ = std::vector<uint8_t>();
  }

  // Chooses the grids unless they are kept; rounds the rows to them where quants are asked for.
  Status pass(uint8_t* quants) {
    const int64_t columns = source_.columns();
    const auto blocks = static_cast<size_t>(format_.blocks_of(columns));
    const auto rows = static_cast<size_t>(source_.rows());
    const size_t zero_bytes =
        format_.has_zero_points() ? static_cast<size_t>(format_.row_zero_point_bytes(columns)) : 0;
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source_.open());
    std::vector<float> row(static_cast<size_t>(columns));
    const bool known = !scales_.empty();
    scales_.resize(rows * blocks);
    zero_points_.resize(rows * zero_bytes);
    for (size_t r = 0; r < rows; ++r) {
      reader.read(static_cast<int64_t>(r), row.data());
      float* scales = scales_.data() + r * blocks;
      uint8_t* zeros = zero_bytes > 0 ? zero_points_.data() + r * zero_bytes : nullptr;
      if (!known) choose_grids(format_, columns, row.data(), scales, zeros);
      if (quants != nullptr) {
        round_row(format_, columns, row.data(), scales, zeros, quants);
        quants += format_.row_bytes(columns);
      }
      if (r % kRowsAtOnce == kRowsAtOnce - 1) reader.done_with(static_cast<int64_t>(r));
    }
    reader.done_with(source_.rows());
    ++passes_;
    return {};
  }

  const RowSource source_;
  const BlockFormat format_;
  std::vector<float> scales_;  // kept until all tensors are written
  std::vector<uint8_t> zero_points_;
  unsigned written_ = 0;  // of Part, with the grids that are kept
  int passes_ = 0;
};

QuantizedWeight::QuantizedWeight(const RowSource& source, const BlockFormat& format)
    : format_(format),
      rows_(source.rows()),
      columns_(source.columns()),
      solution_(std::make_shared<Solution>(source, format)) {
  const auto bytes = [&](int64_t a_row) { return static_cast<uint64_t>(rows_ * a_row); };
  quants_ = TensorData::produced(
      bytes(format.row_bytes(columns_)),
      [solution = solution_](MutableBytes out) { return solution->write_quants(out); });
  scales_ = TensorData::produced(
      bytes(blocks() * static_cast<int64_t>(sizeof(float))),
      [solution = solution_](MutableBytes out) { return solution->write_scales(out); });
  if (!format.has_zero_points()) return;
  zero_points_ = TensorData::produced(
      bytes(format.row_zero_point_bytes(columns_)),
      [solution = solution_](MutableBytes out) { return solution->write_zero_points(out); });
}

QuantizedWeight::QuantizedWeight(const BlockFormat& format, int64_t rows, int64_t columns,
                                 TensorData quants, TensorData scales, TensorData zero_points)
    : format_(format),
      rows_(rows),
      columns_(columns),
      quants_(std::move(quants)),
      scales_(std::move(scales)),
      zero_points_(std::move(zero_points)) {}

int QuantizedWeight::passes() const { return solution_ != nullptr ? solution_->passes() : 0; }

uint64_t QuantizedWeight::kept_bytes() const {
  return solution_ != nullptr ? solution_->kept_bytes() : 0;
}

}  // namespace enm::quantize
