#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstring>

#include "enm/base/strings.h"
#include "enm/graph/text.h"
#include "enm/graph/verify.h"

namespace enm::graph {
namespace {

// Words, quotes, numbers and marks, with blanks and comments between them passed over.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}

  bool at_end() {
    skip();
    return at_ == text_.size();
  }
  char peek() {
    skip();
    return at_ < text_.size() ? text_[at_] : '\0';
  }
  bool take(std::string_view mark) {
    skip();
    if (!text_.substr(at_).starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }
  Status expect(std::string_view mark) {
    return take(mark) ? Status() : error(cat("expected ", quoted(mark)));
  }
  /// The longest run of letters, digits and `more`; perhaps empty.
  std::string_view word(const char* more = "_") {
    skip();
    const size_t begin = at_;
    while (at_ < text_.size() && is_part(text_[at_], more)) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  Result<std::string> quote() {
    ENM_RETURN_IF_ERROR(expect("\""));
    std::string out;
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] != '\\') {
        append(out, text_[at_]);
      } else if (text_.substr(at_).starts_with("\\x")) {
        const int byte = hex(at_ + 2);
        if (byte < 0) return error("expected two hexadecimal digits");
        append(out, static_cast<char>(byte));
        at_ += 3;
      } else if (++at_ < text_.size()) {
        append(out, text_[at_]);
      }
    }
    if (at_ >= text_.size()) return error("a quote has no end");
    ++at_;
    return out;
  }

  Result<std::vector<uint8_t>> hex_bytes() {
    ENM_RETURN_IF_ERROR(expect("x\""));
    std::vector<uint8_t> out;
    for (; at_ < text_.size() && text_[at_] != '"'; at_ += 2) {
      const int byte = hex(at_);
      if (byte < 0) return error("expected two hexadecimal digits");
      out.push_back(static_cast<uint8_t>(byte));
    }
    ENM_RETURN_IF_ERROR(expect("\""));
    return out;
  }

  template <typename T>
  Result<T> number() {
    skip();
    T value{};
    const char* end = text_.data() + text_.size();
    const auto [stop, code] = std::from_chars(text_.data() + at_, end, value);
    if (code != std::errc()) return error("expected a number");
    at_ = static_cast<size_t>(stop - text_.data());
    return value;
  }

  Status error(std::string_view what) const {
    const auto until = static_cast<std::ptrdiff_t>(at_ < text_.size() ? at_ : text_.size());
    const auto line = 1 + std::count(text_.begin(), text_.begin() + until, '\n');
    return Corrupt("line ", static_cast<int64_t>(line), ": ", what, ", got ",
                   quoted(text_.substr(static_cast<size_t>(until)), 20));
  }

 private:
  static bool is_part(char c, const char* more) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           (c != '\0' && std::strchr(more, c) != nullptr);
  }
  void skip() {
    while (at_ < text_.size()) {
      if (text_[at_] == '#' && (at_ == 0 || text_[at_ - 1] == '\n')) {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
      } else if (std::isspace(static_cast<unsigned char>(text_[at_])) != 0) {
        ++at_;
      } else {
        return;
      }
    }
  }
  int hex(size_t at) const {
    uint8_t byte = 0;
    if (at + 2 > text_.size()) return -1;
    const auto [stop, code] = std::from_chars(text_.data() + at, text_.data() + at + 2, byte, 16);
    return code == std::errc() && stop == text_.data() + at + 2 ? byte : -1;
  }

  const std::string_view text_;
  size_t at_ = 0;
};

class Parser {
 public:
  explicit Parser(std::string_view text) : in_(text) {}

  Result<Graph> run() {
    ENM_RETURN_IF_ERROR(in_.expect("graph"));
    ENM_ASSIGN_OR_RETURN(graph_.name, in_.quote());
    ENM_RETURN_IF_ERROR(in_.expect("producer"));
    ENM_ASSIGN_OR_RETURN(graph_.producer, in_.quote());
    while (!in_.at_end()) ENM_RETURN_IF_ERROR(statement());
    ENM_RETURN_IF_ERROR(verify(graph_));
    return std::move(graph_);
  }

 private:
  Status statement() {
    if (in_.peek() == '%' || in_.peek() == '_' || in_.peek() == '(') return node();
    const std::string_view word = in_.word();
    if (word == "opset") {
      ENM_ASSIGN_OR_RETURN(const std::string domain, in_.quote());
      ENM_ASSIGN_OR_RETURN(graph_.opsets[domain], in_.number<int64_t>());
    } else if (word == "metadata") {
      ENM_ASSIGN_OR_RETURN(const std::string key, in_.quote());
      ENM_ASSIGN_OR_RETURN(graph_.metadata[key], in_.quote());
    } else if (word == "input") {
      ENM_ASSIGN_OR_RETURN(const ValueId id, new_value());
      graph_.inputs.push_back(id);
    } else if (word == "const") {
      ENM_ASSIGN_OR_RETURN(const std::string name, new_name());
      ENM_RETURN_IF_ERROR(in_.expect(":"));
      ENM_ASSIGN_OR_RETURN(Tensor value, tensor());
      graph_.add_constant(name, std::move(value));
    } else if (word == "output") {
      ENM_ASSIGN_OR_RETURN(const ValueId id, known_value());
      graph_.outputs.push_back(id);
    } else {
      return in_.error("expected opset, metadata, input, const, output or a node");
    }
    return {};
  }

  Result<std::string> name() {
    ENM_RETURN_IF_ERROR(in_.expect("%"));
    if (in_.peek() == '"') return in_.quote();
    const std::string_view word = in_.word("_./-");
    return word.empty() ? Result<std::string>(in_.error("expected a name")) : std::string(word);
  }

  Result<std::string> new_name() {
    ENM_ASSIGN_OR_RETURN(std::string fresh, name());
    if (graph_.find_value(fresh) == kNoValue) return fresh;
    return in_.error(cat(quoted(fresh), " is made twice"));
  }

  Result<ValueId> known_value() {
    ENM_ASSIGN_OR_RETURN(const std::string known, name());
    const ValueId id = graph_.find_value(known);
    if (id != kNoValue) return id;
    return in_.error(cat(quoted(known), " is read before it is made"));
  }

  Result<ValueId> new_value() {
    ENM_ASSIGN_OR_RETURN(const std::string fresh, new_name());
    ENM_RETURN_IF_ERROR(in_.expect(":"));
    ENM_ASSIGN_OR_RETURN(Type made, type());
    return graph_.add_value(fresh, std::move(made));
  }

  Result<Type> type() {
    Type out;
    const bool unknown = in_.take("?");
    const std::string_view word = unknown ? "?" : in_.word();
    const auto dtype = dtype_from_name(word);
    if (!dtype) return in_.error(cat("expected an element type after ", quoted(word)));
    out.dtype = *dtype;
    if (!in_.take("[")) return out;
    out.shape.emplace();
    while (!in_.take("]")) {
      if (!out.shape->empty()) ENM_RETURN_IF_ERROR(in_.expect(","));
      ENM_ASSIGN_OR_RETURN(Dim one, dim());
      out.shape->push_back(std::move(one));
    }
    return out;
  }

  Result<Dim> dim() {
    if (in_.take("?")) return Dim();
    if (in_.peek() == '"') {
      ENM_ASSIGN_OR_RETURN(std::string symbol, in_.quote());
      return Dim(std::move(symbol));
    }
    if (std::isdigit(static_cast<unsigned char>(in_.peek())) != 0) {
      ENM_ASSIGN_OR_RETURN(const int64_t size, in_.number<int64_t>());
      return Dim(size);
    }
    std::string symbol(in_.word("_ +*/-"));
    while (!symbol.empty() && symbol.back() == ' ') symbol.pop_back();
    if (symbol.empty()) return in_.error("expected a dimension");
    return Dim(std::move(symbol));
  }

  template <typename T>
  Status elements(std::vector<uint8_t>& out) {
    ENM_RETURN_IF_ERROR(in_.expect("{"));
    while (!in_.take("}")) {
      if (!out.empty()) ENM_RETURN_IF_ERROR(in_.expect(","));
      ENM_ASSIGN_OR_RETURN(const T value, in_.number<T>());
      const auto* bytes = reinterpret_cast<const uint8_t*>(&value);
      out.insert(out.end(), bytes, bytes + sizeof value);
    }
    return {};
  }

  Status data(DType type, std::vector<uint8_t>& out) {
    if (in_.peek() == 'x') {
      ENM_ASSIGN_OR_RETURN(out, in_.hex_bytes());
      return {};
    }
    switch (type) {
      case DType::kFloat32:
        return elements<float>(out);
      case DType::kInt64:
        return elements<int64_t>(out);
      case DType::kInt32:
        return elements<int32_t>(out);
      case DType::kInt8:
        return elements<int8_t>(out);
      case DType::kUint8:
      case DType::kBool:
        return elements<uint8_t>(out);
      default:
        return in_.error("expected bytes as x\"...\"");
    }
  }

  Result<Tensor> tensor() {
    ENM_ASSIGN_OR_RETURN(const Type declared, type());
    Tensor out{declared.dtype, {}, {}};
    if (!declared.shape) return in_.error("expected a shape");
    for (const Dim& one : *declared.shape) {
      if (!one.is_known()) return in_.error("a constant has an unknown dimension");
      out.dims.push_back(one.value());
    }
    std::vector<uint8_t> bytes;
    ENM_RETURN_IF_ERROR(data(out.dtype, bytes));
    ENM_ASSIGN_OR_RETURN(const int64_t count, checked_element_count(out.dims));
    if (dtype_bits(out.dtype) > 0 && bytes.size() != byte_size(out.dtype, count)) {
      return in_.error(cat(bytes.size(), " bytes for ", type_str(declared)));
    }
    out.data = TensorData::inline_bytes(std::move(bytes));
    return out;
  }

  Status node() {
    Node out;
    ENM_RETURN_IF_ERROR(outputs(out));
    ENM_RETURN_IF_ERROR(in_.expect("="));
    if (in_.peek() == '"') {
      ENM_ASSIGN_OR_RETURN(out.domain, in_.quote());
      ENM_RETURN_IF_ERROR(in_.expect("."));
      ENM_ASSIGN_OR_RETURN(out.op_type, in_.quote());
    } else {
      const std::string_view op = in_.word("_./-");
      const size_t dot = op.rfind('.');
      if (dot != std::string_view::npos) out.domain = op.substr(0, dot);
      out.op_type = op.substr(dot == std::string_view::npos ? 0 : dot + 1);
    }
    ENM_ASSIGN_OR_RETURN(out.name, in_.quote());
    ENM_RETURN_IF_ERROR(in_.expect("("));
    while (!in_.take(")")) {
      if (!out.inputs.empty()) ENM_RETURN_IF_ERROR(in_.expect(","));
      ENM_ASSIGN_OR_RETURN(const ValueId id,
                           in_.take("_") ? Result<ValueId>(kNoValue) : known_value());
      out.inputs.push_back(id);
    }
    ENM_RETURN_IF_ERROR(attributes(out));
    graph_.nodes.push_back(std::move(out));
    return {};
  }

  Status outputs(Node& out) {
    if (in_.take("()")) return {};
    do {
      ENM_ASSIGN_OR_RETURN(const ValueId id,
                           in_.take("_") ? Result<ValueId>(kNoValue) : new_value());
      out.outputs.push_back(id);
    } while (in_.take(","));
    return {};
  }

  Status attributes(Node& out) {
    if (!in_.take("{")) return {};
    while (!in_.take("}")) {
      if (!out.attributes.empty()) ENM_RETURN_IF_ERROR(in_.expect(","));
      std::string key(in_.peek() == '"' ? "" : in_.word());
      if (key.empty()) {
        ENM_ASSIGN_OR_RETURN(key, in_.quote());
      }
      ENM_RETURN_IF_ERROR(in_.expect("="));
      ENM_ASSIGN_OR_RETURN(Attribute value, attribute());
      if (!out.attributes.emplace(key, std::move(value)).second) {
        return in_.error(cat("attribute ", quoted(key), " stands twice"));
      }
    }
    return {};
  }

  template <typename T, typename Read>
  Result<Attribute> list(Read read) {
    std::vector<T> out;
    ENM_RETURN_IF_ERROR(in_.expect("["));
    while (!in_.take("]")) {
      if (!out.empty()) ENM_RETURN_IF_ERROR(in_.expect(","));
      auto one = read();
      if (!one.ok()) return one.status();
      out.push_back(static_cast<T>(*std::move(one)));
    }
    return Attribute(std::move(out));
  }

  Result<Attribute> attribute() {
    const std::string_view kind = in_.word();
    if (kind == "int") {
      ENM_ASSIGN_OR_RETURN(const int64_t value, in_.number<int64_t>());
      return Attribute(value);
    }
    if (kind == "float") {
      ENM_ASSIGN_OR_RETURN(const float value, in_.number<float>());
      return Attribute(value);
    }
    if (kind == "string") {
      ENM_ASSIGN_OR_RETURN(std::string value, in_.quote());
      return Attribute(std::move(value));
    }
    if (kind == "tensor") {
      ENM_ASSIGN_OR_RETURN(Tensor value, tensor());
      return Attribute(std::move(value));
    }
    if (kind == "opaque") {
      ENM_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, in_.hex_bytes());
      return Attribute(OpaqueAttribute{std::move(bytes)});
    }
    if (kind == "ints") return list<int64_t>([this] { return in_.number<int64_t>(); });
    if (kind == "floats") return list<float>([this] { return in_.number<float>(); });
    if (kind == "strings") return list<std::string>([this] { return in_.quote(); });
    return in_.error(cat("expected a kind of attribute after ", quoted(kind)));
  }

  Cursor in_;
  Graph graph_;
};

}  // namespace

Result<Graph> from_text(std::string_view text) {
  auto graph = Parser(text).run();
  if (!graph.ok()) return graph.status().in("[graph text]");
  return graph;
}

}  // namespace enm::graph
