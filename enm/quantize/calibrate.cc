#include "enm/quantize/calibrate.h"

#include <algorithm>
#include <cmath>

#include "enm/quantize/awq.h"
#include "enm/quantize/gptq.h"
#include "enm/quantize/journal.h"

namespace enm::quantize {
namespace {

using graph::Graph;
using graph::kNoValue;
using graph::ModelDescription;
using graph::Node;
using graph::ValueId;

constexpr int64_t kWeightsAtOnce = int64_t{1} << 25;  // of a product, solved together
constexpr int64_t kSearchTokens = 4096;               // that AWQ compares scales on

/// Products of a stage that read the same value.
struct Site {
  ValueId input = kNoValue;
  std::vector<size_t> nodes;
};

// The weights that a solution stands for as the second factor of a MatMul, [columns, rows].
graph::Tensor restored(const BlockSolution& solution) {
  const int64_t n = solution.rows;
  const int64_t k = solution.columns;
  return {graph::DType::kFloat32,
          {k, n},
          graph::TensorData::produced(
              static_cast<uint64_t>(n * k) * sizeof(float), [=](MutableBytes out) -> Status {
                const BlockFormat& format = solution.format;
                const auto* scales = reinterpret_cast<const float*>(solution.scales.data());
                auto* to = reinterpret_cast<float*>(out.data());
                std::vector<float> row(static_cast<size_t>(k));
                for (int64_t r = 0; r < n; ++r) {
                  const uint8_t* zeros =
                      format.has_zero_points()
                          ? solution.zero_points.data() + r * format.row_zero_point_bytes(k)
                          : nullptr;
                  dequantize_row(format, k, solution.quants.data() + r * format.row_bytes(k),
                                 scales + r * format.blocks_of(k), zeros, row.data());
                  for (int64_t c = 0; c < k; ++c) to[c * n + r] = row[static_cast<size_t>(c)];
                }
                return {};
              })};
}

class Calibrator {
 public:
  Calibrator(Graph& graph, const ModelDescription& description, Plan& plan, const Windows& windows,
             const CalibrationOptions& options, const Machine& machine)
      : graph_(graph),
        description_(description),
        plan_(plan),
        windows_(windows),
        batches_(batches_of(windows)),
        options_(options),
        machine_(machine),
        working_(graph) {
    for (const PlanRow& row : plan.rows) scales_first_ |= row.method.starts_with("AWQ");
  }

  Result<Calibrated> run() {
    if (windows_.empty()) return InvalidArgument("[quantize] there is no text to calibrate with");
    ENM_ASSIGN_OR_RETURN(stages_, cut_into_stages(graph_, description_));
    // What is behind the last weight that wants it need not be run.
    while (!stages_.empty() && sites_of(stages_.back()).empty()) stages_.pop_back();
    for (const Stage& stage : stages_) {
      total_ += work_of(stage);
    }
    ENM_ASSIGN_OR_RETURN(journal_, Journal::open(options_.folder, fingerprint()));
    Calibrated out;
    ENM_RETURN_IF_ERROR(resume());
    out.stages_resumed = static_cast<int>(journal_.stages().size());
    for (size_t at = journal_.stages().size(); at < stages_.size(); ++at) {
      const Status status = solve_stage(at);
      if (!status.ok()) return status.in(cat("[quantize] ", stages_[at].name));
    }
    for (const Journal::Stage& stage : journal_.stages()) {
      for (const BlockSolution& product : stage.products) {
        out.solved.emplace(product.node, product.weight());
        note(product);
      }
    }
    return out;
  }

 private:
  PlanRow* row_of(const Node& node) const {
    for (PlanRow& row : plan_.rows) {
      const bool calibrated =
          row.form == PlanRow::Form::kBlocks && row.method != round_to_nearest().name();
      if (row.node == node.name && calibrated && node.is("MatMul")) return &row;
    }
    return nullptr;
  }

  // In the order in which they are computed: each sees what rounding those before it has done.
  std::vector<Site> sites_of(const Stage& stage) const {
    std::vector<Site> out;
    for (size_t n = stage.begin; n < stage.end; ++n) {
      const Node& node = graph_.nodes[n];
      if (row_of(node) == nullptr) continue;
      const auto known = std::find_if(
          out.begin(), out.end(), [&](const Site& site) { return site.input == node.inputs[0]; });
      if (known != out.end()) {
        known->nodes.push_back(n);
      } else {
        out.push_back({node.inputs[0], {n}});
      }
    }
    return out;
  }

  // Windows that go through parts of it.
  int64_t work_of(const Stage& stage) const {
    const size_t sites = sites_of(stage).size();
    return static_cast<int64_t>((sites * (scales_first_ ? 2 : 1) + 1) * windows_.size());
  }

  // Of everything that the bytes follow from. Of constants, their ends: a checkpoint that somebody
  // trained further differs there, too.
  uint64_t fingerprint() const {
    uint64_t digest =
        mix(0, as_bytes(cat(static_cast<int>(options_.order), " ", options_.damping)));
    const auto text = [&](std::string_view part) { digest = mix(digest, as_bytes(part)); };
    for (const PlanRow& row : plan_.rows) {
      text(cat(row.node, " ", row.method, " ", row.bits(), " ", row.block(), " ",
               row.format.has_zero_points(), " ", row.rows, " ", row.columns));
    }
    for (const auto& window : windows_) {
      digest = mix(digest, {reinterpret_cast<const uint8_t*>(window.data()), window.size() * 4});
    }
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const graph::Tensor* tensor = graph_.constant(static_cast<ValueId>(i));
      if (tensor == nullptr || tensor->data.is_produced()) continue;
      text(graph_.value(static_cast<ValueId>(i)).name);
      const auto bytes = tensor->data.load();
      if (!bytes.ok()) continue;
      const size_t some = std::min<size_t>(bytes->size(), 4096);
      digest = mix(digest, bytes->bytes().first(some));
      digest = mix(digest, bytes->bytes().last(some));
    }
    return digest;
  }

  void note(const BlockSolution& product) {
    for (PlanRow& row : plan_.rows) {
      if (row.node != product.node) continue;
      row.method = product.method;
      if (!product.reason.empty()) row.reason = product.reason;
    }
  }

  // What the last finished stage hands over, if its files are what they were.
  Status resume() {
    while (!journal_.stages().empty()) {
      const size_t last = journal_.stages().size() - 1;
      const Journal::Stage& stage = journal_.stages()[last];
      if (last >= stages_.size()) return Internal("[quantize] more stages than the model has");
      if (last + 1 == stages_.size()) break;  // nothing is left to run
      auto opened = Activations::open(journal_.values_path(last), stage.widths);
      if (opened.ok()) {
        const auto digest = opened->read_digest(batches_);
        if (digest.ok() && *digest == stage.digest) {
          handed_ = *std::move(opened);
          break;
        }
      }
      journal_.forget(0);  // what came before it has handed over is gone
    }
    for (size_t i = 0; i < journal_.stages().size(); ++i) {
      for (const Fold& done : journal_.stages()[i].folds) ENM_RETURN_IF_ERROR(fold(done));
      done_ += work_of(stages_[i]);
    }
    return {};
  }

  const Activations* handed() const { return handed_.widths().empty() ? nullptr : &handed_; }

  // Values `wanted` of a stage, for every batch.
  Status run_part(const Stage& stage, const std::vector<ValueId>& wanted, EachBatch each) {
    return run_stage(working_, description_, stage, wanted, windows_, batches_, handed(), machine_,
                     [&](const Batch& batch, std::span<const std::span<const float>> outputs) {
                       ENM_RETURN_IF_ERROR(each(batch, outputs));
                       return step(static_cast<int64_t>(batch.count));
                     });
  }

  Status step(int64_t windows) {
    done_ += windows;
    return options_.progress ? options_.progress(done_, total_) : Status();
  }

  Status solve_stage(size_t at) {
    const Stage& stage = stages_[at];
    Journal::Stage done;
    if (scales_first_) ENM_RETURN_IF_ERROR(scale_stage(stage, done.folds));
    for (const Site& site : sites_of(stage)) {
      ENM_RETURN_IF_ERROR(solve_site(stage, site, done.products));
    }
    Activations next;
    if (at + 1 < stages_.size()) {
      ENM_ASSIGN_OR_RETURN(next, hand_over(at));
      done.widths = next.widths();
      done.digest = next.digest();
    } else {
      ENM_RETURN_IF_ERROR(step(static_cast<int64_t>(windows_.size())));
    }
    ENM_RETURN_IF_ERROR(journal_.add(std::move(done)));
    handed_.remove();
    handed_ = std::move(next);
    return {};
  }

  // AWQ's first half, while the stage's weights are floats: which scales, and folding them.
  Status scale_stage(const Stage& stage, std::vector<Fold>& done) {
    for (const Site& site : sites_of(stage)) {
      const auto place = find_fold(working_, site.input, site.nodes);
      if (!place || stage.outputs.empty()) {
        ENM_RETURN_IF_ERROR(step(static_cast<int64_t>(windows_.size())));
        continue;
      }
      std::vector<double> magnitudes;
      int64_t tokens = 0;
      const auto add = [&](const Batch& batch, std::span<const std::span<const float>> outputs) {
        const std::span<const float> x = outputs[0];
        const size_t width = x.size() / static_cast<size_t>(batch.tokens());
        magnitudes.resize(width);
        for (size_t i = 0; i < x.size(); ++i) magnitudes[i % width] += std::fabs(x[i]);
        tokens += batch.tokens();
        return Status();
      };
      ENM_RETURN_IF_ERROR(run_part(stage, {site.input}, add));
      for (double& magnitude : magnitudes) magnitude /= static_cast<double>(tokens);
      std::vector<const PlanRow*> rows;
      for (size_t n : site.nodes) rows.push_back(row_of(graph_.nodes[n]));
      ENM_ASSIGN_OR_RETURN(std::vector<float> scales,
                           search_scales({working_, description_, stage, windows_, some_batches(),
                                          handed(), machine_},
                                         *place, magnitudes, rows));
      if (scales.empty()) continue;
      done.push_back({graph_.value(site.input).name, std::move(scales)});
      ENM_RETURN_IF_ERROR(fold(done.back()));
    }
    return {};
  }

  // Enough of the text to tell one scale from another.
  std::span<const Batch> some_batches() const {
    int64_t tokens = 0;
    size_t count = 0;
    while (count < batches_.size() && tokens < kSearchTokens) tokens += batches_[count++].tokens();
    return std::span(batches_).first(count);
  }

  // In the graph that is being made and in the one that is run.
  Status fold(const Fold& fold) {
    const ValueId input = graph_.find_value(fold.input);
    std::vector<size_t> products;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (input != kNoValue && graph_.nodes[n].input(0) == input &&
          row_of(graph_.nodes[n]) != nullptr) {
        products.push_back(n);
      }
    }
    const auto place = products.empty() ? std::nullopt : find_fold(graph_, input, products);
    if (!place) return Internal("[quantize] nothing to fold at ", fold.input);
    ENM_RETURN_IF_ERROR(apply_fold(graph_, *place, fold.scales));
    return apply_fold(working_, *place, fold.scales);
  }

  Result<Activations> hand_over(size_t at) {
    const Stage& stage = stages_[at];
    std::optional<Activations> out;
    const Status status = run_part(
        stage, stage.outputs,
        [&](const Batch& batch, std::span<const std::span<const float>> outputs) -> Status {
          if (!out) {
            std::vector<int64_t> widths;
            for (const auto& output : outputs) {
              widths.push_back(static_cast<int64_t>(output.size()) / batch.tokens());
            }
            ENM_ASSIGN_OR_RETURN(out,
                                 Activations::create(journal_.values_path(at), std::move(widths)));
          }
          for (size_t i = 0; i < outputs.size(); ++i) {
            ENM_RETURN_IF_ERROR(out->write(i, batch, outputs[i].data()));
          }
          return {};
        });
    if (!status.ok()) return status;
    return *std::move(out);
  }

  Status solve_site(const Stage& stage, const Site& site, std::vector<BlockSolution>& done) {
    const PlanRow& first = *row_of(graph_.nodes[site.nodes[0]]);
    ENM_ASSIGN_OR_RETURN(Statistics statistics, Statistics::create(first.columns, machine_));
    ENM_RETURN_IF_ERROR(run_part(
        stage, {site.input},
        [&](const Batch& batch, std::span<const std::span<const float>> outputs) -> Status {
          statistics.add(outputs[0].data(), batch.tokens());
          return {};
        }));
    statistics.finish();
    const Status factorized =
        statistics.factorize(options_.order, first.format.block, options_.damping);
    for (size_t n : site.nodes) {
      const Node& node = graph_.nodes[n];
      ENM_ASSIGN_OR_RETURN(BlockSolution solution,
                           solve(node, statistics, factorized, *row_of(node)));
      working_.nodes[n].inputs[1] =
          working_.add_constant(working_.unique_name(node.name + "/solved"), restored(solution));
      done.push_back(std::move(solution));
    }
    return {};
  }

  Result<BlockSolution> solve(const Node& node, const Statistics& statistics,
                              const Status& factorized, const PlanRow& row) {
    const auto found = RowSource::find(graph_, graph_.nodes, node.inputs[1]);
    if (!found) return Internal("the plan is not this graph's: ", node.label());
    const RowSource source = found->transposed();
    const Gptq gptq(options_.order == ColumnOrder::kByEnergy);
    const Method& solver = row.method == "AWQ" ? weighted_rounding() : gptq;
    const Method& method = factorized.ok() ? solver : round_to_nearest();
    BlockSolution out;
    out.node = row.node;
    out.method = factorized.ok() ? row.method : std::string(method.name());
    if (!factorized.ok()) out.reason = cat("rounded to nearest: ", factorized.message());
    out.format = row.format;
    out.rows = row.rows;
    out.columns = row.columns;
    const auto bytes = [&](int64_t a_row) { return static_cast<size_t>(row.rows * a_row); };
    std::vector<uint8_t> quants(bytes(row.format.row_bytes(row.columns)));
    std::vector<uint8_t> scales(bytes(row.format.blocks_of(row.columns) * 4));
    std::vector<uint8_t> zeros(
        row.format.has_zero_points() ? bytes(row.format.row_zero_point_bytes(row.columns)) : 0);
    Solution to;
    const int64_t at_once =
        std::clamp<int64_t>(kWeightsAtOnce / row.columns / 16 * 16, 16, row.rows);
    std::vector<float> some(static_cast<size_t>(at_once * row.columns));
    ENM_ASSIGN_OR_RETURN(const RowSource::Reader reader, source.open());
    for (int64_t r = 0; r < row.rows; r += at_once) {
      const int64_t count = std::min(at_once, row.rows - r);
      for (int64_t i = 0; i < count; ++i) reader.read(r + i, some.data() + i * row.columns);
      to.quants = quants.data() + r * row.format.row_bytes(row.columns);
      to.scales = reinterpret_cast<float*>(scales.data()) + r * row.format.blocks_of(row.columns);
      to.zero_points =
          zeros.empty() ? nullptr : zeros.data() + r * row.format.row_zero_point_bytes(row.columns);
      const Status status =
          method.solve({row.format, count, row.columns, some.data(), &statistics}, to);
      if (!status.ok()) return status.in(row.tensor);
      reader.done_with(r + count);
    }
    out.error = to.norm > 0 ? to.error / to.norm : 0;
    out.quants = Blob::own(std::move(quants));
    out.scales = Blob::own(std::move(scales));
    out.zero_points = Blob::own(std::move(zeros));
    return out;
  }

  Graph& graph_;
  const ModelDescription& description_;
  Plan& plan_;
  const Windows& windows_;
  const std::vector<Batch> batches_;
  const CalibrationOptions& options_;
  const Machine& machine_;
  Graph working_;  // the graph with the weights that are solved
  std::vector<Stage> stages_;
  Journal journal_;
  Activations handed_;            // to the next stage
  bool scales_first_ = false;     // AWQ
  int64_t done_ = 0, total_ = 0;  // windows through parts
};

}  // namespace

Result<Calibrated> calibrate(Graph& graph, const ModelDescription& description, Plan& plan,
                             const Windows& windows, const CalibrationOptions& options,
                             const Machine& machine) {
  return Calibrator(graph, description, plan, windows, options, machine).run();
}

}  // namespace enm::quantize
