// What `optimize` was asked for.
#pragma once

#include <string>

#include "cli/context.h"
#include "cli/export.h"
#include "enm/quantize/calibration_text.h"
#include "enm/quantize/quantize.h"

namespace cli {

struct OptimizeOptions {
  std::string source;
  std::string output;
  bool external_data = false;
  bool dequantize = false;
  std::string format;        // empty: what the quantization is of, else ONNX
  std::string quantization;  // empty: INT4 of ONNX, Q8_0 of GGUF
  std::string imatrix;       // a file; empty: none
  Layout layout = Layout::kPlain;
  int64_t context = 0;
  int threads = 0;
  enm::quantize::BlockOptions blocks;
  enm::quantize::Int8Options int8;
  bool asymmetric = false;
  bool plan_only = false;

  std::string calibration_data;  // a file or a folder
  enm::quantize::Recipe recipe;
  bool no_packing = false;
  double damping = 0.01;
  std::string column_order = "block-energy";

  std::string validation_data;  // empty: the calibration text's last tenth, if there is one
  bool no_validation = false;
  std::string validation_protocol = "windows";
  int64_t validation_length = 512;
  int64_t validation_windows = 0;
  // Negative: no threshold.
  double max_ppl_increase = -1;  // of the original's
  double max_kl = -1;
  double min_top1 = -1;
  double min_cosine = -1;

  bool has_threshold() const {
    return max_ppl_increase >= 0 || max_kl >= 0 || min_top1 >= 0 || min_cosine >= 0;
  }
  bool looks_at_text() const {
    return !calibration_data.empty() || !validation_data.empty() || has_threshold();
  }
};

/// Checkpoints and ONNX files into ONNX files.
enm::Status optimize_to_onnx(OptimizeOptions options, Context& context);

}  // namespace cli
