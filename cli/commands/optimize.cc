#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/export.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/signing.h"
#include "cli/stopwatch.h"
#include "enm/families/recognize.h"
#include "enm/formats/gguf_export.h"
#include "enm/formats/onnx_writer.h"
#include "enm/passes/pass.h"
#include "enm/pipeline/model_folder.h"
#include "enm/quantize/quantize.h"

namespace cli {
namespace {

struct Options {
  std::string source;
  std::string output;
  bool external_data = false;
  bool dequantize = false;
  std::string format;        // empty: what the quantization is of, else ONNX
  std::string quantization;  // empty: INT4 of ONNX, Q8_0 of GGUF
  std::string imatrix;
  Layout layout = Layout::kPlain;
  int64_t context = 0;
  enm::quantize::Int4Options int4;
  enm::quantize::Int8Options int8;
  bool asymmetric = false;
};

enm::Result<enm::formats::GgufImportance> read_importance(const std::string& path) {
  const std::filesystem::path file(path);
  const enm::DirectoryFiles files(file.parent_path().string());
  return enm::formats::read_importance(files, file.filename().string());
}

// llama.cpp's file of a checkpoint.
enm::Status write_gguf(const Options& options, const Context& context) {
  using enm::formats::GgufRecipe;
  const Stopwatch stopwatch;
  const GgufRecipe* recipe =
      enm::formats::find_gguf_recipe(options.quantization.empty() ? "Q8_0" : options.quantization);
  if (recipe == nullptr) {
    return enm::InvalidArgument("GGUF files are written in ", enm::formats::gguf_recipe_names(),
                                ", not in ", options.quantization);
  }
  ENM_ASSIGN_OR_RETURN(const ModelArgument source, find_checkpoint(options.source, context));
  if (!source.file.empty()) {
    return enm::Unsupported("GGUF files are written from folders of checkpoints, not from ",
                            source.file);
  }
  enm::ThreadPool pool(thread_count(0));
  enm::formats::GgufExportOptions target;
  target.recipe = recipe;
  target.name = std::filesystem::path(source.folder).filename().string();
  target.pool = &pool;
  enm::formats::GgufImportance importance;
  if (!options.imatrix.empty()) {
    ENM_ASSIGN_OR_RETURN(importance, read_importance(options.imatrix));
    target.importance = &importance;
    target.importance_file = std::filesystem::path(options.imatrix).filename().string();
  }
  ENM_ASSIGN_OR_RETURN(const enm::formats::GgufWriter writer,
                       enm::formats::export_gguf(source.files(), target));
  ENM_ASSIGN_OR_RETURN(const Exported exported, export_gguf(writer, options.output, context));
  context.say(enm::cat("wrote ", exported.path, ", ", human_bytes(exported.bytes), " in ",
                       human_duration(stopwatch.seconds())));
  if (context.json) {
    context.print(JsonObject()
                      .add("model", exported.path)
                      .add("bytes", exported.bytes)
                      .add("seconds", stopwatch.seconds())
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  }
  return {};
}

enm::Result<enm::quantize::Report> quantize(enm::graph::Graph& graph, const Options& options) {
  if (options.quantization == "INT8") return enm::quantize::quantize_int8(graph, options.int8);
  if (options.quantization != "INT4" && options.quantization != "FP16") {
    return enm::InvalidArgument(options.quantization, " is a quantization of GGUF files");
  }
  if (options.quantization == "FP16") return enm::quantize::quantize_fp16(graph);
  ENM_ASSIGN_OR_RETURN(const auto description, enm::families::describe(graph));
  return enm::quantize::quantize_int4(graph, description, options.int4);
}

// For the manifest: what was done, and to how much.
std::string noted(const Options& options, uint64_t bytes_before) {
  JsonObject out;
  out.add("quantization", options.quantization)
      .add("format", "RTN")
      .add("originalSize", human_bytes(bytes_before));
  if (options.quantization == "INT4") out.add("groupSize", options.int4.block);
  return out.str();
}

// transformers.js finds a file by what it calls the kind of its weights.
ExportOptions export_options(const Options& options) {
  ExportOptions out{.layout = options.layout, .external_data = options.external_data};
  if (options.layout == Layout::kPlain) return out;
  const bool int8 = options.quantization == "INT8";
  out.dtype = int8 ? "q8" : options.quantization == "FP16" ? "fp16" : "q4";
  out.name = int8 ? "model_quantized" : "model_" + out.dtype;
  return out;
}

enm::Status run(Options options, const Context& context) {
  const bool is_of_gguf = enm::formats::find_gguf_recipe(options.quantization) != nullptr;
  if (options.format == "gguf" || (options.format.empty() && is_of_gguf)) {
    return write_gguf(options, context);
  }
  if (!options.imatrix.empty()) {
    return enm::InvalidArgument("--imatrix is for the quantizations of GGUF files");
  }
  if (options.quantization.empty()) options.quantization = "INT4";
  const Stopwatch stopwatch;
  ENM_ASSIGN_OR_RETURN(const ModelArgument source, find_checkpoint(options.source, context));
  ENM_ASSIGN_OR_RETURN(
      enm::graph::Graph graph,
      enm::pipeline::load_graph(source.files(), source.file,
                                {.context = options.context, .keep_blocks = !options.dequantize}));
  const uint64_t before = enm::formats::constant_bytes(graph);
  options.int4.symmetric = !options.asymmetric;
  ENM_ASSIGN_OR_RETURN(const enm::quantize::Report report, quantize(graph, options));
  ENM_ASSIGN_OR_RETURN(const auto passes,
                       enm::passes::run_passes(graph, enm::passes::standard_passes()));
  for (const auto& pass : passes) {
    if (pass.rewrites > 0) context.say(enm::cat(pass.name, ": ", pass.rewrites, " rewrites"));
  }
  for (const std::string& left : report.left_in_float) context.warn(enm::cat("in floats: ", left));
  graph.metadata[std::string(kOptimizationKey)] = noted(options, before);
  ENM_ASSIGN_OR_RETURN(const Exported exported, export_model(graph, source, options.output,
                                                             export_options(options), context));
  const std::string what = report.halves > 0 ? enm::cat("halved ", report.halves, " constants")
                                             : enm::cat("quantized ", report.matmuls,
                                                        " products and ", report.tables, " tables");
  context.say(enm::cat(what, " in ", human_duration(stopwatch.seconds()), ": ", human_bytes(before),
                       " -> ", human_bytes(exported.bytes)));
  context.say(enm::cat("wrote ", exported.path));
  if (context.json) {
    context.print(JsonObject()
                      .add("model", exported.path)
                      .add("bytes", exported.bytes)
                      .add("original_bytes", before)
                      .add("quantized_products", report.matmuls)
                      .add("quantized_tables", report.tables)
                      .add("halved_constants", report.halves)
                      .add("left_in_float", report.left_in_float)
                      .add("seconds", stopwatch.seconds())
                      .add("peak_rss_bytes", peak_rss_bytes())
                      .str());
  }
  return {};
}

}  // namespace

void add_optimize(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("optimize", "Quantize a model's weights");
  verb->add_option("source", options->source,
                   "Checkpoint folder, .onnx or .gguf file, or hf:org/name")
      ->required();
  verb->add_option("-o,--output", options->output, "Folder, or file ending in .onnx or .gguf")
      ->required();
  verb->add_option("--layout", options->layout,
                   "plain: model.onnx; transformersjs: onnx/model_q4.onnx, as its loader wants")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Layout>{{"plain", Layout::kPlain},
                                        {"transformersjs", Layout::kTransformersJs}},
          CLI::ignore_case));
  verb->add_option("--context", options->context,
                   "Positions that the file has room for; 0 for the model's, up to 8192")
      ->check(CLI::NonNegativeNumber);
  verb->add_flag("--external-data", options->external_data,
                 "Tensors in a file of their own beside the model, as above 256 MB anyway");
  verb->add_flag("--dequantize", options->dequantize,
                 "Low-bit blocks of a .gguf file become floats first");
  verb->add_option(
          "--quantize,--quantization", options->quantization,
          "INT4 for decoders, INT8 for encoders, FP16 for either; a GGUF file in F16, BF16, "
          "Q8_0, Q6_K, Q5_K_M, Q5_K_S, Q4_K_M, Q4_K_S or Q4_0; INT4, or Q8_0 in GGUF, if "
          "nothing is said")
      ->transform(CLI::IsMember({"INT4", "INT8", "FP16", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K",
                                 "Q5_K_M", "Q5_K_S", "Q4_K", "Q4_K_M", "Q4_K_S", "Q4_0"},
                                CLI::ignore_case));
  verb->add_option("--format", options->format,
                   "onnx, or gguf for llama.cpp; what the quantization is of, if nothing is said")
      ->check(CLI::IsMember({"onnx", "gguf"}));
  verb->add_option("--imatrix", options->imatrix,
                   "llama-imatrix's file: which columns' errors count most in a GGUF file")
      ->check(CLI::ExistingFile);
  verb->add_flag("--reduce-range", options->int8.reduce_range,
                 "INT8: weights of 7 bits, for ONNX Runtime on x86 without VNNI");
  verb->add_option("--block-size", options->int4.block, "Weights that share a scale")
      ->check(CLI::IsMember({16, 32, 64, 128, 256}))
      ->capture_default_str();
  verb->add_flag("--asymmetric", options->asymmetric, "A zero point for each block");
  verb->add_option("--accuracy-level", options->int4.accuracy_level,
                   "4 multiplies with int8 activations, 0 with floats")
      ->check(CLI::IsMember({0, 1, 4}))
      ->capture_default_str();
  verb->add_option("--head-bits", options->int4.head_bits, "4 or 8; 0 leaves the head in floats")
      ->check(CLI::IsMember({0, 4, 8}))
      ->capture_default_str();
  verb->add_option("--embedding-bits", options->int4.embedding_bits,
                   "8; 4 takes GatherBlockQuantized; 0 leaves the table in floats")
      ->check(CLI::IsMember({0, 4, 8}))
      ->capture_default_str();
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
