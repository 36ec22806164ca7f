#include "enm/formats/protobuf.h"

#include <cstring>

namespace enm::formats {
namespace {

// Values of a packed field of fixed-width elements, or the one value of an unpacked field.
template <typename T>
Status read_packed_fixed(const ProtoField& field, Wire single, std::vector<T>& out) {
  if (field.wire == single) {
    T value;
    std::memcpy(&value, &field.integer, sizeof value);
    out.push_back(value);
    return {};
  }
  if (field.wire != Wire::kBytes || field.bytes.size() % sizeof(T) != 0) {
    return Corrupt("[protobuf] field ", field.number, " is no list of ", sizeof(T),
                   "-byte numbers");
  }
  const size_t count = field.bytes.size() / sizeof(T);
  out.resize(out.size() + count);
  if (count > 0)
    std::memcpy(out.data() + out.size() - count, field.bytes.data(), field.bytes.size());
  return {};
}

}  // namespace

Result<uint64_t> ProtoReader::varint() {
  uint64_t value = 0;
  for (int i = 0; i < 10; ++i) {
    if (rest_.empty()) return Corrupt("[protobuf] a varint runs past the end");
    const uint8_t byte = rest_[0];
    rest_ = rest_.subspan(1);
    if (i == 9 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  return Corrupt("[protobuf] a varint has more than 64 bits");
}

Result<ProtoField> ProtoReader::next() {
  ENM_ASSIGN_OR_RETURN(const uint64_t tag, varint());
  ProtoField field;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wire = static_cast<Wire>(tag & 7);
  if (field.number == 0 || tag >> 32 != 0) return Corrupt("[protobuf] bad field tag ", tag);
  const auto fixed = [&](size_t size) -> Status {
    if (rest_.size() < size)
      return Corrupt("[protobuf] field ", field.number, " runs past the end");
    std::memcpy(&field.integer, rest_.data(), size);
    rest_ = rest_.subspan(size);
    return {};
  };
  switch (field.wire) {
    case Wire::kVarint: {
      ENM_ASSIGN_OR_RETURN(field.integer, varint());
      return field;
    }
    case Wire::kFixed64:
      ENM_RETURN_IF_ERROR(fixed(8));
      return field;
    case Wire::kFixed32:
      ENM_RETURN_IF_ERROR(fixed(4));
      return field;
    case Wire::kBytes: {
      ENM_ASSIGN_OR_RETURN(const uint64_t size, varint());
      if (size > rest_.size()) {
        return Corrupt("[protobuf] field ", field.number, " has ", size, " bytes, but ",
                       rest_.size(), " are left");
      }
      field.bytes = rest_.first(size);
      rest_ = rest_.subspan(size);
      return field;
    }
  }
  return Corrupt("[protobuf] field ", field.number, " has unknown wire type ", tag & 7);
}

Status read_packed_ints(const ProtoField& field, std::vector<int64_t>& out) {
  if (field.wire == Wire::kVarint) {
    out.push_back(field.as_int());
    return {};
  }
  if (field.wire != Wire::kBytes) {
    return Corrupt("[protobuf] field ", field.number, " is no list of integers");
  }
  // A packed list is varints without tags; each is at least a byte, so this cannot outgrow the
  // file.
  Bytes rest = field.bytes;
  while (!rest.empty()) {
    uint64_t value = 0;
    size_t used = 0;
    for (;; ++used) {
      if (used == rest.size() || used == 10)
        return Corrupt("[protobuf] a packed varint is cut short");
      value |= static_cast<uint64_t>(rest[used] & 0x7f) << (7 * used);
      if (rest[used] < 0x80) break;
    }
    rest = rest.subspan(used + 1);
    out.push_back(static_cast<int64_t>(value));
  }
  return {};
}

Status read_packed_floats(const ProtoField& field, std::vector<float>& out) {
  return read_packed_fixed(field, Wire::kFixed32, out);
}

Status read_packed_doubles(const ProtoField& field, std::vector<double>& out) {
  return read_packed_fixed(field, Wire::kFixed64, out);
}

void ProtoWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<uint8_t>(value | 0x80));
  out_.push_back(static_cast<uint8_t>(value));
}

void ProtoWriter::tag(uint32_t number, Wire wire) {
  varint(static_cast<uint64_t>(number) << 3 | static_cast<uint64_t>(wire));
}

void ProtoWriter::integer(uint32_t number, int64_t value) {
  tag(number, Wire::kVarint);
  varint(static_cast<uint64_t>(value));
}

void ProtoWriter::float32(uint32_t number, float value) {
  tag(number, Wire::kFixed32);
  const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
  out_.insert(out_.end(), bytes, bytes + 4);
}

void ProtoWriter::header(uint32_t number, uint64_t size) {
  tag(number, Wire::kBytes);
  varint(size);
}

void ProtoWriter::bytes(uint32_t number, Bytes value) {
  header(number, value.size());
  raw(value);
}

void ProtoWriter::packed_ints(uint32_t number, const std::vector<int64_t>& values) {
  ProtoWriter list;
  for (int64_t value : values) list.varint(static_cast<uint64_t>(value));
  message(number, list);
}

void ProtoWriter::packed_floats(uint32_t number, const std::vector<float>& values) {
  header(number, values.size() * sizeof(float));
  const auto* begin = reinterpret_cast<const uint8_t*>(values.data());
  raw({begin, values.size() * sizeof(float)});
}

}  // namespace enm::formats
