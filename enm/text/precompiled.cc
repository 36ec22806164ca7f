#include "enm/text/precompiled.h"

namespace enm::text {
namespace {

// Writes what Precompiled finds; the last character waits, because what is replaced by nothing
// counts for it.
class Replacements {
 public:
  explicit Replacements(Rewriter& out) : out_(out) {}
  ~Replacements() { flush(); }

  void keep(uint32_t c) { push(c, 0); }
  void replace(std::string_view from, std::string_view to) {
    const auto before = static_cast<int32_t>(count_code_points(from));
    const auto after = static_cast<int32_t>(count_code_points(to));
    int32_t left = after;
    for (size_t at = 0; at < to.size(); --left) {
      push(next_code_point(to, at), left <= after - before ? 1 : 0);
    }
    if (after < before) change_ += after - before;
  }

 private:
  void push(uint32_t c, int32_t change) {
    flush();
    waiting_ = true;
    c_ = c;
    change_ = change;
  }
  void flush() {
    if (waiting_) out_.put(c_, change_);
    waiting_ = false;
  }

  Rewriter& out_;
  bool waiting_ = false;
  uint32_t c_ = 0;
  int32_t change_ = 0;
};

bool extends(uint32_t c) {
  if (c < 0x300) return false;
  const bool not_spacing =
      c == 0x102b || c == 0x102c || c == 0x1038 || (c >= 0x1062 && c <= 0x1064) ||
      (c >= 0x1067 && c <= 0x106d) || c == 0x1083 || (c >= 0x1087 && c <= 0x108c) || c == 0x108f ||
      (c >= 0x109a && c <= 0x109c) || c == 0x1a61 || c == 0x1a63 || c == 0x1a64 || c == 0xaa7b ||
      c == 0xaa7d || c == 0x11720 || c == 0x11721;
  return (is_mark(c) && !not_spacing) || c == 0x200c || c == 0x200d || c == 0xe33 || c == 0xeb3 ||
         c == 0xff9e || c == 0xff9f || (c >= 0x1f3fb && c <= 0x1f3ff) ||
         (c >= 0xe0020 && c <= 0xe007f);
}

bool is_control(uint32_t c) {
  return c != 0x200c && c != 0x200d &&
         is_in(c, categories(Category::kZl, Category::kCf) &
                      ~categories(Category::kCn, Category::kCn));
}

// The end of the cluster that begins at `at`, as far as clusters of fewer than 6 bytes go: a
// character and what extends it (Unicode Standard Annex 29; Hangul, flags and emoji are longer).
size_t cluster_end(std::string_view text, size_t at) {
  const uint32_t first = next_code_point(text, at);
  if (first == '\r' && at < text.size() && text[at] == '\n') return at + 1;
  if (is_control(first)) return at;
  for (size_t next = at; next < text.size() && extends(next_code_point(text, next)); at = next) {
  }
  return at;
}

}  // namespace

Result<Precompiled> Precompiled::parse(std::string_view bytes) {
  ByteReader reader(as_bytes(bytes));
  ENM_ASSIGN_OR_RETURN(const uint32_t size, reader.read<uint32_t>());
  ENM_ASSIGN_OR_RETURN(const Bytes units, reader.read_bytes(size / 4 * 4));
  Precompiled out;
  out.units_.resize(units.size() / 4);
  if (!units.empty()) std::memcpy(out.units_.data(), units.data(), units.size());
  out.replacements_ = bytes.substr(4 + units.size());
  if (!is_utf8(out.replacements_)) return Corrupt("the charsmap's replacements are no UTF-8");
  return out;
}

Result<Precompiled> Precompiled::parse_base64(std::string_view text) {
  std::string bytes;
  uint32_t bits = 0;
  int count = 0;
  while (text.ends_with('=')) text.remove_suffix(1);
  for (char c : text) {
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) return Corrupt("the charsmap is no base64");
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) bytes.push_back(static_cast<char>(bits >> (count -= 8) & 255));
  }
  return parse(bytes);
}

size_t Precompiled::find(std::string_view text, bool longest, std::string_view& to) const {
  const auto offset = [](uint32_t unit) { return (unit >> 10) << ((unit & 512) >> 6); };
  size_t length = 0;
  if (units_.empty()) return 0;
  uint32_t node = offset(units_[0]);
  for (size_t i = 0; i < text.size() && text[i] != '\0' && (longest || length == 0); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    node ^= byte;
    if (node >= units_.size() || (units_[node] & 0x800000ff) != byte) break;
    const bool has_leaf = (units_[node] >> 8 & 1) != 0;
    node ^= offset(units_[node]);
    if (!has_leaf) continue;
    const size_t begin = node < units_.size() ? units_[node] & 0x7fffffff : SIZE_MAX;
    if (begin >= replacements_.size()) break;
    const size_t end = std::min(replacements_.find('\0', begin), replacements_.size());
    const auto found = std::string_view(replacements_).substr(begin, end - begin);
    if (!is_utf8(found)) break;
    to = found;
    length = i + 1;
  }
  return length;
}

void Precompiled::write(std::string_view text, Rewriter& rewriter) const {
  constexpr size_t kLongCluster = 6;  // bytes, from where on characters stand for themselves
  Replacements out(rewriter);
  std::string_view to;
  for (size_t at = 0; at < text.size();) {
    const size_t end = cluster_end(text, at);
    if (end - at < kLongCluster && find(text.substr(at, end - at), false, to) > 0) {
      out.replace(text.substr(at, end - at), to);
      at = end;
    }
    while (at < end) {
      const size_t begin = at;
      const uint32_t c = next_code_point(text, at);
      const std::string_view part = text.substr(begin, at - begin);
      if (find(part, false, to) > 0) {
        out.replace(part, to);
      } else {
        out.keep(c);
      }
    }
  }
}

void Precompiled::write_longest(std::string_view text, Rewriter& rewriter) const {
  Replacements out(rewriter);
  std::string_view to;
  for (size_t at = 0; at < text.size();) {
    const size_t length = find(text.substr(at), true, to);
    // A string that the map knows may end within a character; that it then does not.
    const size_t end = at + length;
    if (length > 0 && (end == text.size() || (text[end] & 0xc0) != 0x80)) {
      out.replace(text.substr(at, length), to);
      at = end;
    } else {
      out.keep(next_code_point(text, at));
    }
  }
}

}  // namespace enm::text
