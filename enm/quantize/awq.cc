#include "enm/quantize/awq.h"

#include <algorithm>
#include <cmath>

namespace enm::quantize {
namespace {

constexpr int kSteps = 20;

std::vector<float> scales_at(const std::vector<double>& magnitudes, double exponent) {
  std::vector<double> scales;
  for (double magnitude : magnitudes) {
    scales.push_back(std::max(std::pow(magnitude, exponent), 1e-4));
  }
  const auto [low, high] = std::minmax_element(scales.begin(), scales.end());
  const double middle = std::sqrt(*low * *high);
  std::vector<float> out;
  for (double scale : scales) out.push_back(static_cast<float>(scale / middle));
  return out;
}

// The second factor of a MatMul as rounding leaves it: Q(W s) / s, [columns, rows].
Result<graph::Tensor> rounded(const graph::Graph& graph, const graph::Node& node,
                              const PlanRow& plan, const std::vector<float>& scales,
                              ThreadPool& pool) {
  const auto found = RowSource::find(graph, graph.nodes, node.inputs[1]);
  if (!found) return Internal("[quantize] no constant weight: ", node.label());
  const RowSource source = found->transposed();
  const int64_t n = source.rows();
  const int64_t k = source.columns();
  const BlockFormat& format = plan.format;
  ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source.open());
  std::vector<float> out(static_cast<size_t>(n * k));
  pool.parallel_for(n, 16, [&](int64_t begin, int64_t end, int) {
    std::vector<float> row(scales.size());
    std::vector<float> steps(static_cast<size_t>(format.blocks_of(k)));
    std::vector<uint8_t> quants(static_cast<size_t>(format.row_bytes(k)));
    std::vector<uint8_t> zeros(static_cast<size_t>(format.row_zero_point_bytes(k)));
    uint8_t* const zero_points = format.has_zero_points() ? zeros.data() : nullptr;
    for (int64_t r = begin; r < end; ++r) {
      reader.read(r, row.data());
      for (size_t c = 0; c < row.size(); ++c) row[c] *= scales[c];
      choose_grids(format, k, row.data(), steps.data(), zero_points);
      round_row(format, k, row.data(), steps.data(), zero_points, quants.data());
      dequantize_row(format, k, quants.data(), steps.data(), zero_points, row.data());
      for (int64_t c = 0; c < k; ++c) {
        out[static_cast<size_t>(c * n + r)] =
            row[static_cast<size_t>(c)] / scales[static_cast<size_t>(c)];
      }
    }
  });
  return graph::make_tensor(graph::DType::kFloat32, {k, n}, out);
}

// The stage's outputs, all batches of all values one after the other.
Result<std::vector<float>> outputs_of(const StageScene& scene, const graph::Graph& graph) {
  std::vector<float> out;
  ENM_RETURN_IF_ERROR(
      run_stage(graph, scene.description, scene.stage, scene.stage.outputs, scene.windows,
                scene.batches, scene.handed, scene.machine,
                [&](const Batch&, std::span<const std::span<const float>> values) -> Status {
                  for (const auto& value : values)
                    out.insert(out.end(), value.begin(), value.end());
                  return {};
                }));
  return out;
}

}  // namespace

Result<std::vector<float>> search_scales(const StageScene& scene, const FoldPlace& place,
                                         const std::vector<double>& magnitudes,
                                         const std::vector<const PlanRow*>& rows) {
  ENM_ASSIGN_OR_RETURN(const std::vector<float> wanted, outputs_of(scene, scene.graph));
  std::vector<float> best;
  double least = INFINITY;
  for (int step = 0; step < kSteps; ++step) {
    std::vector<float> scales = scales_at(magnitudes, static_cast<double>(step) / kSteps);
    graph::Graph trial = scene.graph;
    for (size_t i = 0; i < place.products.size(); ++i) {
      graph::Node& node = trial.nodes[place.products[i]];
      ENM_ASSIGN_OR_RETURN(graph::Tensor weight,
                           rounded(scene.graph, node, *rows[i], scales, scene.machine.pool));
      node.inputs[1] =
          trial.add_constant(trial.unique_name(node.name + "/trial"), std::move(weight));
    }
    ENM_ASSIGN_OR_RETURN(const std::vector<float> got, outputs_of(scene, trial));
    double loss = 0;
    for (size_t i = 0; i < got.size(); ++i) {
      const double difference = static_cast<double>(got[i]) - wanted[i];
      loss += difference * difference;
    }
    if (loss < least) {
      least = loss;
      best = std::move(scales);
      if (step == 0) best.clear();
    }
  }
  return best;
}

}  // namespace enm::quantize
