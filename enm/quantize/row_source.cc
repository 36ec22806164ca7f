#include "enm/quantize/row_source.h"

#include <cstring>

#include "enm/base/half.h"

namespace enm::quantize {

using graph::DType;

// What families append to a constant that a Cast reads (enm/families/builder.cc).
constexpr std::string_view kStored = ".stored";

std::optional<RowSource> RowSource::find(const graph::Graph& graph,
                                         std::span<const graph::Node> nodes, graph::ValueId value) {
  bool transposed = false;
  for (int depth = 0; depth < 3; ++depth) {
    if (const graph::Tensor* constant = graph.constant(value)) {
      const bool floats = constant->dtype == DType::kFloat32 ||
                          constant->dtype == DType::kFloat16 || constant->dtype == DType::kBfloat16;
      if (!floats || constant->dims.size() != 2) return std::nullopt;
      std::string name = graph.value(value).name;
      if (name.ends_with(kStored)) name.resize(name.size() - kStored.size());
      RowSource source(std::move(name), *constant);
      source.transposed_ = transposed;
      return source;
    }
    const graph::Node* maker = nullptr;
    for (const graph::Node& node : nodes) {
      if (node.output(0) == value) maker = &node;
    }
    if (maker == nullptr) return std::nullopt;
    if (maker->is("Transpose")) {
      transposed = !transposed;
    } else if (!maker->is("Cast") || maker->int_or("to", 0) != static_cast<int>(DType::kFloat32)) {
      return std::nullopt;
    }
    value = maker->inputs[0];
  }
  return std::nullopt;
}

Result<RowSource::Reader> RowSource::open() const {
  ENM_ASSIGN_OR_RETURN(Blob bytes, tensor_.data.load());
  return Reader(*this, std::move(bytes));
}

float RowSource::Reader::at(int64_t index) const {
  if (source_.tensor_.dtype == DType::kFloat32) {
    float value;
    std::memcpy(&value, bytes_.data() + index * 4, 4);
    return value;
  }
  uint16_t value;
  std::memcpy(&value, bytes_.data() + index * 2, 2);
  return source_.tensor_.dtype == DType::kFloat16 ? half_to_float(value) : bfloat16_to_float(value);
}

void RowSource::Reader::read(int64_t row, float* out) const {
  const int64_t columns = source_.columns();
  const int64_t start = source_.transposed_ ? row : row * columns;
  const int64_t step = source_.transposed_ ? source_.rows() : 1;
  for (int64_t i = 0; i < columns; ++i) out[i] = at(start + i * step);
}

void RowSource::Reader::done_with(int64_t row) const {
  if (source_.transposed_) return;  // a row is spread over the whole tensor
  const int64_t unit = source_.tensor_.dtype == DType::kFloat32 ? 4 : 2;
  bytes_.discard_pages(0, static_cast<size_t>(row * source_.columns() * unit));
}

}  // namespace enm::quantize
