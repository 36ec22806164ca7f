// A grammar, a zero byte, a text that is run through it.
#include <algorithm>

#include "enm/base/bytes.h"
#include "enm/text/grammar/automaton.h"
#include "enm/text/grammar/gbnf.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace enm::text::grammar;
  const std::string_view input = enm::as_text({data, size});
  const size_t zero = std::min(input.find('\0'), size);
  const auto grammar = parse_gbnf(input.substr(0, zero));
  if (!grammar.ok()) return 0;
  const auto program = Program::compile(*grammar);
  if (!program.ok()) return 0;
  Automaton automaton(*program);
  Automaton::State state = automaton.start();
  for (char byte : input.substr(std::min(zero + 1, size))) {
    automaton.forget_all_but(state);
    automaton.loop(state);
    state = automaton.step(state, static_cast<uint8_t>(byte));
  }
  return 0;
}
