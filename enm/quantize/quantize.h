// Quantization of a graph's weights: blocks of 2, 4 or 8 bits, int8 columns, or halves.
//
// Tensors of the result are produced when they are written, row by row from the checkpoint's mapped
// files: a model of any size needs the memory of its largest quantized tensor.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "enm/graph/description.h"

namespace enm::quantize {

struct BlockOptions {
  std::string method = "RTN";
  int bits = 4;        // of products: 2, 4 or 8
  int64_t block = 32;  // 16, 32, 64, 128 or 256
  bool symmetric = true;
  int64_t accuracy_level = 4;
  int head_bits = 8;       // 4, 8, or 0 to leave the head in floats
  int embedding_bits = 8;  // 8; 4 by GatherBlockQuantized, which not every runtime has; 0: floats
};

/// A weight as it stands in the file. The error is known once its quants have been written.
struct TensorReport {
  std::string name;
  std::string method;  // empty: left in floats
  int bits = 0;        // 0: floats
  int64_t block = 0;
  int64_t weights = 0;
  std::string reason;  // why it is another than was asked for
  std::function<double()> error;
};

struct Report {
  int matmuls = 0;
  int tables = 0;
  int halves = 0;                          // constants that are f16 now
  std::vector<std::string> left_in_float;  // and why
  std::vector<TensorReport> tensors;
};

/// MatMul by a constant [K, N] (also behind a Transpose and a Cast) becomes
/// com.microsoft.MatMulNBits; Gather from a constant float table becomes Gather, Cast, Mul over
/// int8 rows with a scale each.
///
///   symmetric   scale = (the value of largest magnitude, with its sign) / -2^(bits-1);
///               the zero point is the middle
///   asymmetric  scale = (max - min) / (2^bits - 1) over a range that holds 0
///
/// Scales are rounded to values that f16 holds exactly before weights are divided by them, so that
/// runtimes may store them in half the room. Source of the two rules: ONNX Runtime, MatMulNBits
/// quantizer.
///
/// Where the description's head multiplies by the same constant that a table gathers from, the file
/// holds it once: the head's 8-bit blocks, whose rows the table gathers and scales.
///
/// plan.h has the two halves of it: what is to be done, and doing it.
Result<Report> quantize_blocks(graph::Graph& graph, const graph::ModelDescription& description,
                               const BlockOptions& options);

struct Int8Options {
  /// Weights of 7 bits. Runtimes that add pairs of products in 16 bits (ONNX Runtime on x86 with
  /// AVX2 or AVX-512 but without VNNI) saturate with 8.
  bool reduce_range = false;
};

/// For encoders: MatMul by a constant [K, N] becomes MatMulInteger of activations quantized as they
/// come (DynamicQuantizeLinear, u8) and int8 columns with a scale each:
///   Cast(MatMulInteger(a, W, a_zero)) * (a_scale * w_scale[N])
/// Products that read the same activations share their quantization. Gather and Slice of rows of a
/// constant table read int8 rows. Standard operators of opset 11 only.
///
/// w_scale[n] = max |W[:, n]| / 127 (64 with reduce_range).
Result<Report> quantize_int8(graph::Graph& graph, const Int8Options& options);

/// Constants and the values between operators become f16, inputs and outputs stay as they are.
/// Operators stay in floats, with casts around them, that reduce or exponentiate, that read a
/// constant which halves would spoil (a value beyond 65504, or most values below the least normal
/// half), or that are not known to exist in halves. Folds constants first.
Result<Report> quantize_fp16(graph::Graph& graph);

}  // namespace enm::quantize
