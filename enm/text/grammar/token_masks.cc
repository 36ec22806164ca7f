#include "enm/text/grammar/token_masks.h"

#include <algorithm>
#include <array>

namespace enm::text::grammar {
namespace {

using Node = TokenTrie::Node;

// A mask whose walk saw more nodes is kept, up to so many bytes of them in all.
constexpr size_t kLongWalk = 1024;
constexpr size_t kKeptBytes = size_t{4} << 20;

void put(Words& mask, int32_t token) {
  mask[static_cast<size_t>(token) / 32] |= uint32_t{1} << (token % 32);
}

bool contains(const CharSet& ranges, uint32_t code_point) {
  const auto range =
      std::ranges::lower_bound(ranges, code_point, {}, [](const Range& one) { return one.last; });
  return range != ranges.end() && range->first <= code_point;
}

// What has been read of a token: characters of a set, and maybe a part of one.
struct Reading {
  uint32_t characters = 0;
  uint32_t code_point = 0;
  uint32_t least = 0;  // that as many bytes are needed for
  uint8_t missing = 0;
  bool within = true;

  Reading then(uint8_t byte, const CharSet& ranges) const {
    Reading next = *this;
    if (missing > 0) {
      next.within = within && (byte & 0xc0) == 0x80;
      next.code_point = code_point << 6 | (byte & 0x3f);
      --next.missing;
    } else if (byte < 0x80) {
      next.code_point = byte;
      next.least = 0;
    } else {
      const int tail = byte >= 0xf0 ? 3 : byte >= 0xe0 ? 2 : 1;
      next.within = within && byte >= 0xc0 && byte < 0xf8;
      next.code_point = byte & (0x3f >> tail);
      next.least = tail == 1 ? 0x80 : tail == 2 ? 0x800 : 0x10000;
      next.missing = static_cast<uint8_t>(tail);
    }
    if (next.missing == 0) {
      ++next.characters;
      next.within =
          next.within && next.code_point >= next.least && contains(ranges, next.code_point);
    }
    return next;
  }
};

}  // namespace

TokenMasks::TokenMasks(Automaton& automaton, const TokenTrie& trie)
    : automaton_(automaton),
      trie_(trie),
      within_(automaton.program().sets.size()),
      mask_((static_cast<size_t>(trie.vocab()) + 31) / 32) {}

TokenMasks::Within TokenMasks::make_within(const Program::Set& set) const {
  Within out;
  out.only.assign(trie_.nodes(), true);
  out.all.assign(mask_.size(), 0);
  std::array<Reading, TokenTrie::kLongest + 1> readings;
  std::array<Node, TokenTrie::kLongest + 1> path;
  std::array<std::vector<int32_t>, TokenTrie::kLongest + 1> by_size;
  for (Node node = 1; node < trie_.nodes(); ++node) {
    const size_t depth = trie_.depth(node);
    const Reading reading = readings[depth - 1].then(trie_.label(node), set.ranges);
    readings[depth] = reading;
    path[depth] = node;
    if (reading.within && reading.missing == 0) {
      for (int32_t token : trie_.tokens(node)) {
        by_size[reading.characters].push_back(token);
        put(out.all, token);
      }
    } else if (!trie_.tokens(node).empty()) {
      for (size_t above = depth; above > 0 && out.only[path[above]]; --above) {
        out.only[path[above]] = false;
      }
    }
  }
  for (size_t size = 0; size < by_size.size(); ++size) {
    out.tokens.insert(out.tokens.end(), by_size[size].begin(), by_size[size].end());
    out.ends.push_back(static_cast<uint32_t>(out.tokens.size()));
  }
  while (out.ends.size() > 1 && out.ends[out.ends.size() - 2] == out.tokens.size()) {
    out.ends.pop_back();
  }
  return out;
}

const TokenMasks::Within& TokenMasks::within(uint32_t set) {
  auto& made = within_[set];
  if (made == nullptr) {
    made = std::make_unique<const Within>(make_within(automaton_.program().sets[set]));
  }
  return *made;
}

size_t TokenMasks::walk(Automaton::State from, const Within* skipped) {
  std::array<Automaton::State, TokenTrie::kLongest + 1> states{from};
  size_t seen = 0;
  for (Node node = 1; node < trie_.nodes();) {
    if (skipped != nullptr && skipped->only[node]) {
      node = trie_.beyond(node);
      continue;
    }
    ++seen;
    const size_t depth = trie_.depth(node);
    const Automaton::State state = automaton_.step(states[depth - 1], trie_.label(node));
    if (state == Automaton::kDead) {
      node = trie_.beyond(node);
      continue;
    }
    for (int32_t token : trie_.tokens(node)) put(mask_, token);
    states[depth] = state;
    ++node;
  }
  return seen;
}

std::span<const uint32_t> TokenMasks::of(Automaton::State state) {
  const auto known = std::ranges::find(kept_, state, &Kept::state);
  if (known != kept_.end()) return known->mask;
  const Within* skipped = nullptr;
  const Automaton::Loop loop = automaton_.loop(state);
  if (loop.room > 0) {
    const Within& tokens = within(loop.set);
    const bool all = size_t{loop.room} + 1 >= tokens.ends.size();
    if (all || loop.alone) skipped = &tokens;
    if (all) {
      mask_ = tokens.all;
    } else if (loop.alone) {
      mask_.assign(mask_.size(), 0);
      for (size_t i = 0; i < tokens.ends[loop.room]; ++i) put(mask_, tokens.tokens[i]);
    }
  }
  if (skipped == nullptr) mask_.assign(mask_.size(), 0);
  const size_t seen = walk(state, skipped);
  if (seen > kLongWalk && automaton_.status().ok()) {
    if ((kept_.size() + 1) * mask_.size() * sizeof(uint32_t) > kKeptBytes) kept_.clear();
    kept_.push_back({state, mask_});
  }
  return mask_;
}

}  // namespace enm::text::grammar
