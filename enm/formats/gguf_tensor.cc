#include "enm/formats/gguf_tensor.h"

#include <algorithm>
#include <cstring>

namespace enm::formats {
namespace {

using graph::DType;
using graph::Tensor;
using graph::TensorData;

constexpr int64_t kRowsAtOnce = 256;  // between letting go of the file's pages

int64_t columns_of(const GgufTensor& tensor) {
  return tensor.dims.empty() ? 1 : tensor.dims.back();
}
int64_t rows_of(const GgufTensor& tensor) {
  const Tensor shape{DType::kFloat32, tensor.dims, {}};
  return shape.element_count() / std::max<int64_t>(1, columns_of(tensor));
}

// Data made by `each(the row's bytes in the file, out)` for every row of the model's order.
template <typename Each>
TensorData by_rows(const GgufTensor& tensor, RowOrder order, int64_t row_bytes, Each each) {
  const int64_t rows = rows_of(tensor);
  const int64_t file_bytes = tensor.type->row_bytes(columns_of(tensor));
  return TensorData::produced(
      static_cast<uint64_t>(rows * row_bytes), [=, data = tensor.data](MutableBytes out) -> Status {
        for (int64_t row = 0; row < rows; ++row) {
          each(data.data() + order.file_row(row) * file_bytes, out.data() + row * row_bytes);
          if (row % kRowsAtOnce == kRowsAtOnce - 1) {
            data.discard_pages(0, static_cast<size_t>(
                                      std::max<int64_t>(0, row + 1 - order.head_dim) * file_bytes));
          }
        }
        data.discard_pages();
        return {};
      });
}

// The scales and minima of a block, made so that a scale is 0 only where all weights are: where the
// file's is, they all are -minimum, which is (0 - 1) * minimum.
struct Grid {
  float scales[kMostGgmlParts];
  float minima[kMostGgmlParts];
  bool is_flat[kMostGgmlParts] = {};

  Grid(const GgmlTypeInfo& type, const uint8_t* block) {
    type.scales(block, scales, minima);
    if (!type.has_minima) return;
    for (int64_t p = 0; p < type.parts(); ++p) {
      is_flat[p] = scales[p] == 0;
      if (is_flat[p]) scales[p] = minima[p];
    }
  }
  float zero_point(int64_t part) const {
    return scales[part] == 0 ? 0.0f : minima[part] / scales[part];
  }
};

// A block's quants in the operator's layout: two 4-bit ones a byte, the first in the low half.
uint8_t* put_quants(const GgmlTypeInfo& type, const uint8_t* block, uint8_t* out) {
  uint8_t quants[kMostGgmlBlock];
  type.quants(block, quants);
  if (type.has_minima) {
    const Grid grid(type, block);
    for (int64_t p = 0; p < type.parts(); ++p) {
      if (grid.is_flat[p]) std::memset(quants + p * type.part, 0, static_cast<size_t>(type.part));
    }
  }
  if (type.bits == 8) return std::copy_n(quants, type.block, out);
  for (int64_t i = 0; i < type.block; i += 2) {
    *out++ = static_cast<uint8_t>(quants[i] | quants[i + 1] << 4);
  }
  return out;
}

}  // namespace

Tensor gguf_floats(const GgufTensor& tensor, RowOrder order) {
  const GgmlTypeInfo& type = *tensor.type;
  Tensor out{DType::kFloat32, tensor.dims, {}};
  if (type.is_float() && order.head_dim == 0) {
    if (type.type == GgmlType::kF16) out.dtype = DType::kFloat16;
    if (type.type == GgmlType::kBF16) out.dtype = DType::kBfloat16;
    out.data = TensorData::mapped(tensor.data);
    return out;
  }
  const int64_t columns = columns_of(tensor);
  out.data = by_rows(tensor, order, columns * static_cast<int64_t>(sizeof(float)),
                     [&type, columns](const uint8_t* row, uint8_t* bytes) {
                       // Written through a buffer: a file need not align what it is written into.
                       float values[kMostGgmlBlock];
                       for (int64_t c = 0; c < columns; c += type.block, row += type.bytes) {
                         dequantize_ggml(type, row, type.block, values);
                         std::memcpy(bytes + c * static_cast<int64_t>(sizeof(float)), values,
                                     static_cast<size_t>(type.block) * sizeof(float));
                       }
                     });
  return out;
}

std::optional<families::BlockWeight> gguf_blocks(const GgufTensor& tensor, RowOrder order) {
  const GgmlTypeInfo& type = *tensor.type;
  if (type.is_float() || tensor.dims.size() != 2 || tensor.data.size() == 0) return std::nullopt;
  families::BlockWeight out{type.bits, type.part, tensor.dims[0], tensor.dims[1], {}, {}, {}};
  const int64_t blocks = out.columns / out.block;
  const int64_t count = out.columns / type.block;  // of the file's blocks
  const auto each_block = [&type, count](const uint8_t* row, auto put) {
    for (int64_t b = 0; b < count; ++b) put(row + b * type.bytes);
  };
  // One number a part, of a block's grid.
  const auto numbers = [&](auto number) {
    return by_rows(tensor, order, blocks * static_cast<int64_t>(sizeof(float)),
                   [=, &type](const uint8_t* row, uint8_t* bytes) {
                     each_block(row, [&](const uint8_t* block) {
                       const Grid grid(type, block);
                       for (int64_t p = 0; p < type.parts(); ++p, bytes += sizeof(float)) {
                         const float value = number(grid, p);
                         std::memcpy(bytes, &value, sizeof value);
                       }
                     });
                   });
  };
  out.quants = {DType::kUint8,
                {out.rows, blocks, out.block * out.bits / 8},
                by_rows(tensor, order, out.columns * out.bits / 8,
                        [=, &type](const uint8_t* row, uint8_t* bytes) {
                          each_block(row, [&](const uint8_t* block) {
                            bytes = put_quants(type, block, bytes);
                          });
                        })};
  const std::vector<int64_t> dims = {out.rows, blocks};
  out.scales = {DType::kFloat32, dims,
                numbers([](const Grid& grid, int64_t p) { return grid.scales[p]; })};
  if (type.has_minima) {
    out.zero_points = {DType::kFloat32, dims,
                       numbers([](const Grid& grid, int64_t p) { return grid.zero_point(p); })};
  }
  return out;
}

}  // namespace enm::formats
