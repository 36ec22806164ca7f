#include "enm/text/grammar/grammar.h"

#include <algorithm>

#include "enm/base/order.h"

namespace enm::text::grammar {
namespace {

constexpr uint32_t kLastCodePoint = 0x10ffff;
constexpr Range kSurrogates = {0xd800, 0xdfff};
// Expressions, their children and bytes in all: far above what people write, and some megabytes.
constexpr size_t kMostParts = 500'000;

}  // namespace

CharSet complement(std::span<const Range> ranges) {
  CharSet out;
  uint32_t begin = 0;
  const auto until = [&](uint32_t end, uint32_t next) {
    if (begin < end) out.push_back({begin, end - 1});
    begin = next;
  };
  bool passed = false;  // the surrogates
  for (const Range& range : ranges) {
    if (!passed && range.first > kSurrogates.last) {
      until(kSurrogates.first, kSurrogates.last + 1);
      passed = true;
    }
    until(range.first, range.last + 1);
  }
  if (!passed) until(kSurrogates.first, kSurrogates.last + 1);
  until(kLastCodePoint + 1, 0);
  return out;
}

CharSet normalized(std::span<const Range> ranges) {
  const auto order =
      sorted_order(static_cast<uint32_t>(ranges.size()),
                   [&](uint32_t a, uint32_t b) { return ranges[a].first < ranges[b].first; });
  CharSet out;
  const auto add = [&](uint32_t first, uint32_t last) {
    if (first > last) return;
    if (!out.empty() && first <= out.back().last + 1) {
      out.back().last = std::max(out.back().last, last);
    } else {
      out.push_back({first, last});
    }
  };
  for (uint32_t place : order) {
    const auto [first, end] = ranges[place];
    const uint32_t last = std::min(end, kLastCodePoint);
    add(first, std::min(last, kSurrogates.first - 1));
    add(std::max(first, kSurrogates.last + 1), last);
  }
  return out;
}

CharSet intersection(std::span<const Range> a, std::span<const Range> b) {
  CharSet out;
  for (const Range& one : a) {
    for (const Range& other : b) {
      const Range both = {std::max(one.first, other.first), std::min(one.last, other.last)};
      if (both.first <= both.last) out.push_back(both);
    }
  }
  return out;
}

Status failure(Code code, std::initializer_list<std::string_view> parts) {
  std::string message;
  for (std::string_view part : parts) message += part;
  return Status(code, std::move(message));
}

Grammar::Grammar() { literal({}); }

Grammar::Node Grammar::add(Kind kind, size_t at, size_t size, uint32_t max) {
  if (nodes_.size() + bytes_.size() + children_.size() > kMostParts) {
    return fail(Code::kResourceExhausted, {"the grammar has more than 500000 parts"});
  }
  nodes_.push_back({kind, static_cast<uint32_t>(at), static_cast<uint32_t>(size), max});
  return static_cast<Node>(nodes_.size() - 1);
}

Grammar::Node Grammar::literal(std::string_view bytes) {
  if (bytes.empty() && !nodes_.empty()) return kEmpty;
  const size_t at = bytes_.size();
  bytes_ += bytes;
  return add(Kind::kLiteral, at, bytes.size());
}

Grammar::Node Grammar::set(std::span<const Range> ranges) {
  CharSet wanted = normalized(ranges);
  size_t index = 0;
  while (index < sets_.size() && sets_[index] != wanted) ++index;
  if (index == sets_.size()) sets_.push_back(std::move(wanted));
  if (index == 1024)
    fail(Code::kResourceExhausted, {"the grammar has more than 1024 character sets"});
  return add(Kind::kSet, index, 0);
}

Grammar::Node Grammar::add_parent(Kind kind, std::span<const Node> children) {
  const size_t at = children_.size();
  children_.insert(children_.end(), children.begin(), children.end());
  return add(kind, at, children.size());
}

Grammar::Node Grammar::sequence(std::span<const Node> parts) {
  if (parts.empty()) return kEmpty;
  return parts.size() == 1 ? parts[0] : add_parent(Kind::kSequence, parts);
}

Grammar::Node Grammar::choice(std::span<const Node> ways) {
  return ways.size() == 1 ? ways[0] : add_parent(Kind::kChoice, ways);
}

Grammar::Node Grammar::repeat(Node body, uint32_t min, uint32_t max) {
  if (max == 0) return kEmpty;
  return min == 1 && max == 1 ? body : add(Kind::kRepeat, body, min, max);
}

Grammar::Node Grammar::call(Rule rule) { return add(Kind::kCall, rule, 0); }

Grammar::Rule Grammar::add_rule(std::string_view name) {
  rules_.push_back({std::string(name), kEmpty});
  return static_cast<Rule>(rules_.size() - 1);
}

Grammar::Rule Grammar::find(std::string_view name) const {
  Rule rule = 0;
  while (rule < rules_.size() && rules_[rule].name != name) ++rule;
  return rule;
}

Grammar::Node Grammar::shared(std::string_view name, Node body) {
  const Rule rule = add_rule(name);
  define(rule, body);
  return call(rule);
}

}  // namespace enm::text::grammar
