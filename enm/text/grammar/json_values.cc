#include "enm/text/grammar/json_values.h"

#include <algorithm>

#include "enm/base/order.h"
#include "enm/text/grammar/gbnf.h"
#include "enm/text/unicode.h"

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;

// A pair of surrogates is one character; a surrogate alone is none. Numbers have up to sixteen
// digits, as many decimals and an exponent of two digits.
constexpr std::string_view kRules = R"gbnf(
space ::= (" " | "\n" " "{0,20})?
raw ::= [^"\\\x00-\x1f]
hex ::= [0-9A-Fa-f]
unit ::= [0-9A-CE-Fa-ce-f] hex{3} | [Dd] [0-7] hex{2} | [Dd] [89ABab] hex{2} "\\u" [Dd] [C-Fc-f] hex{2}
character ::= raw | "\\" (["\\/bfnrt] | "u" unit)
string ::= "\"" character* "\""
integer ::= "-"? ("0" | [1-9] [0-9]{0,15})
number ::= integer ("." [0-9]{1,16})? ([Ee] [+-]? [0-9]{1,2})?
colon ::= ":" " "?
comma ::= "," space
member ::= string colon value
object ::= "{" space (member (comma member)* space)? "}"
array ::= "[" space (value (comma value)* space)? "]"
value ::= object | array | string | number | "true" | "false" | "null"
)gbnf";

}  // namespace

JsonValues::JsonValues(Grammar& grammar) : grammar_(grammar) {
  const Status read = append_gbnf(kRules, grammar_);
  if (!read.ok()) grammar_.fail(read);
}

Node JsonValues::string(Node inside) {
  return grammar_.sequence({grammar_.literal("\""), inside, grammar_.literal("\"")});
}

Node JsonValues::pair(Node key, Node value) {
  return grammar_.sequence({key, rule("colon"), value});
}

Node JsonValues::further(Node item) { return grammar_.sequence({rule("comma"), item}); }

Node JsonValues::list(Node item, uint32_t least, uint32_t most) {
  if (most == 0) return Grammar::kEmpty;
  const uint32_t more = most == Grammar::kUnlimited ? most : most - 1;
  const Node rest = grammar_.repeat(further(item), least > 0 ? least - 1 : 0, more);
  return grammar_.repeat(grammar_.sequence({item, rest, rule("space")}), least > 0 ? 1 : 0, 1);
}

Node JsonValues::bracketed(std::string_view open, Node inside, std::string_view close) {
  return grammar_.sequence(
      {grammar_.literal(open), rule("space"), inside, grammar_.literal(close)});
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
  const Node rest = grammar_.repeat(rule("raw"), 0);
  std::vector<Beginning> todo = {{grammar_.add_rule("key"), 0, keys.size(), 0}};
  const Node root = grammar_.call(todo[0].rule);
  while (!todo.empty() && grammar_.ok()) {
    auto [rule, begin, end, size] = todo.back();
    todo.pop_back();
    std::vector<Node> ways;
    if (begin == end || keys[order[begin]].size() > size) ways.push_back(Grammar::kEmpty);
    while (begin < end && keys[order[begin]].size() == size) ++begin;
    CharSet taken = {{0, 0x1f}, {'"', '"'}, {'\\', '\\'}};
    while (begin < end) {
      size_t next = size;
      const uint32_t character = next_code_point(keys[order[begin]], next);
      const std::string_view shared = std::string_view(keys[order[begin]]).substr(0, next);
      size_t stop = begin;
      while (stop < end && keys[order[stop]].starts_with(shared)) ++stop;
      todo.push_back({grammar_.add_rule("key"), begin, stop, next});
      if (character >= 0x20 && character != '"' && character != '\\') {
        ways.push_back(grammar_.sequence(
            {grammar_.literal(shared.substr(size)), grammar_.call(todo.back().rule)}));
      }
      taken.push_back({character, character});
      begin = stop;
    }
    ways.push_back(grammar_.sequence({grammar_.set(complement(normalized(taken))), rest}));
    grammar_.define(rule, grammar_.choice(ways));
  }
  return string(root);
}

}  // namespace enm::text::grammar
