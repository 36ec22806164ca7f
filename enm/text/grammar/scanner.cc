#include "enm/text/grammar/scanner.h"

#include <algorithm>

#include "enm/text/grammar/grammar.h"
#include "enm/text/unicode.h"

namespace enm::text::grammar {
namespace {

constexpr uint32_t kMostTimes = 1'000'000;  // of a repetition

}  // namespace

bool Scanner::take(std::string_view expected) {
  if (!text_.substr(std::min(at_, text_.size())).starts_with(expected)) return false;
  at_ += expected.size();
  return true;
}

uint32_t Scanner::code_point() { return done() ? 0 : next_code_point(text_, at_); }

uint32_t Scanner::hex(int digits) {
  uint32_t value = 0;
  for (int i = 0; i < digits; ++i, skip()) {
    const char c = peek();
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return fail("expected a hexadecimal digit"), 0;
    value = value << 4 | static_cast<uint32_t>(digit);
  }
  if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
    return fail("an escape that is no character"), 0;
  }
  return value;
}

uint32_t Scanner::number() {
  if (peek() < '0' || peek() > '9') return fail("expected a number"), 0;
  uint32_t value = 0;
  for (; peek() >= '0' && peek() <= '9'; skip()) {
    value = value * 10 + static_cast<uint32_t>(peek() - '0');
    if (value > kMostTimes) return fail("repetitions of more than 1000000 times"), 0;
  }
  return value;
}

bool Scanner::take_quantifier(uint32_t& min, uint32_t& max) {
  min = 0;
  max = Grammar::kUnlimited;
  if (take("*")) return true;
  if (take("+")) return min = 1, true;
  if (take("?")) return max = 1, true;
  if (!take("{")) return false;
  min = max = number();
  if (take(",")) max = peek() == '}' ? Grammar::kUnlimited : number();
  if (!take("}")) fail("expected } behind a repetition");
  if (max < min) fail("a repetition whose bounds are the wrong way round");
  return true;
}

void Scanner::fail(std::initializer_list<std::string_view> problem) {
  if (!ok()) return;
  size_t line = 1;
  for (char c : text_.substr(0, std::min(at_, text_.size()))) line += c == '\n' ? 1 : 0;
  problem_ = cat("line ", line, ": ");
  for (std::string_view part : problem) problem_ += part;
  at_ = text_.size();
}

Status Scanner::status(std::string_view where) const {
  return ok() ? Status() : failure(Code::kInvalidArgument, {where, ": ", problem_});
}

}  // namespace enm::text::grammar
