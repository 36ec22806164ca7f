#include <filesystem>

#include "cli/optimizer/options.h"
#include "cli/optimizer/report.h"
#include "cli/optimizer/validate.h"
#include "cli/output/format.h"
#include "cli/signing.h"
#include "cli/stopwatch.h"
#include "enm/families/recognize.h"
#include "enm/formats/onnx_writer.h"
#include "enm/passes/pass.h"
#include "enm/pipeline/model_folder.h"
#include "enm/quantize/calibrate.h"

namespace cli {
namespace {

using enm::quantize::Plan;
using enm::quantize::Report;

bool is_calibrated(const std::string& quantization) {
  return quantization == "GPTQ" || quantization == "AWQ" || quantization == "AWQ+GPTQ";
}

// Whether weights go into blocks, so that there is a plan.
bool has_plan(const std::string& quantization) {
  return quantization == "INT4" || is_calibrated(quantization);
}

class Run {
 public:
  Run(OptimizeOptions options, Context& context)
      : options_(std::move(options)), context_(context) {}

  enm::Status run() {
    ENM_RETURN_IF_ERROR(settle());
    ENM_ASSIGN_OR_RETURN(source_, find_checkpoint(options_.source, context_));
    ENM_ASSIGN_OR_RETURN(graph_, enm::pipeline::load_graph(source_.files(), source_.file,
                                                           {.context = options_.context,
                                                            .keep_blocks = !options_.dequantize}));
    before_ = enm::formats::constant_bytes(graph_);
    if (options_.plan_only) return show_plan();
    ENM_ASSIGN_OR_RETURN(report_, quantize());
    ENM_RETURN_IF_ERROR(clean());
    graph_.metadata[std::string(kOptimizationKey)] = noted();
    ENM_ASSIGN_OR_RETURN(
        exported_, export_model(graph_, source_, options_.output, export_options(), context_));
    std::error_code error;
    if (!work_folder_.empty()) std::filesystem::remove_all(work_folder_, error);
    const bool asked = !options_.validation_data.empty() || !sample_.rest.empty();
    std::vector<std::string> broken;
    if (asked && !options_.no_validation) {
      ENM_ASSIGN_OR_RETURN(comparison_, validate(options_, source_, exported_.path,
                                                 std::move(sample_.rest), context_));
      broken = broken_thresholds(options_, *comparison_);
    }
    tell(broken.empty());
    if (broken.empty()) return {};
    return enm::ResourceExhausted("the model is written, but ", enm::join(broken, "; "));
  }

 private:
  enm::Status settle() {
    if (options_.quantization.empty()) options_.quantization = "INT4";
    options_.blocks.symmetric = !options_.asymmetric;
    options_.recipe.pack = !options_.no_packing;
    const bool calibrated = is_calibrated(options_.quantization);
    const bool validates =
        !options_.no_validation && (calibrated || !options_.validation_data.empty());
    if (options_.has_threshold() && !validates) {
      return enm::InvalidArgument(
          "thresholds want something to measure: give a text with --validation-data");
    }
    if (!calibrated) {
      if (options_.calibration_data.empty()) return {};
      return enm::InvalidArgument("--calibration-data is for GPTQ and AWQ, not for ",
                                  options_.quantization);
    }
    options_.blocks.method = options_.quantization;
    if (!options_.calibration_data.empty() || options_.plan_only) return {};
    return enm::InvalidArgument(options_.quantization,
                                " looks at what the model computes: give a text with ",
                                "--calibration-data");
  }

  enm::Status show_plan() {
    if (!has_plan(options_.quantization)) {
      return enm::Unsupported("--plan is for weights in blocks, not for ", options_.quantization);
    }
    ENM_ASSIGN_OR_RETURN(const auto description, enm::families::describe(graph_));
    ENM_ASSIGN_OR_RETURN(const Plan plan,
                         enm::quantize::plan_blocks(graph_, description, options_.blocks));
    context_.print(context_.json ? plan_json(plan, options_.quantization) : plan_table(plan));
    return {};
  }

  enm::Result<Report> quantize() {
    const std::string& kind = options_.quantization;
    if (kind == "none") return Report();
    if (kind == "INT8") return enm::quantize::quantize_int8(graph_, options_.int8);
    if (kind == "FP16") return enm::quantize::quantize_fp16(graph_);
    if (!has_plan(kind)) return enm::InvalidArgument(kind, " is a quantization of GGUF files");
    ENM_ASSIGN_OR_RETURN(const auto description, enm::families::describe(graph_));
    ENM_ASSIGN_OR_RETURN(Plan plan,
                         enm::quantize::plan_blocks(graph_, description, options_.blocks));
    enm::quantize::Calibrated calibrated;
    if (is_calibrated(kind)) {
      ENM_ASSIGN_OR_RETURN(calibrated, calibrate(description, plan));
    }
    return enm::quantize::apply_plan(graph_, description, plan, options_.blocks, calibrated.solved);
  }

  enm::Result<enm::quantize::Calibrated> calibrate(const enm::graph::ModelDescription& description,
                                                   Plan& plan) {
    ENM_ASSIGN_OR_RETURN(auto documents, enm::quantize::read_documents(options_.calibration_data));
    ENM_ASSIGN_OR_RETURN(const auto tokenizer,
                         enm::pipeline::load_tokenizer(source_.files(), source_.file));
    auto sample =
        enm::quantize::sample_windows(std::move(documents), options_.recipe, hold_out(), tokenizer);
    if (!sample.ok()) return sample.status().in(options_.calibration_data);
    sample_ = *std::move(sample);
    for (const auto& window : sample_.windows) {
      for (int32_t id : window) {
        if (id >= 0 && id < description.vocabulary) continue;
        return enm::InvalidArgument("the tokenizer makes token ", id, "; the model has ",
                                    description.vocabulary);
      }
    }
    work_folder_ = options_.output + ".calibration";
    enm::ThreadPool pool(thread_count(options_.threads));
    ENM_ASSIGN_OR_RETURN(const enm::Isa isa, enm::select_isa());
    Progress progress = context_.progress("calibrating", 0, Unit::kItems);
    enm::quantize::CalibrationOptions how;
    how.folder = work_folder_;
    how.damping = options_.damping;
    how.order = options_.column_order == "energy" ? enm::quantize::ColumnOrder::kByEnergy
                : options_.column_order == "none" ? enm::quantize::ColumnOrder::kAsTheyAre
                                                  : enm::quantize::ColumnOrder::kBlocksByEnergy;
    how.progress = [&](int64_t done, int64_t total) {
      progress.update(static_cast<uint64_t>(done), static_cast<uint64_t>(total));
      return interrupted() ? enm::Cancelled("interrupted; the same command goes on from here")
                           : enm::Status();
    };
    ENM_ASSIGN_OR_RETURN(auto out, enm::quantize::calibrate(graph_, description, plan,
                                                            sample_.windows, how, {pool, isa}));
    if (out.stages_resumed > 0) {
      context_.say(enm::cat("went on after ", out.stages_resumed, " parts that were done"));
    }
    return out;
  }

  // Part of the calibration text that validates.
  double hold_out() const {
    return options_.no_validation || !options_.validation_data.empty() ? 0 : 0.1;
  }

  enm::Status clean() {
    ENM_ASSIGN_OR_RETURN(const auto passes,
                         enm::passes::run_passes(graph_, enm::passes::standard_passes()));
    for (const auto& pass : passes) {
      if (pass.rewrites > 0) context_.say(enm::cat(pass.name, ": ", pass.rewrites, " rewrites"));
    }
    for (const std::string& left : report_.left_in_float) {
      context_.warn(enm::cat("in floats: ", left));
    }
    return {};
  }

  // For the manifest: what was done, and to how much.
  std::string noted() const {
    JsonObject out;
    out.add("quantization", options_.quantization)
        .add("format", has_plan(options_.quantization) ? options_.blocks.method : "RTN")
        .add("originalSize", human_bytes(before_));
    if (has_plan(options_.quantization)) out.add("groupSize", options_.blocks.block);
    if (!sample_.windows.empty()) {
      out.add(
          "calibration",
          JsonObject()
              .add("source", std::filesystem::path(options_.calibration_data).filename().string())
              .add("documents", sample_.documents)
              .add("windows", sample_.windows.size())
              .add("tokens", sample_.tokens)
              .add("length", options_.recipe.length)
              .add("seed", options_.recipe.seed)
              .add("packing", options_.recipe.pack ? "joined" : "documents")
              .raw());
    }
    return out.str();
  }

  // transformers.js finds a file by what it calls the kind of its weights.
  ExportOptions export_options() const {
    ExportOptions out{.layout = options_.layout, .external_data = options_.external_data};
    if (options_.layout == Layout::kPlain) return out;
    const std::string& kind = options_.quantization;
    const bool int8 = kind == "INT8";
    out.dtype = int8 ? "q8" : kind == "FP16" ? "fp16" : kind == "none" ? "fp32" : "q4";
    out.name = int8 ? "model_quantized" : kind == "none" ? "model" : "model_" + out.dtype;
    return out;
  }

  double bits_per_weight() const {
    int64_t weights = 0;
    for (const auto& tensor : report_.tensors) weights += tensor.weights;
    return weights > 0 ? 8.0 * static_cast<double>(exported_.bytes) / static_cast<double>(weights)
                       : 0;
  }

  void tell(bool passed) {
    const std::string what =
        report_.halves > 0
            ? enm::cat("halved ", report_.halves, " constants")
            : enm::cat("quantized ", report_.matmuls, " products and ", report_.tables, " tables");
    context_.say(enm::cat(what, " in ", human_duration(stopwatch_.seconds()), ": ",
                          human_bytes(before_), " -> ", human_bytes(exported_.bytes)));
    context_.say(enm::cat("wrote ", exported_.path));
    if (comparison_) context_.say(validation_line(*comparison_));
    if (!context_.json) return;
    const RawJson validation =
        comparison_ ? validation_json(*comparison_, passed) : RawJson{"null"};
    context_.print(JsonObject()
                       .add("model", exported_.path)
                       .add("output", exported_.path)
                       .add("bytes", exported_.bytes)
                       .add("original_bytes", before_)
                       .add("quantization", options_.quantization)
                       .add("bits_per_weight", bits_per_weight())
                       .add("quantized_products", report_.matmuls)
                       .add("quantized_tables", report_.tables)
                       .add("halved_constants", report_.halves)
                       .add("left_in_float", report_.left_in_float)
                       .add("tensors", tensors_json(report_))
                       .add("validation", validation)
                       .add("seconds", stopwatch_.seconds())
                       .add("peak_rss_bytes", peak_rss_bytes())
                       .str());
    context_.json_printed = true;
  }

  OptimizeOptions options_;
  Context& context_;
  const Stopwatch stopwatch_;
  ModelArgument source_;
  enm::graph::Graph graph_;
  uint64_t before_ = 0;
  enm::quantize::Sample sample_;
  std::string work_folder_;
  Report report_;
  Exported exported_;
  std::optional<enm::quantize::Comparison> comparison_;
};

}  // namespace

enm::Status optimize_to_onnx(OptimizeOptions options, Context& context) {
  return Run(std::move(options), context).run();
}

}  // namespace cli
