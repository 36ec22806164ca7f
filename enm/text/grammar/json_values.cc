#include "enm/text/grammar/json_values.h"

#include <algorithm>

#include "enm/base/order.h"
#include "enm/text/grammar/json_numbers.h"
#include "enm/text/unicode.h"

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;

// But for the quote, the backslash and control characters.
const CharSet kRaw = {{0x20, 0x21}, {0x23, 0x5b}, {0x5d, 0xd7ff}, {0xe000, 0x10ffff}};

}  // namespace

Node JsonValues::space() {
  if (!space_) {
    const Node spaces = grammar_.repeat(grammar_.literal(" "), 0, 20);
    const Node line = grammar_.sequence({grammar_.literal("\n"), spaces});
    space_ =
        grammar_.shared("space", grammar_.optional(grammar_.choice({grammar_.literal(" "), line})));
  }
  return *space_;
}

// A pair of surrogates is one character; a surrogate alone is none.
Node JsonValues::character() {
  if (character_) return *character_;
  const Node hex = grammar_.set({{'0', '9'}, {'A', 'F'}, {'a', 'f'}});
  const Node two = grammar_.repeat(hex, 2, 2);
  const Node d = grammar_.set({{'D', 'D'}, {'d', 'd'}});
  const Node but_d = grammar_.set({{'0', '9'}, {'A', 'C'}, {'E', 'F'}, {'a', 'c'}, {'e', 'f'}});
  const Node high = grammar_.set({{'8', '9'}, {'A', 'B'}, {'a', 'b'}});
  const Node low = grammar_.set({{'C', 'F'}, {'c', 'f'}});
  const Node unit =
      grammar_.choice({grammar_.sequence({but_d, hex, two}),
                       grammar_.sequence({d, grammar_.set({{'0', '7'}}), two}),
                       grammar_.sequence({d, high, two, grammar_.literal("\\u"), d, low, two})});
  CharSet letters;
  for (char c : std::string_view("\"/\\bfnrt")) {
    letters.push_back({static_cast<uint32_t>(c), static_cast<uint32_t>(c)});
  }
  const Node escape =
      grammar_.choice({grammar_.set(letters), grammar_.sequence({grammar_.literal("u"), unit})});
  character_ = grammar_.shared(
      "character",
      grammar_.choice({grammar_.set(kRaw), grammar_.sequence({grammar_.literal("\\"), escape})}));
  return *character_;
}

Node JsonValues::string(Node inside) {
  return grammar_.sequence({grammar_.literal("\""), inside, grammar_.literal("\"")});
}

Node JsonValues::pair(Node key, Node value) {
  return grammar_.sequence(
      {key, grammar_.literal(":"), grammar_.optional(grammar_.literal(" ")), value});
}

Node JsonValues::further(Node item) {
  return grammar_.sequence({grammar_.literal(","), space(), item});
}

Node JsonValues::list(Node item, uint32_t least, uint32_t most) {
  if (most == 0) return Grammar::kEmpty;
  const uint32_t more = most == Grammar::kUnlimited ? most : most - 1;
  const Node rest = grammar_.repeat(further(item), least > 0 ? least - 1 : 0, more);
  return grammar_.repeat(grammar_.sequence({item, rest, space()}), least > 0 ? 1 : 0, 1);
}

Node JsonValues::bracketed(std::string_view open, Node inside, std::string_view close) {
  return grammar_.sequence({grammar_.literal(open), space(), inside, grammar_.literal(close)});
}

Node JsonValues::any() {
  if (any_) return *any_;
  const Grammar::Rule rule = grammar_.add_rule("value");
  any_ = grammar_.call(rule);
  const Node text = string(grammar_.repeat(character(), 0));
  const Node members = list(pair(text, *any_), 0, Grammar::kUnlimited);
  grammar_.define(rule, grammar_.choice({bracketed("{", members, "}"),
                                         bracketed("[", list(*any_, 0, Grammar::kUnlimited), "]"),
                                         text, json_number(grammar_, {}), grammar_.literal("true"),
                                         grammar_.literal("false"), grammar_.literal("null")}));
  return *any_;
}

// A rule for each beginning that some of the keys share: another character leads out of them, the
// end must not be a key's.
Node JsonValues::key_but(std::span<const std::string> keys) {
  const auto order = sorted_order(static_cast<uint32_t>(keys.size()),
                                  [&](uint32_t a, uint32_t b) { return keys[a] < keys[b]; });
  struct Beginning {
    Grammar::Rule rule;
    size_t begin;  // of the keys that have it, in order
    size_t end;
    size_t size;  // bytes
  };
  const Node rest = grammar_.repeat(grammar_.set(kRaw), 0);
  std::vector<Beginning> todo = {{grammar_.add_rule("key"), 0, keys.size(), 0}};
  const Node root = grammar_.call(todo[0].rule);
  while (!todo.empty() && grammar_.ok()) {
    auto [rule, begin, end, size] = todo.back();
    todo.pop_back();
    std::vector<Node> ways;
    if (begin == end || keys[order[begin]].size() > size) ways.push_back(Grammar::kEmpty);
    while (begin < end && keys[order[begin]].size() == size) ++begin;
    CharSet taken;
    while (begin < end) {
      size_t next = size;
      const uint32_t character = next_code_point(keys[order[begin]], next);
      const std::string_view shared = std::string_view(keys[order[begin]]).substr(0, next);
      size_t stop = begin;
      while (stop < end && keys[order[stop]].starts_with(shared)) ++stop;
      todo.push_back({grammar_.add_rule("key"), begin, stop, next});
      const Node raw = grammar_.set(intersection({{character, character}}, kRaw));
      ways.push_back(grammar_.sequence({raw, grammar_.call(todo.back().rule)}));
      taken.push_back({character, character});
      begin = stop;
    }
    const CharSet others = intersection(complement(normalized(std::move(taken))), kRaw);
    ways.push_back(grammar_.sequence({grammar_.set(others), rest}));
    grammar_.define(rule, grammar_.choice(ways));
  }
  return string(root);
}

}  // namespace enm::text::grammar
