// A stretch of text on its way to tokens: cut into pieces, rewritten, with where each byte came
// from. Private to this room.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/text/unicode.h"

namespace enm::text {

/// The bytes of the text as given that a byte stands for.
struct Origin {
  uint32_t begin;
  uint32_t end;
};

struct Piece {
  uint32_t begin;  // bytes of the stretch
  uint32_t end;
  uint32_t origin;  // where it began in the text as given, when it was cut
};

/// Bytes with their origins; without them where nobody asks for offsets.
struct TracedText {
  std::string bytes;
  std::vector<Origin> origins;

  void clear() {
    bytes.clear();
    origins.clear();
  }
};

/// Views of what a TracedText, or the text as given, holds.
struct TracedView {
  std::string_view bytes;
  std::span<const Origin> origins;  // empty: not traced

  TracedView() = default;
  TracedView(std::string_view text, std::span<const Origin> from) : bytes(text), origins(from) {}
  explicit TracedView(const TracedText& text) : bytes(text.bytes), origins(text.origins) {}
  TracedView substr(size_t begin, size_t end) const {
    return {bytes.substr(begin, end - begin),
            origins.empty() ? origins : origins.subspan(begin, end - begin)};
  }
};

/// Writes a text anew. What it is told of each character is what Hugging Face tokenizers keep
/// offsets by: a character replaces the next one of the source, or is one more.
class Rewriter {
 public:
  /// `origin` is the place of characters that are added in front of everything.
  Rewriter(TracedView source, uint32_t origin, TracedText& out)
      : source_(source), origin_(origin), out_(out), traced_(!source.origins.empty()) {}

  /// The next character becomes this one.
  void replace(uint32_t c) { put(c, 0); }
  /// A character more, of the same origin as the one before it in the source.
  void add(uint32_t c) { put(c, 1); }
  /// The next character goes.
  void drop() {
    if (at_ < source_.bytes.size()) at_ += utf8_length(source_.bytes[at_]);
  }
  /// Above 0: one more; otherwise the next character becomes this one, and -change of those behind
  /// it go.
  void put(uint32_t c, int32_t change) {
    const size_t begin = out_.bytes.size();
    if (c < 0x80) {
      out_.bytes.push_back(static_cast<char>(c));
    } else {
      append_utf8(out_.bytes, c);
    }
    if (traced_) {
      const size_t last = source_.origins.size() - 1;
      out_.origins.insert(out_.origins.end(), out_.bytes.size() - begin,
                          change > 0 ? before() : source_.origins[std::min(at_, last)]);
    }
    for (int32_t i = change; i <= 0; ++i) drop();
  }
  /// Copies the next `size` bytes.
  void keep(size_t size) {
    out_.bytes.append(source_.bytes.substr(at_, size));
    if (traced_) {
      const auto from = source_.origins.subspan(at_, size);
      out_.origins.insert(out_.origins.end(), from.begin(), from.end());
    }
    at_ += size;
  }
  /// Makes `text` of the next `size` bytes: all of the origin of the last of them.
  void substitute(size_t size, std::string_view text) {
    at_ += size;
    out_.bytes.append(text);
    if (traced_) out_.origins.insert(out_.origins.end(), text.size(), before());
  }

 private:
  Origin before() const { return at_ == 0 ? Origin{origin_, origin_} : source_.origins[at_ - 1]; }

  const TracedView source_;
  const uint32_t origin_;
  TracedText& out_;
  const bool traced_;
  size_t at_ = 0;  // of the source, in bytes
};

}  // namespace enm::text
