// A SentencePiece model, which is its own text to encode.
#include "enm/base/bytes.h"
#include "enm/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input = enm::as_text({data, size});
  const auto tokenizer = enm::text::Tokenizer::parse_sentencepiece(input);
  if (!tokenizer.ok()) return 0;
  for (int32_t id : tokenizer->encode(input, true)) {
    if (!tokenizer->contains(id)) __builtin_trap();
  }
  if (!enm::is_utf8(tokenizer->decode(tokenizer->encode(input, true)))) __builtin_trap();
  return 0;
}
