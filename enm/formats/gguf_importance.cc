#include "enm/formats/gguf_importance.h"

#include <cmath>
#include <cstring>

#include "enm/formats/gguf_file.h"

namespace enm::formats {
namespace {

constexpr std::string_view kSums = ".in_sum2";
constexpr std::string_view kCounts = ".counts";

Status check(const std::string& name, const std::vector<float>& values) {
  for (const float value : values) {
    if (!std::isfinite(value) || value < 0) {
      return Corrupt("the importance of ", quoted(name), " has ", value, " in it");
    }
  }
  return {};
}

Result<std::vector<float>> floats_of(const GgufTensor& tensor, std::string_view name) {
  if (tensor.type == nullptr || tensor.type->type != GgmlType::kF32) {
    return Corrupt("tensor ", quoted(name), " is not in F32");
  }
  std::vector<float> out(tensor.data.size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), tensor.data.data(), tensor.data.size());
  return out;
}

Result<GgufImportance> read_gguf(const GgufFile& file) {
  GgufImportance out;
  for (const auto& [name, tensor] : file.tensors()) {
    if (!name.ends_with(kSums)) continue;
    const std::string of = name.substr(0, name.size() - kSums.size());
    const auto counts = file.tensors().find(cat(of, kCounts));
    if (counts == file.tensors().end()) return Corrupt(quoted(of), " has sums and no counts");
    ENM_ASSIGN_OR_RETURN(std::vector<float> values, floats_of(tensor, name));
    ENM_ASSIGN_OR_RETURN(const auto count, floats_of(counts->second, counts->first));
    if (count.size() != 1) return Unsupported(quoted(of), " has experts");
    // What was never called tells nothing: all columns alike.
    const float times = std::round(count[0]);
    for (float& value : values) value = times > 0 ? value / times : 1.0f;
    out.columns.emplace(of, std::move(values));
  }
  if (out.columns.empty()) return Corrupt("no tensor's name ends in ", kSums);
  const GgufMetadata& metadata = file.metadata();
  ENM_ASSIGN_OR_RETURN(out.chunks, metadata.integer("imatrix.chunk_count", 0));
  if (metadata.find("imatrix.datasets") != nullptr) {
    ENM_ASSIGN_OR_RETURN(const auto texts, metadata.strings("imatrix.datasets"));
    if (!texts.empty()) out.text = texts[0];
  }
  return out;
}

// Reads numbers and bytes until they end.
class DatReader {
 public:
  explicit DatReader(Bytes bytes) : rest_(bytes) {}

  bool is_empty() const { return rest_.empty(); }
  Result<Bytes> bytes(uint64_t count) {
    if (count > rest_.size()) return Corrupt("the file ends amid an entry");
    const Bytes out = rest_.first(static_cast<size_t>(count));
    rest_ = rest_.subspan(out.size());
    return out;
  }
  // Not negative.
  Result<int32_t> number() {
    ENM_ASSIGN_OR_RETURN(const Bytes four, bytes(sizeof(int32_t)));
    int32_t out;
    std::memcpy(&out, four.data(), sizeof out);
    if (out < 0) return Corrupt("a count is ", out);
    return out;
  }
  Result<std::string> text() {
    ENM_ASSIGN_OR_RETURN(const int32_t length, number());
    ENM_ASSIGN_OR_RETURN(const Bytes letters, bytes(static_cast<uint64_t>(length)));
    return std::string(as_text(letters));
  }

 private:
  Bytes rest_;
};

Result<GgufImportance> read_dat(Bytes file) {
  GgufImportance out;
  DatReader reader(file);
  ENM_ASSIGN_OR_RETURN(const int32_t entries, reader.number());
  if (entries < 1) return Corrupt("no entries");
  for (int32_t i = 0; i < entries; ++i) {
    ENM_ASSIGN_OR_RETURN(std::string name, reader.text());
    ENM_ASSIGN_OR_RETURN(const int32_t calls, reader.number());
    ENM_ASSIGN_OR_RETURN(const int32_t count, reader.number());
    ENM_ASSIGN_OR_RETURN(const Bytes bytes,
                         reader.bytes(static_cast<uint64_t>(count) * sizeof(float)));
    std::vector<float> values(static_cast<size_t>(count));
    if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
    if (calls > 0) {
      for (float& value : values) value /= static_cast<float>(calls);
    }
    out.columns.insert_or_assign(std::move(name), std::move(values));
  }
  if (reader.is_empty()) return out;
  ENM_ASSIGN_OR_RETURN(out.chunks, reader.number());
  if (reader.is_empty()) return out;
  ENM_ASSIGN_OR_RETURN(out.text, reader.text());
  return out;
}

}  // namespace

Result<GgufImportance> read_importance(const FileSource& files, const std::string& name) {
  ENM_ASSIGN_OR_RETURN(const Blob bytes, files.open(name));
  const auto read = [&]() -> Result<GgufImportance> {
    if (!is_gguf(bytes.bytes())) return read_dat(bytes.bytes());
    ENM_ASSIGN_OR_RETURN(const GgufFile file, GgufFile::open(files, name));
    return read_gguf(file);
  };
  auto importance = read();
  if (!importance.ok()) return importance.status().in(name);
  for (const auto& [tensor, values] : importance->columns) {
    ENM_RETURN_IF_ERROR(check(tensor, values));
  }
  return importance;
}

}  // namespace enm::formats
