#include "enm/runtime/encoder.h"

#include <algorithm>

namespace enm::runtime {

using graph::DType;
using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

Result<std::shared_ptr<const EncoderProgram>> EncoderProgram::compile(
    graph::Graph graph, const graph::ModelDescription& description, Isa isa, ThreadPool& pool,
    ops::Weights& weights) {
  std::shared_ptr<EncoderProgram> out(new EncoderProgram());
  ENM_ASSIGN_OR_RETURN(out->program_, Program::compile(std::move(graph), isa, pool, weights));
  const graph::Graph& compiled = out->program_->graph();
  out->input_ids_ = compiled.find_value(description.input_ids);
  out->attention_mask_ = compiled.find_value(description.attention_mask);
  out->token_type_ids_ = compiled.find_value(description.token_type_ids);
  out->vectors_ = compiled.find_value(description.output);
  if (out->input_ids_ == kNoValue || out->vectors_ == kNoValue) {
    return Unsupported("[runtime] an embedder needs input ids and vectors");
  }
  out->max_length_ = description.context_length;
  out->dimensions_ = description.dimensions;
  if (out->program_->has(ops::kWholeTensor)) out->max_batch_ = 1;
  return std::shared_ptr<const EncoderProgram>(std::move(out));
}

Result<std::vector<std::vector<float>>> Encoder::embed(
    std::span<const std::vector<int32_t>> batch) {
  std::vector<std::vector<float>> out;
  if (batch.empty()) return out;
  size_t longest = 1;
  for (const auto& ids : batch) longest = std::max(longest, ids.size());
  const auto rows = static_cast<int64_t>(batch.size());
  const auto length = static_cast<int64_t>(longest);
  std::vector<int64_t> ids(batch.size() * longest, 0);
  std::vector<int64_t> mask(batch.size() * longest, 0);
  std::vector<int64_t> types(batch.size() * longest, 0);
  for (size_t row = 0; row < batch.size(); ++row) {
    std::copy(batch[row].begin(), batch[row].end(),
              ids.begin() + static_cast<std::ptrdiff_t>(row * longest));
    std::fill_n(mask.begin() + static_cast<std::ptrdiff_t>(row * longest), batch[row].size(), 1);
  }
  const auto bind = [&](ValueId id, int64_t bound_rows, int64_t bound_length, int64_t* values) {
    if (id == kNoValue) return;
    TensorView view;
    view.dtype = DType::kInt64;
    view.set_dims(std::array{bound_rows, bound_length});
    view.data = values;
    session_.bind(id, view);
  };
  const auto bind_all = [&](int64_t bound_rows, int64_t bound_length) {
    bind(program_->input_ids_, bound_rows, bound_length, ids.data());
    bind(program_->attention_mask_, bound_rows, bound_length, mask.data());
    bind(program_->token_type_ids_, bound_rows, bound_length, types.data());
  };
  if (rows > planned_batch_ || length > planned_length_) {
    // The plan must hold for every later batch that is no larger in either direction.
    const int64_t most_rows = std::max(rows, planned_batch_);
    const int64_t most_length = std::max(length, planned_length_);
    bind_all(most_rows, most_length);
    ENM_RETURN_IF_ERROR(session_.plan());
    planned_batch_ = most_rows;
    planned_length_ = most_length;
  }
  bind_all(rows, length);
  ENM_RETURN_IF_ERROR(session_.run());
  const TensorView& vectors = session_.view(program_->vectors_);
  const int64_t width = vectors.last_dim();
  if (dimensions_ == 0) dimensions_ = width;
  if (vectors.dtype != DType::kFloat32 || vectors.rank != 2 || vectors.dim(0) != rows ||
      width < 1 || width != dimensions_) {
    return Corrupt("[runtime] the vectors are ", view_str(vectors), "; expected f32[", rows, ", ",
                   dimensions_, "]");
  }
  for (int64_t row = 0; row < rows; ++row) {
    const float* begin = vectors.as<float>() + row * width;
    out.emplace_back(begin, begin + width);
  }
  return out;
}

}  // namespace enm::runtime
