// A tokenizer.json, a zero byte, a text: encoded and decoded by that tokenizer and by a real one.
#include "enm/base/file_posix.h"
#include "enm/text/tokenizer.h"

namespace {

using enm::text::Tokenizer;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void round_trip(const Tokenizer& tokenizer, std::string_view text, bool keeps_text) {
  const auto ids = tokenizer.encode(text, false);
  // A byte that is no UTF-8 becomes the three of U+FFFD, each maybe a token; a space may come
  // first.
  check(ids.size() <= 4 * text.size() + 1);
  enm::text::StreamDecoder stream(tokenizer);
  std::string streamed;
  bool special = false;
  for (int32_t id : ids) {
    check(tokenizer.contains(id));
    special = special || tokenizer.is_special(id);
    const std::string piece = stream.push(id);
    check(enm::is_utf8(piece));
    streamed += piece;
  }
  streamed += stream.flush();
  const std::string decoded = tokenizer.decode(ids);
  check(enm::is_utf8(decoded) && streamed == decoded);
  if (keeps_text && !special && enm::is_utf8(text)) check(decoded == text);
  (void)tokenizer.encode(text, true);
}

const Tokenizer& real() {
  static const auto tokenizer = [] {
    const auto bytes = enm::read_file(ENM_SOURCE_DIR "/models/fable-8m/tokenizer.json", 1 << 24);
    check(bytes.ok());
    return Tokenizer::parse(enm::as_text(*bytes));
  }();
  check(tokenizer.ok());
  return *tokenizer;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = enm::as_text({data, size});
  const size_t zero = std::min(input.find('\0'), size);
  const std::string_view text = input.substr(std::min(zero + 1, size));
  const auto tokenizer = Tokenizer::parse(input.substr(0, zero));
  if (tokenizer.ok()) round_trip(*tokenizer, text, false);
  round_trip(real(), text, true);
  return 0;
}
