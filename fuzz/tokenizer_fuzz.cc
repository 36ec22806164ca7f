#include "enm/base/bytes.h"
#include "enm/text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const auto tokenizer = enm::text::Tokenizer::parse(enm::as_text({data, size}));
  if (!tokenizer.ok()) return 0;
  // The file is its own text to encode: any bytes at all.
  const std::string_view text = enm::as_text({data, size});
  const auto ids = tokenizer->encode(text, true);
  if (!enm::is_utf8(tokenizer->decode(ids))) __builtin_trap();
  const auto traced = tokenizer->encode(text, &text, {.truncate = true, .pad = true});
  if (traced.ok() && traced->ids.size() != traced->offsets.size()) __builtin_trap();
  const auto single = tokenizer->encode(text, nullptr, {});
  if (!single.ok() || single->ids != ids) __builtin_trap();
  return 0;
}
