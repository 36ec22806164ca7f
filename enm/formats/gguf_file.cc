#include "enm/formats/gguf_file.h"

#include <algorithm>
#include <cstring>

#include "enm/base/strings.h"
#include "enm/graph/tensor.h"

namespace enm::formats {
namespace {

constexpr uint32_t kMostRank = 4;
constexpr uint64_t kMostName = 1024;
constexpr uint64_t kMostAlignment = uint64_t{1} << 20;
constexpr int64_t kMostParts = 1024;

// Bytes of an element; 0 for strings and arrays.
uint64_t element_size(GgufType type) {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kInt8:
    case GgufType::kBool:
      return 1;
    case GgufType::kUint16:
    case GgufType::kInt16:
      return 2;
    case GgufType::kUint32:
    case GgufType::kInt32:
    case GgufType::kFloat32:
      return 4;
    case GgufType::kUint64:
    case GgufType::kInt64:
    case GgufType::kFloat64:
      return 8;
    case GgufType::kString:
    case GgufType::kArray:
      break;
  }
  return 0;
}

template <typename T>
T load(Bytes bytes, uint64_t index) {
  T value;
  std::memcpy(&value, bytes.data() + index * sizeof(T), sizeof(T));
  return value;
}

Result<std::string_view> read_string(ByteReader& reader, uint64_t limit) {
  ENM_ASSIGN_OR_RETURN(const uint64_t size, reader.read<uint64_t>());
  if (size > limit) return Corrupt("a string of ", size, " bytes; at most ", limit);
  ENM_ASSIGN_OR_RETURN(const Bytes bytes, reader.read_bytes(size));
  return as_text(bytes);
}

// A list of `count` things of at least `least` bytes each must still be in the file.
Status check_count(const ByteReader& reader, uint64_t count, uint64_t least, const char* what) {
  if (count <= reader.remaining() / least) return {};
  return Corrupt(count, " ", what, " do not fit in the ", reader.remaining(), " bytes that follow");
}

Result<GgufType> read_type(ByteReader& reader) {
  ENM_ASSIGN_OR_RETURN(const uint32_t number, reader.read<uint32_t>());
  if (number > static_cast<uint32_t>(GgufType::kFloat64)) {
    return Unsupported("type ", number, " of metadata is not known");
  }
  return static_cast<GgufType>(number);
}

Result<GgufValue> read_value(ByteReader& reader) {
  GgufValue value;
  ENM_ASSIGN_OR_RETURN(value.type, read_type(reader));
  if (value.type == GgufType::kArray) {
    value.is_array = true;
    ENM_ASSIGN_OR_RETURN(value.type, read_type(reader));
    ENM_ASSIGN_OR_RETURN(value.count, reader.read<uint64_t>());
    if (value.type == GgufType::kArray) return Unsupported("arrays of arrays are not read");
  }
  if (value.type != GgufType::kString) {
    const uint64_t size = element_size(value.type);
    ENM_RETURN_IF_ERROR(check_count(reader, value.count, size, "elements"));
    ENM_ASSIGN_OR_RETURN(value.bytes, reader.read_bytes(value.count * size));
    return value;
  }
  ENM_RETURN_IF_ERROR(check_count(reader, value.count, sizeof(uint64_t), "strings"));
  value.strings.reserve(static_cast<size_t>(value.count));
  for (uint64_t i = 0; i < value.count; ++i) {
    ENM_ASSIGN_OR_RETURN(const std::string_view text, read_string(reader, reader.remaining()));
    value.strings.push_back(text);
  }
  return value;
}

/// "model" and 3 of "model-00001-of-00003.gguf".
struct PartName {
  std::string stem;
  int64_t count = 0;
};

std::string part_name(const PartName& name, int64_t part) {
  const auto five = [](int64_t number) {
    std::string digits = cat(number);
    while (digits.size() < 5) digits.insert(digits.begin(), '0');
    return digits;
  };
  return cat(name.stem, "-", five(part), "-of-", five(name.count), ".gguf");
}

// What the metadata says of parts; a count of 1 for a file that stands alone.
Result<PartName> parts_of(const GgufMetadata& metadata, const std::string& name) {
  PartName out;
  ENM_ASSIGN_OR_RETURN(out.count, metadata.integer("split.count", 1));
  ENM_ASSIGN_OR_RETURN(const int64_t number, metadata.integer("split.no", 0));
  if (out.count <= 1) return PartName{name, 1};
  if (out.count > kMostParts) return ResourceExhausted(out.count, " parts; at most ", kMostParts);
  const std::string tail = part_name({"", out.count}, 1);
  if (number != 0 || !name.ends_with(tail)) {
    return InvalidArgument("this is part ", number + 1, " of ", out.count,
                           "; give the first one, whose name ends in ", tail);
  }
  out.stem = name.substr(0, name.size() - tail.size());
  return out;
}

// A tensor's place in the data, before the data's place is known.
struct Entry {
  std::string_view name;
  GgufTensor tensor;
  uint64_t offset = 0;
  uint64_t size = 0;
};

Result<Entry> read_tensor(ByteReader& reader) {
  Entry entry;
  ENM_ASSIGN_OR_RETURN(entry.name, read_string(reader, kMostName));
  const auto rest = [&]() -> Status {
    ENM_ASSIGN_OR_RETURN(const uint32_t rank, reader.read<uint32_t>());
    if (rank > kMostRank) return Corrupt("has ", rank, " dimensions; at most ", kMostRank);
    auto& dims = entry.tensor.dims;
    for (uint32_t i = 0; i < rank; ++i) {
      ENM_ASSIGN_OR_RETURN(const int64_t dim, reader.read<int64_t>());
      dims.insert(dims.begin(), dim);
    }
    ENM_ASSIGN_OR_RETURN(entry.tensor.type_number, reader.read<uint32_t>());
    ENM_ASSIGN_OR_RETURN(entry.offset, reader.read<uint64_t>());
    ENM_ASSIGN_OR_RETURN(const int64_t count, graph::checked_element_count(dims));
    const GgmlTypeInfo* type = find_ggml_type(entry.tensor.type_number);
    if (type == nullptr) return {};
    const int64_t columns = dims.empty() ? 1 : dims.back();
    if (columns % type->block != 0) {
      return Corrupt("has rows of ", columns, "; ", type->name, " is made of blocks of ",
                     type->block);
    }
    entry.tensor.type = type;
    entry.size = static_cast<uint64_t>(type->row_bytes(count));
    return {};
  };
  ENM_RETURN_IF_ERROR(rest().in(cat("tensor ", quoted(entry.name))));
  return entry;
}

// Within the data, aligned, and behind one another in the order of their offsets.
Status check_places(std::vector<Entry>& entries, uint64_t data_size, uint64_t alignment) {
  std::vector<const Entry*> sorted;
  for (const Entry& entry : entries) {
    if (entry.offset % alignment != 0) {
      return Corrupt("tensor ", quoted(entry.name), " begins at ", entry.offset,
                     ", no multiple of the alignment ", alignment);
    }
    if (entry.offset > data_size || entry.size > data_size - entry.offset) {
      return Corrupt("tensor ", quoted(entry.name), " takes ", entry.size, " bytes at ",
                     entry.offset, "; the file has ", data_size, " bytes of data");
    }
    if (entry.size > 0) sorted.push_back(&entry);
  }
  std::ranges::sort(sorted, {}, &Entry::offset);
  for (size_t i = 1; i < sorted.size(); ++i) {
    if (sorted[i]->offset - sorted[i - 1]->offset < sorted[i - 1]->size) {
      return Corrupt("tensor ", quoted(sorted[i]->name), " lies on the bytes of ",
                     quoted(sorted[i - 1]->name));
    }
  }
  return {};
}

}  // namespace

int64_t GgufValue::integer(uint64_t index) const {
  switch (type) {
    case GgufType::kUint8:
    case GgufType::kBool:
      return load<uint8_t>(bytes, index);
    case GgufType::kInt8:
      return load<int8_t>(bytes, index);
    case GgufType::kUint16:
      return load<uint16_t>(bytes, index);
    case GgufType::kInt16:
      return load<int16_t>(bytes, index);
    case GgufType::kUint32:
      return load<uint32_t>(bytes, index);
    case GgufType::kInt32:
      return load<int32_t>(bytes, index);
    case GgufType::kUint64:
    case GgufType::kInt64:
      return load<int64_t>(bytes, index);
    default:
      return 0;
  }
}

double GgufValue::number(uint64_t index) const {
  if (type == GgufType::kFloat32) return load<float>(bytes, index);
  if (type == GgufType::kFloat64) return load<double>(bytes, index);
  return static_cast<double>(integer(index));
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

Result<const GgufValue*> GgufMetadata::get(std::string_view key, bool is_array, const Kind& kind,
                                           std::string_view expected) const {
  const GgufValue* value = find(key);
  if (value == nullptr) return NotFound("no metadata ", quoted(key));
  if ((value->*kind)() && value->is_array == is_array) return value;
  return Corrupt("metadata ", quoted(key), ": expected ", expected);
}

Result<int64_t> GgufMetadata::integer(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value,
                       get(key, false, &GgufValue::is_integer, "an integer"));
  return value->integer();
}

Result<int64_t> GgufMetadata::integer(std::string_view key, int64_t fallback) const {
  return find(key) == nullptr ? Result<int64_t>(fallback) : integer(key);
}

Result<double> GgufMetadata::number(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value, get(key, false, &GgufValue::is_number, "a number"));
  return value->number();
}

Result<double> GgufMetadata::number(std::string_view key, double fallback) const {
  return find(key) == nullptr ? Result<double>(fallback) : number(key);
}

Result<bool> GgufMetadata::flag(std::string_view key, bool fallback) const {
  if (find(key) == nullptr) return fallback;
  ENM_ASSIGN_OR_RETURN(const GgufValue* value, get(key, false, &GgufValue::is_flag, "a bool"));
  return value->integer() != 0;
}

Result<std::string_view> GgufMetadata::text(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value, get(key, false, &GgufValue::is_text, "a string"));
  return value->strings[0];
}

Result<std::string_view> GgufMetadata::text(std::string_view key, std::string_view fallback) const {
  return find(key) == nullptr ? Result<std::string_view>(fallback) : text(key);
}

Result<std::span<const std::string_view>> GgufMetadata::strings(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value,
                       get(key, true, &GgufValue::is_text, "an array of strings"));
  return std::span<const std::string_view>(value->strings);
}

Result<std::vector<int64_t>> GgufMetadata::integers(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value,
                       get(key, true, &GgufValue::is_integer, "an array of integers"));
  std::vector<int64_t> out(static_cast<size_t>(value->count));
  for (size_t i = 0; i < out.size(); ++i) out[i] = value->integer(i);
  return out;
}

Result<std::vector<float>> GgufMetadata::numbers(std::string_view key) const {
  ENM_ASSIGN_OR_RETURN(const GgufValue* value,
                       get(key, true, &GgufValue::is_number, "an array of numbers"));
  std::vector<float> out(static_cast<size_t>(value->count));
  for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<float>(value->number(i));
  return out;
}

bool is_gguf(Bytes bytes) { return as_text(bytes).starts_with("GGUF"); }

Status GgufFile::add_part(const Blob& file, GgufMetadata& metadata) {
  if (!is_gguf(file.bytes())) return Corrupt("the file does not begin with \"GGUF\"");
  ByteReader reader(file.bytes().subspan(4));
  ENM_ASSIGN_OR_RETURN(const uint32_t version, reader.read<uint32_t>());
  if (version != 2 && version != 3) {
    return Unsupported("version ", version, "; little-endian files of versions 2 and 3 are read");
  }
  ENM_ASSIGN_OR_RETURN(const uint64_t tensors, reader.read<uint64_t>());
  ENM_ASSIGN_OR_RETURN(const uint64_t entries, reader.read<uint64_t>());
  ENM_RETURN_IF_ERROR(check_count(reader, entries, 13, "entries of metadata"));
  for (uint64_t i = 0; i < entries; ++i) {
    ENM_ASSIGN_OR_RETURN(const std::string_view key, read_string(reader, kMostName));
    auto value = read_value(reader);
    if (!value.ok()) return value.status().in(cat("metadata ", quoted(key)));
    if (!metadata.entries_.emplace(key, *std::move(value)).second) {
      return Corrupt("metadata ", quoted(key), " stands twice");
    }
  }
  ENM_RETURN_IF_ERROR(check_count(reader, tensors, 24, "tensors"));
  std::vector<Entry> places;
  for (uint64_t i = 0; i < tensors; ++i) {
    ENM_ASSIGN_OR_RETURN(Entry entry, read_tensor(reader));
    places.push_back(std::move(entry));
  }
  ENM_ASSIGN_OR_RETURN(const int64_t given, metadata.integer("general.alignment", 32));
  const auto alignment = static_cast<uint64_t>(given);
  if (alignment == 0 || alignment > kMostAlignment || (alignment & (alignment - 1)) != 0) {
    return Corrupt("general.alignment is ", given, "; expected a power of two up to ",
                   kMostAlignment);
  }
  const uint64_t header = file.size() - reader.remaining();
  const uint64_t begin = (header + alignment - 1) / alignment * alignment;
  const uint64_t data_size = begin < file.size() ? file.size() - begin : 0;
  ENM_RETURN_IF_ERROR(check_places(places, data_size, alignment));
  for (Entry& entry : places) {
    if (entry.size > 0) {
      entry.tensor.data = file.slice(static_cast<size_t>(begin + entry.offset), entry.size);
    }
    if (!tensors_.emplace(entry.name, std::move(entry.tensor)).second) {
      return Corrupt("tensor ", quoted(entry.name), " stands twice");
    }
  }
  files_.push_back(file);
  return {};
}

Result<GgufFile> GgufFile::open(const FileSource& files, const std::string& name) {
  GgufFile out;
  const auto add = [&](const std::string& file_name, GgufMetadata& metadata) -> Status {
    ENM_ASSIGN_OR_RETURN(const Blob file, files.open(file_name));
    return out.add_part(file, metadata).in(cat("[gguf] ", file_name));
  };
  ENM_RETURN_IF_ERROR(add(name, out.metadata_));
  const auto parts = parts_of(out.metadata_, name);
  if (!parts.ok()) return parts.status().in(cat("[gguf] ", name));
  for (int64_t part = 2; part <= parts->count; ++part) {
    const std::string part_file = part_name(*parts, part);
    GgufMetadata metadata;
    ENM_RETURN_IF_ERROR(add(part_file, metadata));
    ENM_ASSIGN_OR_RETURN(const int64_t number, metadata.integer("split.no", -1));
    ENM_ASSIGN_OR_RETURN(const int64_t count, metadata.integer("split.count", -1));
    if (number != part - 1 || count != parts->count) {
      return Corrupt("[gguf] ", part_file, " calls itself part ", number + 1, " of ", count);
    }
  }
  ENM_ASSIGN_OR_RETURN(
      const int64_t tensors,
      out.metadata_.integer("split.tensors.count", static_cast<int64_t>(out.tensors_.size())));
  if (tensors != static_cast<int64_t>(out.tensors_.size())) {
    return Corrupt("[gguf] ", name, ": ", out.tensors_.size(), " tensors in its parts; expected ",
                   tensors);
  }
  return out;
}

}  // namespace enm::formats
