#include "enm/graph/text.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstring>

#include "enm/base/strings.h"

namespace enm::graph {
namespace {

constexpr int64_t kFewElements = 64;  // printed as numbers, not as bytes

bool is_bare(std::string_view name) {
  return !name.empty() && name != "_" && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::strchr("_./-", c) != nullptr;
  }) && name.find('\0') == std::string_view::npos;
}

// An operator's or a key's name: no dots, so that the domain can stand before one.
bool is_word(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  });
}

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    const auto byte = static_cast<uint8_t>(c);
    if (c == '"' || c == '\\') {
      append(out, '\\');
      append(out, c);
    } else if (byte < 0x20 || byte >= 0x7f) {
      append(out, "\\x");
      append(out, to_hex(&byte, 1));
    } else {
      append(out, c);
    }
  }
  return out + "\"";
}

std::string dim_text(const Dim& dim) {
  if (!dim.is_symbolic()) return dim.str();
  const std::string& symbol = dim.symbol();
  const bool is_plain = std::isalpha(static_cast<unsigned char>(symbol.front())) != 0 &&
                        symbol.back() != ' ' &&
                        std::all_of(symbol.begin(), symbol.end(), [](char c) {
                          return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                                 (c != '\0' && std::strchr("_ +*/-", c) != nullptr);
                        });
  return is_plain ? symbol : quote(symbol);
}

std::string type_text(const Type& type) {
  std::string out(dtype_name(type.dtype));
  if (!type.shape) return out;
  std::vector<std::string> dims;
  for (const Dim& dim : *type.shape) dims.push_back(dim_text(dim));
  return cat(out, "[", join(dims, ", "), "]");
}

// The shortest digits that read back as the same float, not as the same double.
std::string number_text(float value) {
  char digits[32];
  return {digits, std::to_chars(digits, digits + sizeof digits, value).ptr};
}
std::string number_text(int64_t value) { return cat(value); }

template <typename T>
bool append_numbers(std::string& out, Bytes bytes) {
  for (size_t i = 0; i < bytes.size() / sizeof(T); ++i) {
    T value;
    std::memcpy(&value, bytes.data() + i * sizeof(T), sizeof(T));
    if constexpr (std::is_floating_point_v<T>) {
      if (!std::isfinite(value)) return false;
    }
    append(out, i == 0 ? "" : ", ");
    if constexpr (std::is_floating_point_v<T>) {
      append(out, number_text(value));
    } else {
      append(out, static_cast<int64_t>(value));
    }
  }
  return true;
}

bool append_elements(std::string& out, DType type, Bytes bytes) {
  switch (type) {
    case DType::kFloat32:
      return append_numbers<float>(out, bytes);
    case DType::kInt64:
      return append_numbers<int64_t>(out, bytes);
    case DType::kInt32:
      return append_numbers<int32_t>(out, bytes);
    case DType::kInt8:
      return append_numbers<int8_t>(out, bytes);
    case DType::kUint8:
    case DType::kBool:
      return append_numbers<uint8_t>(out, bytes);
    default:
      return false;
  }
}

class Printer {
 public:
  Printer(const Graph& graph, const TextOptions& options) : graph_(graph), options_(options) {}

  Result<std::string> run() {
    append(out_, cat("graph ", quote(graph_.name), " producer ", quote(graph_.producer), "\n"));
    for (const auto& [domain, version] : graph_.opsets) {
      append(out_, cat("opset ", quote(domain), " ", version, "\n"));
    }
    for (const auto& [key, value] : graph_.metadata) {
      append(out_, cat("metadata ", quote(key), " ", quote(value), "\n"));
    }
    for (ValueId id : graph_.inputs) append(out_, cat("input ", typed(id), "\n"));
    for (size_t i = 0; i < graph_.value_count(); ++i) {
      const auto id = static_cast<ValueId>(i);
      if (graph_.constant(id) == nullptr) continue;
      append(out_, cat("const ", name(id), ": "));
      ENM_RETURN_IF_ERROR(tensor(*graph_.constant(id)));
      append(out_, '\n');
    }
    for (const Node& one : graph_.nodes) ENM_RETURN_IF_ERROR(node(one));
    for (ValueId id : graph_.outputs) append(out_, cat("output ", name(id), "\n"));
    return std::move(out_);
  }

 private:
  std::string name(ValueId id) const {
    if (id == kNoValue) return "_";
    const std::string& text = graph_.value(id).name;
    return cat("%", is_bare(text) ? text : quote(text));
  }
  std::string typed(ValueId id) const {
    return id == kNoValue ? "_" : cat(name(id), ": ", type_text(graph_.value(id).type));
  }

  Status tensor(const Tensor& tensor) {
    append(out_, type_text(tensor.type()));
    const bool is_small = tensor.element_count() <= kFewElements;
    if (!is_small && !options_.all_data) {
      append(out_, " ...");
      return {};
    }
    ENM_ASSIGN_OR_RETURN(const Blob bytes, tensor.data.load());
    std::string numbers;
    if (is_small && append_elements(numbers, tensor.dtype, bytes.bytes())) {
      append(out_, cat(" {", numbers, "}"));
    } else {
      append(out_, cat(" x\"", to_hex(bytes.data(), bytes.size()), "\""));
    }
    return {};
  }

  Status node(const Node& node) {
    std::vector<std::string> outputs;
    for (ValueId id : node.outputs) outputs.push_back(typed(id));
    std::vector<std::string> inputs;
    for (ValueId id : node.inputs) inputs.push_back(name(id));
    const bool is_plain = is_word(node.op_type) && (node.domain.empty() || is_bare(node.domain));
    const std::string op = is_plain ? cat(node.domain, node.domain.empty() ? "" : ".", node.op_type)
                                    : cat(quote(node.domain), ".", quote(node.op_type));
    append(out_, cat(outputs.empty() ? "()" : join(outputs, ", "), " = ", op, " ", quote(node.name),
                     " (", join(inputs, ", "), ")"));
    const char* separator = " {";
    for (const auto& [key, value] : node.attributes) {
      append(out_, cat(separator, is_word(key) ? key : quote(key), " = "));
      ENM_RETURN_IF_ERROR(std::visit([this](const auto& v) { return attribute(v); }, value));
      separator = ", ";
    }
    append(out_, node.attributes.empty() ? "\n" : "}\n");
    return {};
  }

  Status attribute(int64_t value) { return put(cat("int ", value)); }
  Status attribute(float value) { return put(cat("float ", number_text(value))); }
  Status attribute(const std::string& value) { return put(cat("string ", quote(value))); }
  Status attribute(const Tensor& value) {
    append(out_, "tensor ");
    return tensor(value);
  }
  Status attribute(const OpaqueAttribute& value) {
    return put(cat("opaque x\"", to_hex(value.attribute_proto.data(), value.attribute_proto.size()),
                   "\""));
  }
  Status attribute(const std::vector<int64_t>& values) { return list("ints [", values); }
  Status attribute(const std::vector<float>& values) { return list("floats [", values); }
  Status attribute(const std::vector<std::string>& values) {
    std::vector<std::string> quotes;
    for (const std::string& value : values) quotes.push_back(quote(value));
    return list("strings [", quotes);
  }

  template <typename T>
  Status list(const char* begin, const std::vector<T>& values) {
    append(out_, begin);
    for (size_t i = 0; i < values.size(); ++i) {
      append(out_, i == 0 ? "" : ", ");
      if constexpr (std::is_same_v<T, std::string>) {
        append(out_, values[i]);
      } else {
        append(out_, number_text(values[i]));
      }
    }
    return put("]");
  }
  Status put(std::string_view text) {
    append(out_, text);
    return {};
  }

  const Graph& graph_;
  const TextOptions options_;
  std::string out_;
};

}  // namespace

Result<std::string> to_text(const Graph& graph, const TextOptions& options) {
  return Printer(graph, options).run();
}

}  // namespace enm::graph
