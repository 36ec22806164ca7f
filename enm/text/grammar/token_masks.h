// Which tokens may come next, as a bit for each. A state's mask is made by a walk through the trie
// of all tokens; those within a large character set, which a string takes whole, come from a table,
// and the walk sees only the others. Masks that took long are kept.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "enm/text/grammar/automaton.h"
#include "enm/text/grammar/token_trie.h"

namespace enm::text::grammar {

using Words = std::vector<uint32_t>;  // a bit for each token, the lowest first

class TokenMasks {
 public:
  /// Both outlive it.
  TokenMasks(Automaton& automaton, const TokenTrie& trie);

  /// Valid until the next call.
  std::span<const uint32_t> of(Automaton::State state);
  /// To be called when the automaton has renamed its states.
  void forget() { kept_.clear(); }

 private:
  // The tokens that consist of characters of a set, in the order of how many they have.
  struct Within {
    std::vector<int32_t> tokens;
    std::vector<uint32_t> ends;  // of those with at most so many characters
    Words all;
    // For each node: whether all tokens below it or at it are among these.
    std::vector<bool> only;
  };
  struct Kept {
    Automaton::State state;
    Words mask;
  };

  const Within& within(uint32_t set);
  Within make_within(const Program::Set& set) const;
  // Returns the nodes that it saw.
  size_t walk(Automaton::State from, const Within* skipped);

  Automaton& automaton_;
  const TokenTrie& trie_;
  std::vector<std::unique_ptr<const Within>> within_;  // of the program's sets; made when needed
  std::vector<Kept> kept_;
  Words mask_;
};

}  // namespace enm::text::grammar
