// Reads a text character by character, for the parsers of grammars and regular expressions. The
// first failure sticks, with the line it is on; behind it everything is at its end. Private to this
// folder.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "enm/base/status.h"

namespace enm::text::grammar {

class Scanner {
 public:
  /// UTF-8.
  explicit Scanner(std::string_view text) : text_(text) {}

  bool done() const { return at_ >= text_.size(); }
  size_t at() const { return at_; }
  std::string_view since(size_t begin) const { return text_.substr(begin, at_ - begin); }
  std::string_view rest() const { return text_.substr(at_); }
  /// 0 behind the end.
  char peek(size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : 0; }
  void skip() { at_ += done() ? 0 : 1; }
  bool take(std::string_view expected);
  uint32_t code_point();
  uint32_t hex(int digits);
  uint32_t number();
  /// * + ? {m} {m,} {m,n}; false if none stands here.
  bool take_quantifier(uint32_t& min, uint32_t& max);

  void fail(std::initializer_list<std::string_view> problem);
  void fail(std::string_view problem) { fail({problem}); }
  bool ok() const { return problem_.empty(); }
  /// kInvalidArgument, "where: line 3: what is wrong".
  Status status(std::string_view where) const;

 private:
  std::string_view text_;
  size_t at_ = 0;
  std::string problem_;
};

}  // namespace enm::text::grammar
