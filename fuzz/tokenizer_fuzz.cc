#include "enm/base/bytes.h"
#include "enm/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tokenizer = enm::text::Tokenizer::parse(enm::as_text({data, size}));
  if (!tokenizer.ok()) return 0;
  // The file is its own text to encode: any bytes at all.
  const auto ids = tokenizer->encode(enm::as_text({data, size}), true);
  if (!enm::is_utf8(tokenizer->decode(ids))) __builtin_trap();
  return 0;
}
