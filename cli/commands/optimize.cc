#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/flags.h"
#include "cli/optimizer/options.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/stopwatch.h"
#include "enm/formats/gguf_export.h"

namespace cli {
namespace {

enm::Result<enm::formats::GgufImportance> read_importance(const std::string& path) {
  const std::filesystem::path file(path);
  const enm::DirectoryFiles files(file.parent_path().string());
  return enm::formats::read_importance(files, file.filename().string());
}

// llama.cpp's file of a checkpoint.
enm::Status write_gguf(const OptimizeOptions& options, const Context& context) {
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
  enm::ThreadPool pool(thread_count(options.threads));
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

enm::Status run(const OptimizeOptions& options, Context& context) {
  const bool is_of_gguf = enm::formats::find_gguf_recipe(options.quantization) != nullptr;
  if (options.format == "gguf" || (options.format.empty() && is_of_gguf)) {
    if (options.plan_only || options.looks_at_text()) {
      return enm::InvalidArgument(
          "plans, calibration and validation are for ONNX files, not for GGUF");
    }
    return write_gguf(options, context);
  }
  if (!options.imatrix.empty()) {
    return enm::InvalidArgument("--imatrix is for the quantizations of GGUF files");
  }
  return optimize_to_onnx(options, context);
}

void add_blocks(CLI::App* verb, OptimizeOptions& options) {
  verb->add_flag("--reduce-range", options.int8.reduce_range,
                 "INT8: weights of 7 bits, for ONNX Runtime on x86 without VNNI");
  verb->add_option("--bits", options.blocks.bits, "Of products in blocks")
      ->check(CLI::IsMember({4, 8}))
      ->capture_default_str();
  verb->add_option("--block-size", options.blocks.block, "Weights that share a scale")
      ->check(CLI::IsMember({16, 32, 64, 128, 256}))
      ->capture_default_str();
  verb->add_flag("--asymmetric", options.asymmetric, "A zero point for each block");
  verb->add_option("--accuracy-level", options.blocks.accuracy_level,
                   "4 multiplies with int8 activations, 0 with floats")
      ->check(CLI::IsMember({0, 1, 4}))
      ->capture_default_str();
  verb->add_option("--head-bits", options.blocks.head_bits, "4 or 8; 0 leaves the head in floats")
      ->check(CLI::IsMember({0, 4, 8}))
      ->capture_default_str();
  verb->add_option("--embedding-bits", options.blocks.embedding_bits,
                   "8; 4 takes GatherBlockQuantized; 0 leaves the table in floats")
      ->check(CLI::IsMember({0, 4, 8}))
      ->capture_default_str();
}

void add_calibration(CLI::App* verb, OptimizeOptions& options) {
  verb->add_option(
      "--calibration-data", options.calibration_data,
      "Text for GPTQ and AWQ: a text file, lines of {\"text\"}, or a folder of either");
  verb->add_option("--calibration-samples", options.recipe.count, "Windows of text, at most")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  verb->add_option("--calibration-length", options.recipe.length, "Tokens of a window")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  verb->add_option("--seed", options.recipe.seed, "Of the windows that are drawn")
      ->capture_default_str();
  verb->add_flag("--no-packing", options.no_packing,
                 "A window is the beginning of a document, instead of a piece of all of them");
  verb->add_option("--damping", options.damping,
                   "GPTQ: part of the Hessian's mean diagonal that is added to it")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  verb->add_option("--column-order", options.column_order,
                   "GPTQ: block-energy, energy (act-order) or none")
      ->check(CLI::IsMember({"block-energy", "energy", "none"}))
      ->capture_default_str();
}

void add_validation(CLI::App* verb, OptimizeOptions& options) {
  verb->add_option("--validation-data", options.validation_data,
                   "Text to compare the models on; else the calibration text's last tenth");
  verb->add_flag("--no-validation", options.no_validation, "Do not compare the models");
  verb->add_option("--validation-protocol", options.validation_protocol,
                   "windows, gptq (2048 tokens) or llama.cpp (second halves of 512)")
      ->check(CLI::IsMember({"windows", "gptq", "llama.cpp"}))
      ->capture_default_str();
  verb->add_option("--validation-length", options.validation_length,
                   "Tokens of a window, in the protocol of windows")
      ->check(CLI::Range(2, 1 << 20))
      ->capture_default_str();
  verb->add_option("--validation-windows", options.validation_windows,
                   "Windows, or texts of an embedder, at most; 0 for all")
      ->check(not_negative());
  verb->add_option("--max-ppl-increase", options.max_ppl_increase,
                   "Fail where perplexity rises by more: 0.02 for 2 %");
  verb->add_option("--max-kl", options.max_kl, "Fail where the mean KL divergence is above");
  verb->add_option("--min-top1", options.min_top1,
                   "Fail where the models agree on the likeliest token less often");
  verb->add_option("--min-cosine", options.min_cosine,
                   "Fail where an embedder's mean cosine to the original is below");
}

}  // namespace

void add_optimize(CLI::App& app, Context& context) {
  auto options = std::make_shared<OptimizeOptions>();
  CLI::App* verb = app.add_subcommand("optimize", "Quantize a model's weights");
  verb->add_option("source", options->source,
                   "Checkpoint folder, .onnx or .gguf file, or hf:org/name")
      ->required();
  verb->add_option("-o,--output", options->output, "Folder, or file ending in .onnx or .gguf");
  verb->add_option("--layout", options->layout,
                   "plain: model.onnx; transformersjs: onnx/model_q4.onnx, as its loader wants")
      ->transform(CLI::CheckedTransformer(
          std::map<std::string, Layout>{{"plain", Layout::kPlain},
                                        {"transformersjs", Layout::kTransformersJs}},
          CLI::ignore_case));
  verb->add_option("--context", options->context,
                   "Positions that the file has room for; 0 for the model's, up to 8192")
      ->check(not_negative());
  verb->add_flag("--external-data", options->external_data,
                 "Tensors in a file of their own beside the model, as above 256 MB anyway");
  verb->add_flag("--dequantize", options->dequantize,
                 "Low-bit blocks of a .gguf file become floats first");
  verb->add_option(
          "--quantize,--quantization", options->quantization,
          "INT4 for decoders, GPTQ, AWQ or AWQ+GPTQ for better ones, INT8 for encoders, FP16 for "
          "either, none; a GGUF file in F16, BF16, "
          "Q8_0, Q6_K, Q5_K_M, Q5_K_S, Q4_K_M, Q4_K_S or Q4_0; INT4, or Q8_0 in GGUF, if "
          "nothing is said")
      ->transform(CLI::IsMember(
          {"INT4", "GPTQ", "AWQ", "AWQ+GPTQ", "INT8", "FP16", "none", "F16", "BF16", "Q8_0", "Q6_K",
           "Q5_K", "Q5_K_M", "Q5_K_S", "Q4_K", "Q4_K_M", "Q4_K_S", "Q4_0"},
          CLI::ignore_case));
  verb->add_option("--format", options->format,
                   "onnx, or gguf for llama.cpp; what the quantization is of, if nothing is said")
      ->check(CLI::IsMember({"onnx", "gguf"}));
  verb->add_option("--imatrix", options->imatrix,
                   "llama-imatrix's file: which columns' errors count most in a GGUF file")
      ->check(CLI::ExistingFile);
  add_blocks(verb, *options);
  verb->add_flag("--plan", options->plan_only, "Say what would become of which weight, and stop");
  verb->add_option("-t,--threads", options->threads, "Threads; 0 for one a processor")
      ->check(CLI::Range(0, 256));
  add_calibration(verb, *options);
  add_validation(verb, *options);
  verb->callback([&context, options] {
    if (options->output.empty() && !options->plan_only) throw CLI::RequiredError("--output");
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
