#include "enm/runtime/encoder.h"

#include <algorithm>

namespace enm::runtime {

using graph::DType;
using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

bool Encoder::fits(const graph::Graph& graph) {
  return graph.find_value("input_ids") != kNoValue &&
         graph.find_value("sentence_embedding") != kNoValue;
}

Result<std::unique_ptr<Encoder>> Encoder::open(graph::Graph graph, Isa isa, ThreadPool& pool) {
  std::unique_ptr<Encoder> encoder(new Encoder());
  for (const char* name :
       {"embeddings.position_embeddings.weight", "embeddings.position_embeddings.weight.stored",
        "embeddings.position_embeddings.weight.rows"}) {
    const graph::Tensor* table = graph.constant(graph.find_value(name));
    if (table != nullptr && table->dims.size() == 2) encoder->max_length_ = table->dims[0];
  }
  for (const graph::Node& node : graph.nodes) {
    const bool shares_scale =
        node.is("DynamicQuantizeLinear") || node.is("DynamicQuantizeMatMul", graph::kMicrosoft);
    if (shares_scale) encoder->max_batch_ = 1;
  }
  ENM_ASSIGN_OR_RETURN(encoder->executor_, Executor::open(std::move(graph), isa, pool));
  return encoder;
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
  const graph::Graph& graph = executor_->graph();
  const auto bind = [&](const char* name, std::vector<int64_t>& values) {
    const ValueId id = graph.find_value(name);
    if (id == kNoValue) return;
    TensorView view;
    view.dtype = DType::kInt64;
    view.set_dims(std::array{rows, length});
    view.data = values.data();
    executor_->bind(id, view);
  };
  bind("input_ids", ids);
  bind("attention_mask", mask);
  bind("token_type_ids", types);
  if (rows > planned_batch_ || length > planned_length_) {
    // The plan must hold for every later batch that is no larger in either direction.
    ENM_RETURN_IF_ERROR(executor_->plan());
    planned_batch_ = rows;
    planned_length_ = length;
  }
  ENM_RETURN_IF_ERROR(executor_->run());
  const TensorView& vectors = executor_->view(graph.find_value("sentence_embedding"));
  const int64_t width = vectors.last_dim();
  for (int64_t row = 0; row < rows; ++row) {
    const float* begin = vectors.as<float>() + row * width;
    out.emplace_back(begin, begin + width);
  }
  return out;
}

}  // namespace enm::runtime
