#include "enm/text/regex_syntax.h"

#include <algorithm>

#include "enm/base/bytes.h"
#include "enm/base/order.h"
#include "enm/base/strings.h"

namespace enm::text {
namespace {

using Kind = RegexTree::Kind;

constexpr int kDeepest = 60;  // groups and classes in one another
constexpr size_t kMostNodes = 4000;
constexpr uint32_t kMostRepeats = 1000;
constexpr size_t kMostSets = 500;

CodeRanges tidy(const CodeRanges& ranges) {
  CodeRanges out;
  for (uint32_t i : sorted_order(static_cast<uint32_t>(ranges.size()), [&](uint32_t a, uint32_t b) {
         return ranges[a].first < ranges[b].first;
       })) {
    const CodeRange range = ranges[i];
    if (!out.empty() && range.first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, range.last);
    } else {
      out.push_back(range);
    }
  }
  return out;
}

CodeRanges negated(const CodeRanges& tidy_ranges) {
  CodeRanges out;
  uint32_t next = 0;
  for (const auto& [first, last] : tidy_ranges) {
    if (first > next) out.push_back({next, first - 1});
    next = last + 1;
  }
  if (next < kCodePoints) out.push_back({next, kCodePoints - 1});
  return out;
}

CodeRanges intersection(const CodeRanges& a, const CodeRanges& b) {
  CodeRanges either = negated(a);
  const CodeRanges other = negated(b);
  either.insert(either.end(), other.begin(), other.end());
  return negated(tidy(either));
}

bool same(const CodeRanges& a, const CodeRanges& b) {
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(), [](auto x, auto y) {
           return x.first == y.first && x.last == y.last;
         });
}

CodeRanges space_set() {
  return {{9, 13},          {0x20, 0x20},     {0x85, 0x85},     {0xa0, 0xa0},     {0x1680, 0x1680},
          {0x2000, 0x200a}, {0x2028, 0x2029}, {0x202f, 0x202f}, {0x205f, 0x205f}, {0x3000, 0x3000}};
}

CodeRanges word_set() {
  CodeRanges out(std::begin(kWordSymbols), std::end(kWordSymbols));
  append_categories(out, kWordCategories);
  return tidy(out);
}

CodeRanges category_set(Categories set) {
  CodeRanges out;
  append_categories(out, set);
  return tidy(out);
}

// The categories of a name such as "L", "Lu", "Letter"; 0 if there are none.
Categories categories_of_name(std::string_view name) {
  struct Named {
    std::string_view name;
    Category first;
    Category last;
  };
  constexpr Named kNames[] = {
      {"L", Category::kLu, Category::kLo}, {"M", Category::kMn, Category::kMe},
      {"N", Category::kNd, Category::kNo}, {"P", Category::kPc, Category::kPo},
      {"S", Category::kSm, Category::kSo}, {"Z", Category::kZs, Category::kZp},
      {"C", Category::kCc, Category::kCn}};
  constexpr std::string_view kShort =
      "LuLlLtLmLoMnMcMeNdNlNoPcPdPsPePiPfPoSmScSkSoZsZlZpCcCfCsCoCn";
  for (const auto& [each, first, last] : kNames) {
    if (each == name) return categories(first, last);
  }
  for (size_t i = 0; name.size() == 2 && i < kShort.size(); i += 2) {
    if (kShort.substr(i, 2) == name) return Categories{1} << i / 2;
  }
  return 0;
}

class Parser {
 public:
  explicit Parser(std::string_view pattern) : pattern_(pattern) {}

  Result<RegexTree> run() {
    add({});  // what refused parts stand for
    tree_.root = alternation();
    if (!done()) refuse("unmatched ')'");
    if (!status_.ok()) return status_;
    return std::move(tree_);
  }

 private:
  bool done() const { return at_ == pattern_.size(); }
  bool starts(std::string_view text) const { return pattern_.substr(at_).starts_with(text); }
  bool take(std::string_view text) {
    if (!starts(text)) return false;
    at_ += text.size();
    return true;
  }
  uint32_t next() { return next_code_point(pattern_, at_); }
  // Of any type that a part of the pattern is read as.
  struct Nothing {
    operator uint32_t() const { return 0; }
    operator CodeRanges() const { return {}; }
  };
  // Keeps the first thing that is wrong and ends the pattern there.
  Nothing refuse(std::string_view what) {
    if (status_.ok()) status_ = Unsupported(what, " at byte ", at_, " is not supported");
    at_ = pattern_.size();
    return {};
  }

  uint32_t add(RegexTree::Node node) {
    tree_.nodes.push_back(std::move(node));
    return static_cast<uint32_t>(tree_.nodes.size() - 1);
  }
  uint32_t add_set_node(CodeRanges set, Kind kind = Kind::kSet, bool edge = false) {
    uint32_t index = 0;
    while (index < tree_.sets.size() && !same(tree_.sets[index], set)) ++index;
    if (index == tree_.sets.size()) tree_.sets.push_back(std::move(set));
    RegexTree::Node node;
    node.kind = kind;
    node.set = index;
    node.edge = edge;
    return add(std::move(node));
  }
  uint32_t add_list(Kind kind, std::vector<uint32_t> children) {
    if (children.size() == 1) return children[0];
    RegexTree::Node node;
    node.kind = children.empty() ? Kind::kEmpty : kind;
    node.children = std::move(children);
    return add(std::move(node));
  }
  uint32_t add_repeat(uint32_t child, uint32_t min, uint32_t max, bool greedy) {
    RegexTree::Node node;
    node.kind = Kind::kRepeat;
    node.min = min;
    node.max = max;
    node.greedy = greedy;
    node.children = {child};
    return add(std::move(node));
  }

  uint32_t alternation() {
    if (++depth_ > kDeepest) return refuse("nesting that deep");
    const bool ignore_case = ignore_case_;  // (?i) reaches to the end of its group
    const bool dot_all = dot_all_;
    std::vector<uint32_t> branches;
    do {
      const uint32_t branch = sequence();
      branches.push_back(branch);
    } while (take("|"));
    ignore_case_ = ignore_case;
    dot_all_ = dot_all;
    --depth_;
    return add_list(Kind::kAlternation, std::move(branches));
  }

  uint32_t sequence() {
    std::vector<uint32_t> items;
    while (!done() && !starts("|") && !starts(")")) {
      uint32_t item = atom();
      item = quantified(item);
      if (tree_.nodes.size() > kMostNodes || tree_.sets.size() > kMostSets) {
        return refuse("a pattern that long");
      }
      items.push_back(item);
    }
    return add_list(Kind::kSequence, std::move(items));
  }

  // {n}, {n,}, {,m}, {n,m}; anything else in braces stands for itself.
  bool interval(uint32_t& min, uint32_t& max) {
    const size_t begin = at_;
    const auto number = [&](uint32_t& value) {
      const size_t first = at_;
      for (value = 0; !done() && pattern_[at_] >= '0' && pattern_[at_] <= '9'; ++at_) {
        value = std::min(value * 10 + static_cast<uint32_t>(pattern_[at_] - '0'), 100000u);
      }
      return at_ > first;
    };
    if (take("{")) {
      const bool has_min = number(min);
      max = min;
      bool has_max = false;
      if (take(",")) {
        has_max = number(max);
        if (!has_max) max = RegexTree::kUnlimited;
      }
      if ((has_min || has_max) && take("}")) return true;
    }
    at_ = begin;
    return false;
  }

  uint32_t quantified(uint32_t item) {
    for (;;) {
      uint32_t min = 0;
      uint32_t max = RegexTree::kUnlimited;
      bool counted = false;
      if (take("*")) {
      } else if (take("+")) {
        min = 1;
      } else if (take("?")) {
        max = 1;
      } else if (interval(min, max)) {
        counted = true;
      } else {
        return item;
      }
      if (min > kMostRepeats || (max > kMostRepeats && max != RegexTree::kUnlimited) || min > max) {
        return refuse("that number of repeats");
      }
      if (counted && min == max) {  // {n}? and {n}+ are quantifiers of X{n}
        item = add_repeat(item, min, max, true);
      } else if (take("?")) {
        item = add_repeat(item, min, max, false);
      } else if (!counted && take("+")) {
        item = possessive(item, min, max);
      } else {
        item = add_repeat(item, min, max, true);
      }
    }
  }

  // For one character of a set X: X*+ is X*(?!X), X?+ is X|(?!X).
  uint32_t possessive(uint32_t item, uint32_t min, uint32_t max) {
    if (tree_.nodes[item].kind != Kind::kSet) return refuse("a possessive quantifier of a group");
    const CodeRanges others = negated(tree_.sets[tree_.nodes[item].set]);
    const uint32_t stop = add_set_node(others, Kind::kAhead, true);
    if (max == 1) return add_list(Kind::kAlternation, {item, stop});
    return add_list(Kind::kSequence, {add_repeat(item, min, max, true), stop});
  }

  uint32_t atom() {
    if (take("(")) return group();
    if (take("[")) {
      CodeRanges set = bracket();
      return literal(std::move(set));
    }
    if (take(".")) return add_set_node(dot_all_ ? negated({}) : negated({{'\n', '\n'}}));
    if (take("^")) return line_start();
    if (take("$")) return add_set_node({{'\n', '\n'}}, Kind::kAhead, true);
    if (starts("*") || starts("+") || starts("?")) return refuse("a quantifier of nothing");
    if (take("\\")) return escaped();
    const uint32_t c = next();
    return literal({{c, c}});
  }

  uint32_t literal(CodeRanges set) {
    if (ignore_case_) {
      CodeRanges variants = set;
      uint32_t count = 0;
      for (const auto& [first, last] : set) {
        count += last - first + 1;
        if (count > 4000) return refuse("a large class without case");
        for (uint32_t c = first; c <= last; ++c) append_case_variants(variants, c);
      }
      set = tidy(variants);
    }
    return add_set_node(std::move(set));
  }

  // Before the first character, or behind a line's end and before another character.
  uint32_t line_start() {
    const uint32_t first = add_set_node({}, Kind::kBehind, true);
    const uint32_t behind = add_set_node({{'\n', '\n'}}, Kind::kBehind);
    const uint32_t before = add_set_node(negated({}), Kind::kAhead);
    return add_list(Kind::kAlternation, {first, add_list(Kind::kSequence, {behind, before})});
  }

  uint32_t word_edge(bool is_edge) {
    const CodeRanges word = word_set();
    const CodeRanges other = negated(word);
    std::vector<uint32_t> ways;
    for (const bool inside : {false, true}) {
      const bool then = inside != is_edge;
      const uint32_t behind = add_set_node(inside ? word : other, Kind::kBehind, !inside);
      const uint32_t ahead = add_set_node(then ? word : other, Kind::kAhead, !then);
      ways.push_back(add_list(Kind::kSequence, {behind, ahead}));
    }
    return add_list(Kind::kAlternation, std::move(ways));
  }

  uint32_t group() {
    if (take("?")) {
      if (take(":")) {
      } else if (take("=")) {
        return lookaround(Kind::kAhead, false);
      } else if (take("!")) {
        return lookaround(Kind::kAhead, true);
      } else if (take("<=")) {
        return lookaround(Kind::kBehind, false);
      } else if (take("<!")) {
        return lookaround(Kind::kBehind, true);
      } else if (take("<")) {
        at_ = std::min(pattern_.find('>', at_), pattern_.size() - 1) + 1;  // a name
      } else {
        return flags();
      }
    }
    const uint32_t inside = alternation();
    if (!take(")")) return refuse("a group without an end");
    return inside;
  }

  // (?i:...), (?i) up to the end of the group around it.
  uint32_t flags() {
    const bool ignore_case = ignore_case_;
    const bool dot_all = dot_all_;
    for (bool on = true; !done() && !starts(":") && !starts(")");) {
      if (take("-")) {
        on = false;
      } else if (take("i")) {
        ignore_case_ = on;
      } else if (take("m")) {
        dot_all_ = on;
      } else {
        return refuse("a group of that kind");
      }
    }
    if (take(")")) return alternation();
    if (!take(":")) return refuse("a group without an end");
    const uint32_t inside = alternation();
    ignore_case_ = ignore_case;
    dot_all_ = dot_all;
    if (!take(")")) return refuse("a group without an end");
    return inside;
  }

  uint32_t lookaround(Kind kind, bool negate) {
    const uint32_t inside = alternation();
    if (!take(")")) return refuse("a group without an end");
    CodeRanges set;
    bool edge = false;
    if (!as_one_character(inside, kind, set, edge)) {
      return refuse("lookaround of more than one character");
    }
    set = tidy(set);
    return add_set_node(negate ? negated(set) : std::move(set), kind, edge != negate);
  }

  // Whether the node is one character, the text's edge, or a choice of such.
  bool as_one_character(uint32_t index, Kind kind, CodeRanges& set, bool& edge) const {
    const RegexTree::Node& node = tree_.nodes[index];
    if (node.kind == Kind::kAlternation) {
      return std::all_of(node.children.begin(), node.children.end(),
                         [&](uint32_t child) { return as_one_character(child, kind, set, edge); });
    }
    if (node.kind != Kind::kSet && node.kind != kind) return false;
    const CodeRanges& more = tree_.sets[node.set];
    set.insert(set.end(), more.begin(), more.end());
    edge = edge || node.edge;
    return true;
  }

  uint32_t escaped() {
    if (take("b")) return word_edge(true);
    if (take("B")) return word_edge(false);
    if (take("A")) return add_set_node({}, Kind::kBehind, true);
    if (take("z")) return add_set_node({}, Kind::kAhead, true);
    CodeRanges set = escape();
    return literal(std::move(set));
  }

  // What stands behind a backslash, in a class or outside.
  CodeRanges escape() {
    if (done()) return refuse("a backslash at the end");
    const char c = pattern_[at_];
    if (c == 'p' || c == 'P') return property();
    const uint32_t letter = next();
    switch (letter) {
      case 's':
        return space_set();
      case 'S':
        return negated(space_set());
      case 'd':
        return category_set(categories(Category::kNd, Category::kNd));
      case 'D':
        return negated(category_set(categories(Category::kNd, Category::kNd)));
      case 'w':
        return word_set();
      case 'W':
        return negated(word_set());
      case 'h':
        return CodeRanges{{'0', '9'}, {'A', 'F'}, {'a', 'f'}};
      default:
        break;
    }
    constexpr std::string_view kControls = "n\nt\tr\rf\fv\va\ae\x1b";
    for (size_t i = 0; i < kControls.size(); i += 2) {
      const auto code = static_cast<unsigned char>(kControls[i + 1]);
      if (letter == static_cast<unsigned char>(kControls[i])) return CodeRanges{{code, code}};
    }
    if (letter == 'x' || letter == 'u') return hexadecimal(letter == 'u');
    const bool plain = letter >= 0x80 || !((letter >= '0' && letter <= '9') ||
                                           ((letter | 32) >= 'a' && (letter | 32) <= 'z'));
    if (!plain) return refuse(cat("escape ", quoted(cat("\\", c))));
    return CodeRanges{{letter, letter}};
  }

  CodeRanges hexadecimal(bool four) {
    const bool braces = !four && take("{");
    uint32_t value = 0;
    size_t digits = 0;
    const size_t most = four ? 4 : braces ? 6 : 2;
    for (; digits < most && !done(); ++digits, ++at_) {
      const char c = pattern_[at_];
      const auto lower = static_cast<char>(c | 32);
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<uint32_t>(c - '0');
      } else if (lower >= 'a' && lower <= 'f') {
        value = value * 16 + static_cast<uint32_t>(lower - 'a' + 10);
      } else {
        break;
      }
    }
    if (digits == 0 || (four && digits < 4) || (braces && !take("}")) || value >= kCodePoints) {
      return refuse("that hexadecimal number");
    }
    return CodeRanges{{value, value}};
  }

  // p{Name}, P{Name}, p{^Name}
  CodeRanges property() {
    bool negate = take("P");
    if (!negate) take("p");
    std::string_view name;
    if (take("{")) {
      if (take("^")) negate = !negate;
      const size_t end = std::min(pattern_.find('}', at_), pattern_.size());
      name = pattern_.substr(at_, end - at_);
      at_ = std::min(end + 1, pattern_.size());
    }
    CodeRanges set;
    if (const Categories named = categories_of_name(name); named != 0) {
      append_categories(set, named);
    } else if (name == "Alpha" || name == "Alnum" || name == "Word") {
      return refuse(cat("property ", quoted(name)));
    } else if (name == "Space" || name == "White_Space") {
      set = space_set();
    } else if (const uint32_t number = script_of_name(name); number != 0) {
      append_script(set, number);
    } else {
      return refuse(cat("property ", quoted(name)));
    }
    set = tidy(set);
    return negate ? negated(set) : set;
  }

  // Behind '[': [^a-z\s[:alpha:][nested]&&other]
  CodeRanges bracket() {
    if (++depth_ > kDeepest) return refuse("nesting that deep");
    const bool negate = take("^");
    CodeRanges set;
    CodeRanges limit = negated({});
    for (bool first = true; first || !starts("]"); first = false) {
      if (done()) return refuse("a class without an end");
      if (take("&&")) {
        limit = intersection(limit, tidy(set));
        set.clear();
        continue;
      }
      if (starts("[:")) return refuse("a class by name");
      if (take("[")) {
        const CodeRanges nested = bracket();
        set.insert(set.end(), nested.begin(), nested.end());
        continue;
      }
      CodeRanges item = class_item();
      if (starts("-") && !starts("-]") && !starts("-[") && is_one(item)) {
        ++at_;
        const CodeRanges end = class_item();
        if (!is_one(end) || end[0].first < item[0].first) return refuse("that range");
        item[0].last = end[0].first;
      }
      set.insert(set.end(), item.begin(), item.end());
    }
    ++at_;
    --depth_;
    set = intersection(limit, tidy(set));
    return negate ? negated(set) : set;
  }

  static bool is_one(const CodeRanges& set) {
    return set.size() == 1 && set[0].first == set[0].last;
  }

  CodeRanges class_item() {
    if (done()) return refuse("a class without an end");
    if (take("\\")) {
      if (take("b")) return CodeRanges{{8, 8}};
      return escape();
    }
    const uint32_t c = next();
    return CodeRanges{{c, c}};
  }

  const std::string_view pattern_;
  size_t at_ = 0;
  int depth_ = 0;
  bool ignore_case_ = false;
  bool dot_all_ = false;
  Status status_;
  RegexTree tree_;
};

}  // namespace

Result<RegexTree> parse_regex(std::string_view pattern) {
  if (!is_utf8(pattern)) return Corrupt("no UTF-8");
  return Parser(pattern).run();
}

}  // namespace enm::text
