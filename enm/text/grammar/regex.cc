#include "enm/text/grammar/regex.h"

#include <algorithm>

#include "enm/text/grammar/scanner.h"
#include "enm/text/unicode.h"

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;

constexpr size_t kMostBytes = size_t{1} << 14;
constexpr int kDeepest = 32;  // groups within groups

constexpr Range kDigits[] = {{'0', '9'}};
constexpr Range kWord[] = {{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}};
constexpr Range kSpace[] = {{0x09, 0x0d},     {0x20, 0x20},     {0xa0, 0xa0},     {0x1680, 0x1680},
                            {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f},
                            {0x3000, 0x3000}, {0xfeff, 0xfeff}};
constexpr Range kLineEnds[] = {{'\n', '\n'}, {'\r', '\r'}, {0x2028, 0x2029}};
// In JSON strings: what stands for itself, and what is escaped.
constexpr Range kRaw[] = {{0x20, 0x21}, {0x23, 0x5b}, {0x5d, 0xd7ff}, {0xe000, 0x10ffff}};
constexpr Range kEscaped[] = {{0, 0x1f}, {'"', '"'}, {'\\', '\\'}};

// Both saturate.
uint32_t plus(uint32_t a, uint32_t b) { return a > Grammar::kUnlimited - b ? UINT32_MAX : a + b; }
uint32_t times(uint32_t a, uint32_t b) {
  const uint64_t product = uint64_t{a} * b;
  return product > Grammar::kUnlimited ? Grammar::kUnlimited : static_cast<uint32_t>(product);
}

class Parser {
 public:
  Parser(std::string_view pattern, Grammar& grammar) : in_(pattern), grammar_(grammar) {}

  Result<Pattern> parse() {
    Pattern all = ways(0);
    if (in_.ok() && !in_.done()) in_.fail("a ) without a (");
    ENM_RETURN_IF_ERROR(in_.status("pattern"));
    ENM_RETURN_IF_ERROR(grammar_.status());
    return all;
  }

 private:
  Pattern ways(int depth) {
    Pattern out = way(depth);
    std::vector<Node> nodes = {out.node};
    while (in_.ok() && in_.take("|")) {
      const Pattern next = way(depth);
      nodes.push_back(next.node);
      out.shortest = std::min(out.shortest, next.shortest);
      out.longest = std::max(out.longest, next.longest);
    }
    out.node = grammar_.choice(nodes);
    return out;
  }

  // Outside of groups a way may begin and end anywhere in the text unless it is anchored.
  Pattern way(int depth) {
    Pattern out;
    std::vector<Node> parts;
    const auto add = [&](const Pattern& part) {
      parts.push_back(part.node);
      out.shortest = plus(out.shortest, part.shortest);
      out.longest = plus(out.longest, part.longest);
    };
    const auto anything = [&] {
      const Node any = json_character(grammar_, complement({}));
      return Pattern{grammar_.repeat(any, 0), 0, Grammar::kUnlimited};
    };
    if (depth == 0 && !in_.take("^")) add(anything());
    bool anchored = false;
    while (in_.ok() && grammar_.ok() && !in_.done() && in_.peek() != '|' && in_.peek() != ')') {
      if (depth == 0 && in_.peek() == '$' && (in_.peek(1) == 0 || in_.peek(1) == '|')) {
        in_.skip();
        anchored = true;
        break;
      }
      add(repeated(atom(depth)));
    }
    if (depth == 0 && !anchored) add(anything());
    out.node = grammar_.sequence(parts);
    return out;
  }

  Pattern repeated(Pattern one) {
    uint32_t min;
    uint32_t max;
    if (!in_.take_quantifier(min, max)) return one;
    in_.take("?");  // lazily: the same texts
    return {grammar_.repeat(one.node, min, max), times(one.shortest, min), times(one.longest, max)};
  }

  Pattern character(std::span<const Range> ranges) {
    return {json_character(grammar_, ranges), 1, 1};
  }

  Pattern atom(int depth) {
    if (in_.take("(")) return group(depth);
    if (in_.take("[")) return character(set());
    if (in_.take(".")) return character(complement(kLineEnds));
    const char c = in_.peek();
    if (std::string_view("*+?{}^$").find(c) != std::string_view::npos) {
      in_.fail({"a ", in_.rest().substr(0, 1), " where it is not supported"});
    }
    if (!in_.take("\\")) {
      const uint32_t value = in_.code_point();
      const Range one = {value, value};
      return character({&one, 1});
    }
    return character(escape());
  }

  Pattern group(int depth) {
    if (depth == kDeepest) return in_.fail("groups are too deep"), Pattern();
    if (in_.take("?")) {
      const bool named = in_.peek(1) != '=' && in_.peek(1) != '!' && in_.take("<");
      while (named && !in_.done() && in_.peek() != '>') in_.skip();
      if (!in_.take(named ? ">" : ":")) in_.fail("groups that look around are not supported");
    }
    const Pattern inside = ways(depth + 1);
    if (!in_.take(")")) in_.fail("a ( without a )");
    return inside;
  }

  // Behind a backslash.
  CharSet escape() {
    const char c = in_.peek();
    in_.skip();
    const std::span<const Range> named = (c | 0x20) == 'd'   ? std::span<const Range>(kDigits)
                                         : (c | 0x20) == 'w' ? std::span<const Range>(kWord)
                                         : (c | 0x20) == 's' ? std::span<const Range>(kSpace)
                                                             : std::span<const Range>();
    if (!named.empty()) {
      return (c & 0x20) == 0 ? complement(named) : CharSet(named.begin(), named.end());
    }
    const uint32_t value = escaped(c);
    return {{value, value}};
  }

  uint32_t escaped(char c) {
    constexpr std::string_view kLetters = "tnrfv0";
    constexpr std::string_view kValues("\t\n\r\f\v\0", 6);
    if (const size_t at = kLetters.find(c); c != 0 && at != std::string_view::npos) {
      return static_cast<uint32_t>(kValues[at]);
    }
    if (c == 'x') return in_.hex(2);
    if (c == 'u' && in_.take("{")) {
      const size_t end = in_.rest().find('}');
      const uint32_t value = in_.hex(static_cast<int>(std::min<size_t>(end, 7)));
      in_.skip();
      return value;
    }
    if (c == 'u') return in_.hex(4);
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || static_cast<signed char>(c) <= 0) in_.fail("an escape that is not supported");
    return static_cast<uint32_t>(c);
  }

  CharSet set() {
    const bool negated = in_.take("^");
    CharSet ranges;
    while (in_.ok() && !in_.take("]")) {
      if (in_.done()) in_.fail("a [ without a ]");
      CharSet first = member();
      if (first.size() == 1 && first[0].first == first[0].last && in_.peek() == '-' &&
          in_.peek(1) != ']') {
        in_.skip();
        const CharSet last = member();
        if (last.size() != 1 || last[0].last < first[0].first) {
          in_.fail("a range that is not in order");
        } else {
          first[0].last = last[0].last;
        }
      }
      ranges.insert(ranges.end(), first.begin(), first.end());
    }
    ranges = normalized(std::move(ranges));
    return negated ? complement(ranges) : ranges;
  }

  CharSet member() {
    if (in_.take("\\")) return in_.peek() == 'b' ? (in_.skip(), CharSet{{8, 8}}) : escape();
    const uint32_t value = in_.code_point();
    return {{value, value}};
  }

  Scanner in_;
  Grammar& grammar_;
};

void append_escaped(char c, std::string& out) {
  constexpr std::string_view kShort = "\b\f\n\r\t\"\\";
  constexpr std::string_view kLetters = "bfnrt\"\\";
  if (const size_t at = kShort.find(c); at != std::string_view::npos) {
    out += {'\\', kLetters[at]};
  } else {
    out += "\\u00";
    const auto byte = static_cast<uint8_t>(c);
    out += to_hex(&byte, 1);
  }
}

}  // namespace

Node json_character(Grammar& grammar, std::span<const Range> ranges) {
  std::vector<Node> ways = {grammar.set(intersection(ranges, kRaw))};
  for (const Range& range : intersection(ranges, kEscaped)) {
    for (uint32_t c = range.first; c <= range.last; ++c) {
      std::string bytes;
      append_escaped(static_cast<char>(c), bytes);
      ways.push_back(grammar.literal(bytes));
    }
  }
  return grammar.choice(ways);
}

Result<Pattern> parse_regex(std::string_view pattern, Grammar& grammar) {
  if (pattern.size() > kMostBytes) {
    return failure(Code::kResourceExhausted, {"pattern: more than 16 KiB"});
  }
  return Parser(pattern, grammar).parse();
}

}  // namespace enm::text::grammar
