#include "enm/formats/onnx_tensor.h"

#include <charconv>
#include <optional>

#include "enm/base/half.h"
#include "enm/formats/onnx_fields.h"
#include "enm/formats/protobuf.h"

namespace enm::formats {
namespace {

using graph::DType;
using graph::Tensor;
using graph::TensorData;

constexpr size_t kMaxRank = 32;

struct External {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

// What a TensorProto says, before it is known which of its fields holds the data.
struct Fields {
  std::string name;
  std::vector<int64_t> dims;
  int64_t data_type = 0;
  std::optional<Bytes> raw;
  std::vector<float> floats;
  std::vector<double> doubles;
  std::vector<int64_t> integers;
  External external;
  bool is_external = false;
  bool has_strings = false;
};

Result<uint64_t> parse_number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corrupt("external data: expected a number, got ", quoted(text));
  }
  return value;
}

Status read_external_entry(Bytes entry, External& external) {
  std::string key;
  std::string value;
  for (ProtoReader reader(entry); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    if (field.number == onnx::entry::kKey) key = field.text();
    if (field.number == onnx::entry::kValue) value = field.text();
  }
  if (key == "location") external.location = value;
  if (key == "offset") {
    ENM_ASSIGN_OR_RETURN(external.offset, parse_number(value));
  }
  if (key == "length") {
    ENM_ASSIGN_OR_RETURN(external.length, parse_number(value));
  }
  return {};
}

Status read_field(const ProtoField& field, Fields& out) {
  namespace tp = onnx::tensor;
  switch (field.number) {
    case tp::kDims:
      return read_packed_ints(field, out.dims);
    case tp::kDataType:
      out.data_type = field.as_int();
      return {};
    case tp::kName:
      out.name = field.text();
      return {};
    case tp::kRawData:
      out.raw = field.bytes;
      return {};
    case tp::kFloatData:
      return read_packed_floats(field, out.floats);
    case tp::kDoubleData:
      return read_packed_doubles(field, out.doubles);
    case tp::kInt32Data:
    case tp::kInt64Data:
    case tp::kUint64Data:
      return read_packed_ints(field, out.integers);
    case tp::kStringData:
      out.has_strings = true;
      return {};
    case tp::kSegment:
      return Unsupported("segmented tensors are not supported");
    case tp::kExternalData:
      return read_external_entry(field.bytes, out.external);
    case tp::kDataLocation:
      out.is_external = field.as_int() == tp::kLocationExternal;
      return {};
    default:
      return {};
  }
}

template <typename To, typename From>
std::vector<uint8_t> narrowed(const std::vector<From>& values) {
  std::vector<To> out;
  out.reserve(values.size());
  for (From value : values) out.push_back(static_cast<To>(value));
  return graph::to_bytes(out);
}

// Typed data fields: float_data for f32, int32_data for everything of 32 bits or less (halves as
// their bits, 4-bit elements already packed two to a byte), int64_data and uint64_data for the
// rest.
std::vector<uint8_t> typed_bytes(const Fields& fields, DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return graph::to_bytes(fields.floats);
    case DType::kFloat64:
      return graph::to_bytes(fields.doubles);
    case DType::kInt64:
    case DType::kUint64:
      return graph::to_bytes(fields.integers);
    case DType::kInt32:
    case DType::kUint32:
      return narrowed<uint32_t>(fields.integers);
    case DType::kFloat16:
    case DType::kBfloat16:
    case DType::kInt16:
    case DType::kUint16:
      return narrowed<uint16_t>(fields.integers);
    default:
      return narrowed<uint8_t>(fields.integers);
  }
}

Result<TensorData> external_data(const Fields& fields, uint64_t expected, const FileSource* files,
                                 const std::string& folder) {
  const External& external = fields.external;
  if (files == nullptr) return Unsupported("external data is not allowed here");
  ENM_RETURN_IF_ERROR(check_relative_name(external.location).in("external data"));
  const std::string name = folder + external.location;
  ENM_ASSIGN_OR_RETURN(const uint64_t size, files->size(name));
  const uint64_t length = external.length.value_or(expected);
  if (length != expected || external.offset > size || length > size - external.offset) {
    return Corrupt("external data: ", length, " bytes at ", external.offset, " of ",
                   external.location, "; expected ", expected, " bytes inside its ", size);
  }
  if (files->reads_on_demand()) {
    return TensorData::produced(length, [files, name, offset = external.offset](MutableBytes out) {
      return files->read(name, offset, out);
    });
  }
  ENM_ASSIGN_OR_RETURN(const Blob file, files->open(name));
  return TensorData::mapped(file.slice(external.offset, length));
}

}  // namespace

Result<NamedTensor> parse_tensor(const Blob& file, Bytes part, const FileSource* files,
                                 const std::string& folder) {
  Fields fields;
  for (ProtoReader reader(part); !reader.done();) {
    ENM_ASSIGN_OR_RETURN(const ProtoField field, reader.next());
    ENM_RETURN_IF_ERROR(read_field(field, fields).in(cat("tensor ", quoted(fields.name))));
  }
  const std::string where = cat("tensor ", quoted(fields.name));
  NamedTensor out{fields.name, {}};
  Tensor& tensor = out.tensor;
  tensor.dtype = static_cast<DType>(fields.data_type);
  if (fields.data_type < 0 || fields.data_type > 255 || graph::dtype_bits(tensor.dtype) == 0 ||
      fields.has_strings) {
    return Unsupported(where, " has element type ", fields.data_type, ", which is not supported");
  }
  if (fields.dims.size() > kMaxRank)
    return Corrupt(where, " has ", fields.dims.size(), " dimensions");
  tensor.dims = fields.dims;
  const auto count = graph::checked_element_count(tensor.dims);
  if (!count.ok()) return count.status().in(where);
  const uint64_t expected = graph::byte_size(tensor.dtype, *count);
  if (fields.is_external) {
    auto data = external_data(fields, expected, files, folder);
    if (!data.ok()) return data.status().in(where);
    tensor.data = *std::move(data);
  } else if (fields.raw) {
    const auto offset = static_cast<size_t>(fields.raw->data() - file.data());
    tensor.data =
        TensorData::mapped(file.slice(fields.raw->empty() ? 0 : offset, fields.raw->size()));
  } else {
    tensor.data = TensorData::inline_bytes(typed_bytes(fields, tensor.dtype));
  }
  if (tensor.data.size() != expected) {
    return Corrupt(where, " has ", tensor.data.size(), " bytes; its dimensions take ", expected);
  }
  return out;
}

}  // namespace enm::formats
