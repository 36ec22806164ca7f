#include "enm/formats/gguf_writer.h"

namespace enm::formats {
namespace {

constexpr uint64_t kAlignment = 32;

uint64_t align(uint64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

void append_bytes(std::vector<uint8_t>& out, const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  out.insert(out.end(), bytes, bytes + size);
}

template <typename T>
void append_number(std::vector<uint8_t>& out, T value) {
  append_bytes(out, &value, sizeof value);
}

void append_text(std::vector<uint8_t>& out, std::string_view text) {
  append_number(out, uint64_t{text.size()});
  append_bytes(out, text.data(), text.size());
}

Status write_padding(ByteSink& sink, uint64_t size) {
  static constexpr uint8_t kZeros[kAlignment] = {};
  return sink.write(Bytes(kZeros).first(static_cast<size_t>(align(size) - size)));
}

}  // namespace

void GgufWriter::begin_entry(std::string_view key, GgufType type) {
  ++entries_;
  append_text(metadata_, key);
  append_number(metadata_, type);
}

void GgufWriter::add_u32(std::string_view key, uint32_t value) {
  begin_entry(key, GgufType::kUint32);
  append_number(metadata_, value);
}

void GgufWriter::add_f32(std::string_view key, float value) {
  begin_entry(key, GgufType::kFloat32);
  append_number(metadata_, value);
}

void GgufWriter::add_flag(std::string_view key, bool value) {
  begin_entry(key, GgufType::kBool);
  append_number(metadata_, uint8_t{value});
}

void GgufWriter::add_text(std::string_view key, std::string_view value) {
  begin_entry(key, GgufType::kString);
  append_text(metadata_, value);
}

void GgufWriter::begin_array(std::string_view key, GgufType type, size_t count) {
  begin_entry(key, GgufType::kArray);
  append_number(metadata_, type);
  append_number(metadata_, uint64_t{count});
}

void GgufWriter::add_texts(std::string_view key, std::span<const std::string> values) {
  begin_array(key, GgufType::kString, values.size());
  for (const std::string& value : values) append_text(metadata_, value);
}

void GgufWriter::add_i32s(std::string_view key, std::span<const int32_t> values) {
  begin_array(key, GgufType::kInt32, values.size());
  append_bytes(metadata_, values.data(), values.size_bytes());
}

void GgufWriter::add_f32s(std::string_view key, std::span<const float> values) {
  begin_array(key, GgufType::kFloat32, values.size());
  append_bytes(metadata_, values.data(), values.size_bytes());
}

void GgufWriter::add_tensor(std::string name, std::vector<int64_t> dims, GgmlType type,
                            graph::TensorData data) {
  tensors_.push_back({std::move(name), std::move(dims), type, std::move(data)});
}

uint64_t GgufWriter::tensor_bytes() const {
  uint64_t bytes = 0;
  for (const Tensor& tensor : tensors_) bytes += tensor.data.size();
  return bytes;
}

Status GgufWriter::write(ByteSink& sink, const Progress& progress) const {
  std::vector<uint8_t> header;
  append_bytes(header, "GGUF", 4);
  append_number(header, uint32_t{3});
  append_number(header, uint64_t{tensors_.size()});
  append_number(header, entries_);
  append_bytes(header, metadata_.data(), metadata_.size());
  uint64_t offset = 0;
  for (const Tensor& tensor : tensors_) {
    append_text(header, tensor.name);
    append_number(header, static_cast<uint32_t>(tensor.dims.size()));
    for (size_t i = tensor.dims.size(); i-- > 0;) append_number(header, tensor.dims[i]);
    append_number(header, tensor.type);
    append_number(header, offset);
    offset += align(tensor.data.size());
  }
  ENM_RETURN_IF_ERROR(sink.write(header));
  ENM_RETURN_IF_ERROR(write_padding(sink, header.size()));
  uint64_t done = 0;
  for (const Tensor& tensor : tensors_) {
    ENM_ASSIGN_OR_RETURN(const Blob data, tensor.data.load());
    ENM_RETURN_IF_ERROR(sink.write(data.bytes()));
    ENM_RETURN_IF_ERROR(write_padding(sink, data.size()));
    data.discard_pages();
    done += data.size();
    if (progress) ENM_RETURN_IF_ERROR(progress(done));
  }
  return {};
}

}  // namespace enm::formats
