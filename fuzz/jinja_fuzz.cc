// A template, rendered with a short chat.
#include "enm/base/bytes.h"
#include "enm/text/jinja/template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using enm::text::jinja::Template;
  static const auto variables = enm::Json::parse(
      R"({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "é"}],
          "tools": [{"name": "f", "x": [1, 2.5, null, true]}], "add_generation_prompt": true,
          "bos_token": "<s>"})");
  const auto parsed =
      Template::parse(enm::as_text({data, size}), {.steps = 100'000, .memory_bytes = 4u << 20});
  if (!parsed.ok()) return 0;
  const auto text = parsed->render(*variables, 1'700'000'000);
  if (text.ok() && !enm::is_utf8(*text)) __builtin_trap();
  return 0;
}
