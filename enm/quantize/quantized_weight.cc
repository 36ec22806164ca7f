#include "enm/quantize/quantized_weight.h"

#include <algorithm>

#include "enm/quantize/tables.h"

namespace enm::quantize {

using graph::TensorData;

class QuantizedWeight::Rows {
 public:
  Rows(const RowSource& source, const BlockFormat& format, const Method& method)
      : source_(source), format_(format), method_(method) {}

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

  double error() const { return error_; }
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

  // Solves all rows; the quants go to `quants`, or nowhere.
  Status pass(uint8_t* quants) {
    const int64_t columns = source_.columns();
    const auto rows = static_cast<size_t>(source_.rows());
    const auto blocks = static_cast<size_t>(format_.blocks_of(columns));
    const auto row_bytes = static_cast<size_t>(format_.row_bytes(columns));
    const size_t zero_bytes =
        format_.has_zero_points() ? static_cast<size_t>(format_.row_zero_point_bytes(columns)) : 0;
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source_.open());
    std::vector<float> some(static_cast<size_t>(kRowsAtOnce * columns));
    std::vector<uint8_t> nowhere(quants == nullptr ? kRowsAtOnce * row_bytes : 0);
    scales_.resize(rows * blocks);
    zero_points_.resize(rows * zero_bytes);
    Solution out;
    for (size_t r = 0; r < rows; r += kRowsAtOnce) {
      const auto count = std::min(static_cast<int64_t>(rows - r), kRowsAtOnce);
      for (int64_t i = 0; i < count; ++i) {
        reader.read(static_cast<int64_t>(r) + i, some.data() + i * columns);
      }
      out.quants = quants == nullptr ? nowhere.data() : quants + r * row_bytes;
      out.scales = scales_.data() + r * blocks;
      out.zero_points = zero_bytes > 0 ? zero_points_.data() + r * zero_bytes : nullptr;
      const Status solved = method_.solve({format_, count, columns, some.data()}, out);
      if (!solved.ok()) return solved.in(source_.name());
      reader.done_with(static_cast<int64_t>(r) + count);
    }
    error_ = out.norm > 0 ? out.error / out.norm : 0;
    ++passes_;
    return {};
  }

  const RowSource source_;
  const BlockFormat format_;
  const Method& method_;
  double error_ = 0;
  std::vector<float> scales_;  // kept until all tensors are written
  std::vector<uint8_t> zero_points_;
  unsigned written_ = 0;  // of Part, with the grids that are kept
  int passes_ = 0;
};

QuantizedWeight::QuantizedWeight(const RowSource& source, const BlockFormat& format,
                                 const Method& method)
    : format_(format),
      rows_(source.rows()),
      columns_(source.columns()),
      solved_(std::make_shared<Rows>(source, format, method)) {
  const auto bytes = [&](int64_t a_row) { return static_cast<uint64_t>(rows_ * a_row); };
  quants_ = TensorData::produced(
      bytes(format.row_bytes(columns_)),
      [solved = solved_](MutableBytes out) { return solved->write_quants(out); });
  scales_ = TensorData::produced(
      bytes(blocks() * static_cast<int64_t>(sizeof(float))),
      [solved = solved_](MutableBytes out) { return solved->write_scales(out); });
  if (!format.has_zero_points()) return;
  zero_points_ = TensorData::produced(
      bytes(format.row_zero_point_bytes(columns_)),
      [solved = solved_](MutableBytes out) { return solved->write_zero_points(out); });
}

QuantizedWeight::QuantizedWeight(const BlockFormat& format, int64_t rows, int64_t columns,
                                 TensorData quants, TensorData scales, TensorData zero_points,
                                 double error)
    : format_(format),
      rows_(rows),
      columns_(columns),
      error_(error),
      quants_(std::move(quants)),
      scales_(std::move(scales)),
      zero_points_(std::move(zero_points)) {}

double QuantizedWeight::error() const { return solved_ != nullptr ? solved_->error() : error_; }

int QuantizedWeight::passes() const { return solved_ != nullptr ? solved_->passes() : 0; }

uint64_t QuantizedWeight::kept_bytes() const {
  return solved_ != nullptr ? solved_->kept_bytes() : 0;
}

}  // namespace enm::quantize
