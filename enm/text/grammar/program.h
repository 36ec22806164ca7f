// A grammar as instructions for bytes, which an automaton (automaton.h) runs along all ways at
// once. Immutable.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

using Pc = uint32_t;  // an instruction's place

struct Instruction {
  enum class Op : uint8_t {
    kReturn,  // to whoever called
    kByte,    // takes a byte from `first` to `last`, goes to `next`
    kSplit,   // goes to `target` and to `next`
    kCall,    // goes to `target`, which returns to `next`
    kRepeat,  // calls `target` a number of times, then goes to `next`
  };
  Op op = Op::kReturn;
  uint8_t first = 0;
  uint8_t last = 0;
  Pc target = 0;
  Pc next = 0;
  uint32_t repeat = 0;  // place in Program::repeats
};

struct Program {
  static constexpr Pc kReturn = 0;
  static constexpr uint32_t kNoSet = UINT32_MAX;

  struct Repeat {
    uint32_t min = 0;
    uint32_t max = 0;  // Grammar::kUnlimited
    // A set that is by itself one way of the body, and large: whoever stands before the body takes
    // a text of its characters whole.
    uint32_t set = kNoSet;
  };
  // A set's instructions stand together, from `begin` to before `end`.
  struct Set {
    CharSet ranges;
    Pc begin = 0;
    Pc end = 0;
    Pc entry = 0;
    std::array<bool, 256> leads{};  // first bytes of its characters
  };

  std::vector<Instruction> code;
  std::vector<Repeat> repeats;
  std::vector<Set> sets;
  Pc start = 0;

  /// kInvalidArgument naming a rule that begins with itself, or if no text fits the grammar.
  static Result<std::shared_ptr<const Program>> compile(const Grammar& grammar);
};

}  // namespace enm::text::grammar
