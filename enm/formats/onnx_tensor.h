// TensorProto, in any of the ways that ONNX lets a tensor hold its data. Private to the reader.
#pragma once

#include <string>

#include "enm/base/file.h"
#include "enm/graph/tensor.h"

namespace enm::formats {

struct NamedTensor {
  std::string name;
  graph::Tensor tensor;
};

/// `part` is the message inside `file`; `files` and `folder` say where external data lies (files
/// may be null: external data is then refused).
Result<NamedTensor> parse_tensor(const Blob& file, Bytes part, const FileSource* files,
                                 const std::string& folder);

}  // namespace enm::formats
