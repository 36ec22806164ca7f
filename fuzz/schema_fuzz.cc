// A JSON schema, a zero byte, a document that is run through its grammar.
#include <algorithm>

#include "enm/base/bytes.h"
#include "enm/text/grammar/automaton.h"
#include "enm/text/grammar/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace enm::text::grammar;
  const std::string_view input = enm::as_text({data, size});
  const size_t zero = std::min(input.find('\0'), size);
  const auto schema = enm::Json::parse(input.substr(0, zero));
  if (!schema.ok()) return 0;
  const auto grammar = grammar_of_schema(*schema);
  if (!grammar.ok()) return 0;
  const auto program = Program::compile(*grammar);
  if (!program.ok()) return 0;
  Automaton automaton(*program);
  Automaton::State state = automaton.start();
  std::string text;
  for (char byte : input.substr(std::min(zero + 1, size))) {
    automaton.forget_all_but(state);
    state = automaton.step(state, static_cast<uint8_t>(byte));
    text += byte;
    // What a schema allows is JSON.
    if (automaton.may_end(state) && !enm::Json::parse(text).ok()) {
      const bool deep = std::ranges::count(text, '[') + std::ranges::count(text, '{') > 60;
      const bool repeated = text.find('{') != std::string::npos;  // additional keys may be the same
      if (!deep && !repeated) __builtin_trap();
    }
  }
  return 0;
}
