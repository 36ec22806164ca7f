// What the quantizers share: tensors made row by row, and lookup tables in int8.
#pragma once

#include <span>

#include "enm/graph/graph.h"
#include "enm/quantize/row_source.h"

namespace enm::quantize {

inline constexpr int64_t kRowsAtOnce = 256;  // between letting go of the source's pages

/// Data made by `each(values, out)` for every row of the source, `row_bytes` a row.
template <typename Each>
graph::TensorData by_rows(const RowSource& source, int64_t row_bytes, Each each) {
  const auto total = static_cast<uint64_t>(source.rows() * row_bytes);
  return graph::TensorData::produced(total, [source, row_bytes, each](MutableBytes out) -> Status {
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source.open());
    std::vector<float> values(static_cast<size_t>(source.columns()));
    for (int64_t row = 0; row < source.rows(); ++row) {
      reader.read(row, values.data());
      each(values.data(), out.data() + row * row_bytes);
      if (row % kRowsAtOnce == kRowsAtOnce - 1) reader.done_with(row);
    }
    reader.done_with(source.rows());
    return {};
  });
}

/// One scale for a row, so that its value of largest magnitude becomes `most` (127 or less); 0 for
/// a row of zeros.
float row_scale(const float* row, int64_t columns, int most);

/// round(value / scale), ties to even; 0 where the scale is 0.
int8_t quantize_value(float value, float scale);

/// Gather along axis 0, or Slice along axis 0, of a constant float table: the same of int8 rows and
/// of their scales, Cast, Mul. Appends these nodes to the graph, `old_nodes` being where makers are
/// looked up. False, and nothing is appended, if `node` is anything else.
bool add_int8_table(graph::Graph& graph, std::span<const graph::Node> old_nodes,
                    const graph::Node& node);

}  // namespace enm::quantize
