// A pattern, a zero byte, a text: matches lie in the text, one behind the other.
#include "enm/base/bytes.h"
#include "enm/text/regex.h"
#include "enm/text/unicode.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = enm::as_text({data, size});
  const size_t zero = std::min(input.find('\0'), size);
  const auto regex = enm::text::Regex::compile(input.substr(0, zero));
  if (!regex.ok()) return 0;
  const std::string text = enm::text::made_valid(input.substr(std::min(zero + 1, size)));
  size_t last = 0;
  enm::text::Regex::Finder finder(*regex, text);
  for (enm::text::Regex::Match match; finder.next(match); last = match.end) {
    if (match.begin < last || match.end < match.begin || match.end > text.size()) __builtin_trap();
    if (!enm::is_utf8(std::string_view(text).substr(match.begin, match.end - match.begin))) {
      __builtin_trap();
    }
  }
  return 0;
}
