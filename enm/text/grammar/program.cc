#include "enm/text/grammar/program.h"

#include <algorithm>

namespace enm::text::grammar {
namespace {

using Kind = Grammar::Kind;
using Node = Grammar::Node;
using Op = Instruction::Op;
using Rule = Grammar::Rule;

// Characters of a set from which on tables of the tokens within it pay (token_masks.h).
constexpr uint32_t kLargeSet = 20;

// What follows from a grammar's rules: which end at all, and which may be empty.
class Rules {
 public:
  explicit Rules(const Grammar& grammar)
      : grammar_(grammar), callers_(grammar.rules()), ends_(solve(kEnds)), empty_(solve(kEmpty)) {}

  bool ends(Node node) const { return holds(node, kEnds, ends_); }
  bool may_be_empty(Node node) const { return holds(node, kEmpty, empty_); }
  Status refuse_left_recursion() const;

 private:
  enum Property { kEnds, kEmpty };
  using Known = std::vector<bool>;

  // Of expressions, given what is known of rules.
  bool holds(Node node, Property property, const Known& known) const;
  Known solve(Property property);
  void note_calls(Node node, Rule caller);
  // The rules that may stand at the beginning of a text of `node`.
  void append_first(Node node, std::vector<Rule>& out) const;

  const Grammar& grammar_;
  std::vector<std::vector<Rule>> callers_;
  const Known ends_;
  const Known empty_;
};

bool Rules::holds(Node node, Property property, const Known& known) const {
  const Grammar::Expression& e = grammar_.expression(node);
  const auto holds_for = [&](Node child) { return holds(child, property, known); };
  switch (e.kind) {
    case Kind::kLiteral:
      return property == kEnds || e.size == 0;
    case Kind::kSet:
      return property == kEnds && !grammar_.char_set(e.at).empty();
    case Kind::kSequence:
      return std::ranges::all_of(grammar_.children(e), holds_for);
    case Kind::kChoice:
      return std::ranges::any_of(grammar_.children(e), holds_for);
    case Kind::kRepeat:
      return e.size == 0 || holds_for(e.at);
    case Kind::kCall:
      return known[e.at];
  }
  return false;
}

void Rules::note_calls(Node node, Rule caller) {
  const Grammar::Expression& e = grammar_.expression(node);
  if (e.kind == Kind::kCall) {
    if (callers_[e.at].empty() || callers_[e.at].back() != caller) callers_[e.at].push_back(caller);
  } else if (e.kind == Kind::kRepeat) {
    note_calls(e.at, caller);
  } else if (e.kind == Kind::kSequence || e.kind == Kind::kChoice) {
    for (Node child : grammar_.children(e)) note_calls(child, caller);
  }
}

// The least solution: a rule is looked at again when one that it calls turned true.
Rules::Known Rules::solve(Property property) {
  const auto rules = static_cast<Rule>(grammar_.rules());
  std::vector<Rule> todo;
  for (Rule rule = rules; rule-- > 0;) {
    if (property == kEnds) note_calls(grammar_.body(rule), rule);
    todo.push_back(rule);
  }
  Known known(rules, false);
  while (!todo.empty()) {
    const Rule rule = todo.back();
    todo.pop_back();
    if (known[rule] || !holds(grammar_.body(rule), property, known)) continue;
    known[rule] = true;
    todo.insert(todo.end(), callers_[rule].begin(), callers_[rule].end());
  }
  return known;
}

void Rules::append_first(Node node, std::vector<Rule>& out) const {
  if (!ends(node)) return;
  const Grammar::Expression& e = grammar_.expression(node);
  if (e.kind == Kind::kCall) {
    out.push_back(e.at);
  } else if (e.kind == Kind::kRepeat) {
    append_first(e.at, out);
  } else if (e.kind == Kind::kChoice) {
    for (Node child : grammar_.children(e)) append_first(child, out);
  } else if (e.kind == Kind::kSequence) {
    for (Node child : grammar_.children(e)) {
      append_first(child, out);
      if (!may_be_empty(child)) return;
    }
  }
}

// Depth first along the rules that a rule may begin with: none leads back to one that is open.
Status Rules::refuse_left_recursion() const {
  enum Mark : uint8_t { kNew, kOpen, kDone };
  std::vector<Mark> marks(grammar_.rules(), kNew);
  struct Visit {
    Rule rule;
    std::vector<Rule> first;
  };
  std::vector<Visit> path;
  const auto open = [&](Rule rule) {
    marks[rule] = kOpen;
    path.push_back({rule, {}});
    append_first(grammar_.body(rule), path.back().first);
  };
  for (Rule rule = 0; rule < marks.size(); ++rule) {
    if (marks[rule] == kNew) open(rule);
    while (!path.empty()) {
      Visit& visit = path.back();
      if (visit.first.empty()) {
        marks[visit.rule] = kDone;
        path.pop_back();
        continue;
      }
      const Rule next = visit.first.back();
      visit.first.pop_back();
      if (marks[next] == kOpen) {
        return failure(Code::kInvalidArgument,
                       {"rule ", quoted(grammar_.name(next)),
                        " begins with itself (left recursion); write it as a repetition"});
      }
      if (marks[next] == kNew) open(next);
    }
  }
  return {};
}

uint32_t size_of(const CharSet& ranges) {
  uint32_t size = 0;
  for (const Range& range : ranges) size += range.last - range.first + 1;
  return size;
}

// Such a set is an instruction where it stands; others are called.
bool is_one_byte_range(const CharSet& ranges) {
  return ranges.size() == 1 && ranges[0].last < 0x80 && size_of(ranges) < kLargeSet;
}

// Bytes of a code point in UTF-8.
size_t encode(uint32_t code_point, std::array<uint8_t, 4>& out) {
  const auto tail = [&](int shift) {
    return static_cast<uint8_t>(0x80 | ((code_point >> shift) & 0x3f));
  };
  if (code_point < 0x80) return out = {static_cast<uint8_t>(code_point)}, 1;
  if (code_point < 0x800) return out = {static_cast<uint8_t>(0xc0 | code_point >> 6), tail(0)}, 2;
  if (code_point < 0x10000) {
    return out = {static_cast<uint8_t>(0xe0 | code_point >> 12), tail(6), tail(0)}, 3;
  }
  return out = {static_cast<uint8_t>(0xf0 | code_point >> 18), tail(12), tail(6), tail(0)}, 4;
}

// Written from the end: each part is told where to go next, and says where it begins.
class Compiler {
 public:
  Compiler(const Grammar& grammar, const Rules& rules) : grammar_(grammar), rules_(rules) {}

  Program compile() {
    add({});  // kReturn
    for (size_t i = 0; i < grammar_.sets(); ++i) compile_set(grammar_.char_set(i));
    std::vector<Pc> entries;
    for (Rule rule = 0; rule < grammar_.rules(); ++rule) {
      const Node body = grammar_.body(rule);
      entries.push_back(rules_.ends(body) ? compile(body, Program::kReturn) : Program::kReturn);
    }
    for (Pc pc : calls_) program_.code[pc].target = entries[program_.code[pc].target];
    program_.start = entries[Grammar::kRoot];
    return std::move(program_);
  }

 private:
  Pc add(const Instruction& instruction) {
    program_.code.push_back(instruction);
    return static_cast<Pc>(program_.code.size() - 1);
  }
  Pc byte(uint8_t first, uint8_t last, Pc next) {
    return add({.op = Op::kByte, .first = first, .last = last, .next = next});
  }
  Pc split(Pc a, Pc b) { return add({.op = Op::kSplit, .target = a, .next = b}); }
  Pc compile(Node node, Pc next);
  Pc compile_choice(const Grammar::Expression& e, Pc next);
  Pc compile_repeat(const Grammar::Expression& e, Pc next);
  void compile_set(const CharSet& ranges);
  // Appends the ways of taking a character from `first` to `last`, both of as many bytes.
  void compile_range(uint32_t first, uint32_t last, std::vector<Pc>& ways);
  // A way of `node` that is a large set, among the first `looks` expressions.
  uint32_t large_set_of(Node node, int& looks) const;

  const Grammar& grammar_;
  const Rules& rules_;
  Program program_;
  std::vector<Pc> calls_;  // whose target is a rule still
};

Pc Compiler::compile(Node node, Pc next) {
  const Grammar::Expression& e = grammar_.expression(node);
  switch (e.kind) {
    case Kind::kLiteral: {
      const std::string_view bytes = grammar_.bytes(e);
      for (size_t i = bytes.size(); i-- > 0;) {
        const auto value = static_cast<uint8_t>(bytes[i]);
        next = byte(value, value, next);
      }
      return next;
    }
    case Kind::kSet: {
      const CharSet& ranges = grammar_.char_set(e.at);
      if (is_one_byte_range(ranges)) {
        return byte(static_cast<uint8_t>(ranges[0].first), static_cast<uint8_t>(ranges[0].last),
                    next);
      }
      return add({.op = Op::kCall, .target = program_.sets[e.at].entry, .next = next});
    }
    case Kind::kSequence: {
      const auto parts = grammar_.children(e);
      for (size_t i = parts.size(); i-- > 0;) next = compile(parts[i], next);
      return next;
    }
    case Kind::kChoice:
      return compile_choice(e, next);
    case Kind::kRepeat:
      return compile_repeat(e, next);
    case Kind::kCall:
      calls_.push_back(add({.op = Op::kCall, .target = e.at, .next = next}));
      return calls_.back();
  }
  return next;
}

Pc Compiler::compile_choice(const Grammar::Expression& e, Pc next) {
  bool any = false;
  Pc entry = 0;
  const auto ways = grammar_.children(e);
  for (size_t i = ways.size(); i-- > 0;) {
    if (!rules_.ends(ways[i])) continue;
    const Pc way = compile(ways[i], next);
    entry = any ? split(way, entry) : way;
    any = true;
  }
  return entry;
}

Pc Compiler::compile_repeat(const Grammar::Expression& e, Pc next) {
  if (!rules_.ends(e.at)) return next;
  if (e.size == 0 && e.max == 1) return split(compile(e.at, next), next);
  int looks = 16;
  program_.repeats.push_back({e.size, e.max, large_set_of(e.at, looks)});
  const auto index = static_cast<uint32_t>(program_.repeats.size() - 1);
  const Pc body = compile(e.at, Program::kReturn);
  return add({.op = Op::kRepeat, .target = body, .next = next, .repeat = index});
}

uint32_t Compiler::large_set_of(Node node, int& looks) const {
  const Grammar::Expression& e = grammar_.expression(node);
  if (--looks < 0) return Program::kNoSet;
  if (e.kind == Kind::kCall) return large_set_of(grammar_.body(e.at), looks);
  if (e.kind == Kind::kChoice) {
    for (Node way : grammar_.children(e)) {
      if (!rules_.ends(way)) continue;
      if (const uint32_t set = large_set_of(way, looks); set != Program::kNoSet) return set;
    }
  }
  if (e.kind != Kind::kSet) return Program::kNoSet;
  return size_of(grammar_.char_set(e.at)) < kLargeSet ? Program::kNoSet : e.at;
}

void Compiler::compile_range(uint32_t first, uint32_t last, std::vector<Pc>& ways) {
  // A range whose tail bytes do not run from 80 to bf is cut in front of those that do.
  for (int shift = 6; shift <= 18; shift += 6) {
    const uint32_t low = (uint32_t{1} << shift) - 1;
    if ((first | low) >= last) continue;
    if ((first & low) != 0) {
      compile_range(first, first | low, ways);
      return compile_range((first | low) + 1, last, ways);
    }
    if ((last & low) != low) {
      compile_range(first, (last & ~low) - 1, ways);
      return compile_range(last & ~low, last, ways);
    }
  }
  std::array<uint8_t, 4> from{};
  std::array<uint8_t, 4> to{};
  encode(first, from);
  Pc next = Program::kReturn;
  for (size_t i = encode(last, to); i-- > 0;) next = byte(from[i], to[i], next);
  ways.push_back(next);
}

void Compiler::compile_set(const CharSet& ranges) {
  constexpr Range kLengths[] = {{0, 0x7f}, {0x80, 0x7ff}, {0x800, 0xffff}, {0x10000, 0x10ffff}};
  Program::Set set{.ranges = ranges, .begin = static_cast<Pc>(program_.code.size())};
  std::vector<Pc> ways;
  for (const Range& length : kLengths) {
    for (const Range& range : ranges) {
      const uint32_t first = std::max(range.first, length.first);
      const uint32_t last = std::min(range.last, length.last);
      if (first <= last) compile_range(first, last, ways);
    }
  }
  for (size_t i = ways.size(); i-- > 0;) {
    set.entry = i + 1 == ways.size() ? ways[i] : split(ways[i], set.entry);
    const Instruction& lead = program_.code[ways[i]];
    for (size_t b = lead.first; b <= lead.last; ++b) set.leads[b] = true;
  }
  set.end = static_cast<Pc>(program_.code.size());
  program_.sets.push_back(std::move(set));
}

}  // namespace

Result<std::shared_ptr<const Program>> Program::compile(const Grammar& grammar) {
  ENM_RETURN_IF_ERROR(grammar.status());
  const Rules rules(grammar);
  if (!rules.ends(grammar.body(Grammar::kRoot))) {
    return failure(Code::kInvalidArgument, {"no text fits the grammar: its root never ends"});
  }
  ENM_RETURN_IF_ERROR(rules.refuse_left_recursion());
  return std::make_shared<const Program>(Compiler(grammar, rules).compile());
}

}  // namespace enm::text::grammar
