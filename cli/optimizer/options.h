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
  std::string format = "onnx";
  std::string quantization;  // empty: INT4 of ONNX, Q8_0 of GGUF
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
};

/// Checkpoints and ONNX files into ONNX files.
enm::Status optimize_to_onnx(OptimizeOptions options, const Context& context);

}  // namespace cli
