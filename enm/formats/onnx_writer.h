// Graph -> ONNX bytes. Tensors are loaded one at a time and written straight out, so that a model
// of any size needs the memory of its largest tensor.
#pragma once

#include <functional>
#include <string>

#include "enm/formats/byte_sink.h"
#include "enm/graph/graph.h"

namespace enm::formats {

struct OnnxWriteOptions {
  /// Called after each tensor with the bytes written so far and the bytes there will be; a failure
  /// stops the writing (kCancelled for Ctrl-C).
  std::function<Status(uint64_t done, uint64_t total)> progress;
};

/// Tensors smaller than this stay in the .onnx file when others are external.
inline constexpr uint64_t kExternalThreshold = 1024;

/// Protobuf readers refuse messages beyond 2 GiB: a model whose tensors pass this goes external.
inline constexpr uint64_t kMostInlineBytes = 1'900'000'000;

/// Everything in one message. kUnsupported if the tensors pass kMostInlineBytes.
Status write_onnx(const graph::Graph& graph, ByteSink& sink, const OnnxWriteOptions& options = {});

/// Tensors of kExternalThreshold bytes or more go to `data` at offsets aligned to 4096 bytes, and
/// `model` refers to them by `location`, a file name beside the model's.
Status write_onnx_external(const graph::Graph& graph, ByteSink& model, ByteSink& data,
                           const std::string& location, const OnnxWriteOptions& options = {});

/// Bytes of all constants: what decides between the two.
uint64_t constant_bytes(const graph::Graph& graph);

}  // namespace enm::formats
