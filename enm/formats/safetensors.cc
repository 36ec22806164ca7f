#include "enm/formats/safetensors.h"

#include <set>

#include "enm/base/json.h"

namespace enm::formats {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr size_t kMaxShards = 4096;

graph::DType dtype_of(std::string_view name) {
  if (name == "F32") return graph::DType::kFloat32;
  if (name == "F16") return graph::DType::kFloat16;
  if (name == "BF16") return graph::DType::kBfloat16;
  return graph::DType::kUndefined;
}

// {dtype, shape, data_offsets} -> a tensor over that part of `data`.
Result<graph::Tensor> read_entry(const Json& json, std::string_view dtype, const Blob& data) {
  ENM_ASSIGN_OR_RETURN(const Json* shape, json.get("shape"));
  ENM_ASSIGN_OR_RETURN(const Json* offsets, json.get("data_offsets"));
  graph::Tensor tensor;
  tensor.dtype = dtype_of(dtype);
  if (!shape->is_array() || shape->items().size() > 8) {
    return Corrupt("shape: expected a list of at most 8 numbers");
  }
  for (const Json& dim : shape->items()) {
    if (!dim.is_int()) return Corrupt("shape: expected whole numbers");
    tensor.dims.push_back(dim.integer());
  }
  ENM_ASSIGN_OR_RETURN(const int64_t count, graph::checked_element_count(tensor.dims));
  const auto& range = offsets->items();
  if (range.size() != 2 || !range[0].is_int() || !range[1].is_int()) {
    return Corrupt("data_offsets: expected two numbers");
  }
  const int64_t begin = range[0].integer();
  const int64_t end = range[1].integer();
  if (begin < 0 || end < begin || static_cast<uint64_t>(end) > data.size()) {
    return Corrupt("data_offsets [", begin, ", ", end, "] leave the file's ", data.size(),
                   " bytes of data");
  }
  const auto size = static_cast<uint64_t>(end - begin);
  if (tensor.dtype != graph::DType::kUndefined && size != graph::byte_size(tensor.dtype, count)) {
    return Corrupt("has ", size, " bytes; ", count, " elements of ", dtype, " take ",
                   graph::byte_size(tensor.dtype, count));
  }
  tensor.data = graph::TensorData::mapped(data.slice(static_cast<size_t>(begin), size));
  return tensor;
}

}  // namespace

Status SafetensorsCheckpoint::add_file(const std::string& name, const Blob& file) {
  ByteReader reader(file.bytes());
  ENM_ASSIGN_OR_RETURN(const uint64_t header_size, reader.read<uint64_t>());
  if (header_size > reader.remaining() || header_size > kMaxHeaderBytes) {
    return Corrupt("header length ", header_size, " is beyond the file's ", file.size(),
                   " bytes or the limit of ", kMaxHeaderBytes);
  }
  ENM_ASSIGN_OR_RETURN(const Bytes header, reader.read_bytes(header_size));
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(as_text(header)));
  if (!json.is_object()) return Corrupt("the header is no JSON object");
  const size_t data_begin = sizeof(uint64_t) + header_size;
  const Blob data = file.slice(data_begin, file.size() - data_begin);
  for (const auto& [key, value] : json.members()) {
    if (key == "__metadata__") continue;
    ENM_ASSIGN_OR_RETURN(const std::string dtype, value.get_string("dtype"));
    auto tensor = read_entry(value, dtype, data);
    if (!tensor.ok()) return tensor.status().in(cat("tensor ", quoted(key)));
    if (!entries_.emplace(key, Entry{dtype, *std::move(tensor)}).second) {
      return Corrupt("tensor ", quoted(key), " stands in two files, the second being ", name);
    }
  }
  return {};
}

Result<SafetensorsCheckpoint> SafetensorsCheckpoint::open(const FileSource& files) {
  std::set<std::string> shards;
  if (files.contains("model.safetensors.index.json")) {
    ENM_ASSIGN_OR_RETURN(const Blob index, files.open("model.safetensors.index.json"));
    ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(as_text(index.bytes())));
    ENM_ASSIGN_OR_RETURN(const Json* map, json.get("weight_map"));
    for (const auto& [tensor, shard] : map->members()) {
      if (!shard.is_string()) return Corrupt("[safetensors] weight_map: expected file names");
      shards.insert(shard.string());
    }
  } else {
    shards.insert("model.safetensors");
  }
  if (shards.size() > kMaxShards) {
    return ResourceExhausted("[safetensors] ", shards.size(), " shards; at most ", kMaxShards);
  }
  SafetensorsCheckpoint checkpoint;
  for (const std::string& shard : shards) {
    ENM_RETURN_IF_ERROR(check_relative_name(shard));
    ENM_ASSIGN_OR_RETURN(const Blob file, files.open(shard));
    ENM_RETURN_IF_ERROR(checkpoint.add_file(shard, file).in(cat("[safetensors] ", shard)));
  }
  return checkpoint;
}

Result<graph::Tensor> SafetensorsCheckpoint::get(std::string_view name) const {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return NotFound("[safetensors] no tensor ", quoted(name));
  const Entry& entry = found->second;
  if (entry.tensor.dtype == graph::DType::kUndefined) {
    return Unsupported("[safetensors] tensor ", quoted(name), " has type ", entry.dtype,
                       "; F32, F16 and BF16 are read");
  }
  return entry.tensor;
}

std::vector<std::string> SafetensorsCheckpoint::names() const {
  std::vector<std::string> out;
  for (const auto& [name, entry] : entries_) out.push_back(name);
  return out;
}

}  // namespace enm::formats
