// A grammar as expressions over bytes and code points: what GBNF, JSON schemas and regular
// expressions are read into, and programs (program.h) are made of.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"

namespace enm::text::grammar {

/// Code points, both ends included.
struct Range {
  uint32_t first = 0;
  uint32_t last = 0;
  bool operator==(const Range&) const = default;
};
/// In order and disjoint, without surrogates: what normalized() gives.
using CharSet = std::vector<Range>;

CharSet normalized(std::span<const Range> ranges);
/// Of normalized sets.
CharSet complement(std::span<const Range> ranges);
CharSet intersection(std::span<const Range> a, std::span<const Range> b);

/// A failure whose message is the parts one after the other. One function, because every
/// combination of types that cat() is called with is a hundred bytes of the WebAssembly module.
Status failure(Code code, std::initializer_list<std::string_view> parts);

/// The first failure sticks: whoever builds looks at status() in loops and at the end.
class Grammar {
 public:
  using Node = uint32_t;
  using Rule = uint32_t;
  static constexpr uint32_t kUnlimited = UINT32_MAX;
  static constexpr Node kEmpty = 0;  // the text of no bytes
  static constexpr Rule kRoot = 0;

  Grammar();

  Node literal(std::string_view bytes);
  /// One character of a set.
  Node set(std::span<const Range> ranges);
  Node set(Range range) { return set(std::span(&range, 1)); }
  Node sequence(std::span<const Node> parts);
  /// Of no ways at all: what no text is. Such ways are left out wherever they stand.
  Node choice(std::span<const Node> ways);
  Node sequence(std::initializer_list<Node> parts) { return sequence(std::span(parts)); }
  Node choice(std::initializer_list<Node> ways) { return choice(std::span(ways)); }
  Node repeat(Node body, uint32_t min, uint32_t max = kUnlimited);
  Node optional(Node body) { return repeat(body, 0, 1); }
  Node call(Rule rule);

  /// `name` is for messages. The first one is the root.
  Rule add_rule(std::string_view name);
  void define(Rule rule, Node body) { rules_[rule].body = body; }
  /// A rule of its own, to be called from several places.
  Node shared(std::string_view name, Node body);

  /// Returns a node, for those who fail by returning.
  Node fail(Status status) {
    if (status_.ok()) status_ = std::move(status);
    return kEmpty;
  }
  Node fail(Code code, std::initializer_list<std::string_view> parts) {
    return fail(failure(code, parts));
  }
  bool ok() const { return status_.ok(); }
  const Status& status() const { return status_; }

  // For those who read it.
  enum class Kind : uint8_t { kLiteral, kSet, kSequence, kChoice, kRepeat, kCall };
  struct Expression {
    Kind kind;
    uint32_t at;    // of bytes, sets or children; the body of a repeat; the rule of a call
    uint32_t size;  // of bytes or children; the least count of a repeat
    uint32_t max;   // of a repeat
  };
  const Expression& expression(Node node) const { return nodes_[node]; }
  std::string_view bytes(const Expression& literal) const {
    return std::string_view(bytes_).substr(literal.at, literal.size);
  }
  std::span<const Node> children(const Expression& parent) const {
    return std::span(children_).subspan(parent.at, parent.size);
  }
  const CharSet& char_set(size_t index) const { return sets_[index]; }
  size_t sets() const { return sets_.size(); }
  size_t rules() const { return rules_.size(); }
  Node body(Rule rule) const { return rules_[rule].body; }
  /// rules() if there is none.
  Rule find(std::string_view name) const;
  std::string_view name(Rule rule) const { return rules_[rule].name; }

 private:
  struct Named {
    std::string name;
    Node body;
  };
  Node add(Kind kind, size_t at, size_t size, uint32_t max = 0);
  Node add_parent(Kind kind, std::span<const Node> children);

  std::vector<Expression> nodes_;
  std::string bytes_;
  std::vector<Node> children_;
  std::vector<CharSet> sets_;  // each once
  std::vector<Named> rules_;
  Status status_;
};

}  // namespace enm::text::grammar
