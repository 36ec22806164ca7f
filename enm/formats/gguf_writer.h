// Writes GGUF, version 3. The layout is in gguf_file.h.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/formats/byte_sink.h"
#include "enm/formats/gguf_file.h"
#include "enm/graph/tensor.h"

namespace enm::formats {

class GgufWriter {
 public:
  // Metadata, in the order of the calls.
  void add_u32(std::string_view key, uint32_t value);
  void add_f32(std::string_view key, float value);
  void add_flag(std::string_view key, bool value);
  void add_text(std::string_view key, std::string_view value);
  void add_texts(std::string_view key, std::span<const std::string> values);
  void add_i32s(std::string_view key, std::span<const int32_t> values);
  void add_f32s(std::string_view key, std::span<const float> values);

  /// `dims` outermost first; `data` the type's blocks, made when they are written.
  void add_tensor(std::string name, std::vector<int64_t> dims, GgmlType type,
                  graph::TensorData data);

  /// Bytes of all tensors.
  uint64_t tensor_bytes() const;

  /// `progress` is told the bytes of tensors written so far; its failure ends the writing.
  using Progress = std::function<Status(uint64_t done)>;
  Status write(ByteSink& sink, const Progress& progress = {}) const;

 private:
  struct Tensor {
    std::string name;
    std::vector<int64_t> dims;
    GgmlType type;
    graph::TensorData data;
  };
  void begin_entry(std::string_view key, GgufType type);
  void begin_array(std::string_view key, GgufType type, size_t count);

  uint64_t entries_ = 0;
  std::vector<uint8_t> metadata_;
  std::vector<Tensor> tensors_;
};

}  // namespace enm::formats
