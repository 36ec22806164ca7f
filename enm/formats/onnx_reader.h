// ONNX bytes -> Graph. Opsets 13 to 23 and com.microsoft; operators are not judged here, so tools
// carry through what they do not know.
#pragma once

#include "enm/base/file.h"
#include "enm/graph/graph.h"

namespace enm::formats {

/// Reads `name` (such as "model.onnx" or "onnx/model.onnx") from `files`. External data is looked
/// up beside it; its location must be a plain relative name and its range inside that file. Tensors
/// stay where they are: raw data is a handle into the mapped file, or into `files` itself where
/// those read on demand, and then `files` must outlive every load of a tensor.
///
/// Refused with kUnsupported: model-local functions, sparse initializers, training graphs.
Result<graph::Graph> read_onnx(const FileSource& files, const std::string& name);

/// One TensorProto (onnx's test data are such files). Data must be inside.
Result<graph::Tensor> read_tensor_proto(const Blob& bytes);

}  // namespace enm::formats
