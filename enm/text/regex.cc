#include "enm/text/regex.h"

#include <algorithm>
#include <cstring>

#include "enm/base/strings.h"
#include "enm/text/regex_syntax.h"

namespace enm::text {
namespace {

using Kind = RegexTree::Kind;

constexpr size_t kMostInstructions = 2000;
constexpr size_t kMostStates = 1000;
constexpr size_t kMostSteps = size_t{1} << 17;
constexpr uint32_t kMostClasses = 250;
// Characters that a search reads ahead once its budget is spent.
constexpr size_t kShortSight = 64;

struct Instruction {
  enum class Op : uint8_t { kSet, kSplit, kAhead, kBehind, kMatch };
  Op op = Op::kMatch;
  bool edge = false;
  uint32_t set = 0;
  uint32_t next = 0;
  uint32_t other = 0;  // of a split: what comes second
};

// The tree as instructions, each naming what follows it: written from the end to the front.
class Compiler {
 public:
  explicit Compiler(const RegexTree& tree) : tree_(tree) {}

  Result<uint32_t> run() {
    const uint32_t match = add({});
    return compile(tree_.root, match);
  }
  std::vector<Instruction> take() { return std::move(out_); }

 private:
  uint32_t add(Instruction instruction) {
    out_.push_back(instruction);
    return static_cast<uint32_t>(out_.size() - 1);
  }
  uint32_t split(bool greedy, uint32_t inside, uint32_t behind) {
    Instruction out;
    out.op = Instruction::Op::kSplit;
    out.next = greedy ? inside : behind;
    out.other = greedy ? behind : inside;
    return add(out);
  }

  Result<uint32_t> compile(uint32_t index, uint32_t next) {
    if (out_.size() > kMostInstructions) return Unsupported("a pattern that repeats that much");
    const RegexTree::Node& node = tree_.nodes[index];
    switch (node.kind) {
      case Kind::kEmpty:
        return next;
      case Kind::kSet:
      case Kind::kAhead:
      case Kind::kBehind: {
        Instruction out;
        out.op = node.kind == Kind::kSet     ? Instruction::Op::kSet
                 : node.kind == Kind::kAhead ? Instruction::Op::kAhead
                                             : Instruction::Op::kBehind;
        out.set = node.set;
        out.edge = node.edge;
        out.next = next;
        return add(out);
      }
      case Kind::kSequence: {
        for (auto child = node.children.rbegin(); child != node.children.rend(); ++child) {
          ENM_ASSIGN_OR_RETURN(next, compile(*child, next));
        }
        return next;
      }
      case Kind::kAlternation: {
        ENM_ASSIGN_OR_RETURN(uint32_t way, compile(node.children.back(), next));
        for (auto child = node.children.rbegin() + 1; child != node.children.rend(); ++child) {
          ENM_ASSIGN_OR_RETURN(const uint32_t first, compile(*child, next));
          way = split(true, first, way);
        }
        return way;
      }
      case Kind::kRepeat:
        return repeat(node, next);
    }
    return next;
  }

  Result<uint32_t> repeat(const RegexTree::Node& node, uint32_t next) {
    if (node.max == RegexTree::kUnlimited) {
      const uint32_t loop = split(node.greedy, 0, next);
      ENM_ASSIGN_OR_RETURN(const uint32_t inside, compile(node.children[0], loop));
      (node.greedy ? out_[loop].next : out_[loop].other) = inside;
      next = loop;
    } else {
      const uint32_t behind = next;
      for (uint32_t i = node.min; i < node.max; ++i) {
        ENM_ASSIGN_OR_RETURN(const uint32_t inside, compile(node.children[0], next));
        next = split(node.greedy, inside, behind);
      }
    }
    for (uint32_t i = 0; i < node.min; ++i) {
      ENM_ASSIGN_OR_RETURN(next, compile(node.children[0], next));
    }
    return next;
  }

  const RegexTree& tree_;
  std::vector<Instruction> out_;
};

}  // namespace

class RegexBuilder {
 public:
  RegexBuilder(const RegexTree& tree, std::vector<Instruction> program)
      : sets_(tree.sets), program_(std::move(program)), seen_(program_.size()) {
    for (const Instruction& each : program_) {
      out_.looks_back_ = out_.looks_back_ || each.op == Instruction::Op::kBehind;
    }
  }

  Result<Regex> run(uint32_t start) {
    ENM_RETURN_IF_ERROR(make_classes());
    states_.push_back({});
    const uint32_t ways = out_.looks_back_ ? out_.class_count_ + 1 : 1;
    for (uint32_t before = 0; before < ways; ++before) {
      out_.starts_.push_back(state_of({start}, before));
    }
    out_.starts_.resize(out_.class_count_ + 1, out_.starts_.back());
    for (size_t i = 0; i < states_.size(); ++i) {
      for (uint32_t next = 0; next <= out_.class_count_; ++next) {
        const State state = states_[i];  // a copy: step() adds states
        out_.steps_.push_back(step(state, next));
      }
      if (states_.size() > kMostStates || out_.steps_.size() > kMostSteps) {
        return Unsupported("it needs more than ", kMostStates, " states");
      }
    }
    return std::move(out_);
  }

 private:
  // Places in the program, the preferred first, each behind the character before.
  struct State {
    std::vector<uint32_t> places;
    uint32_t before = 0;
  };

  // Characters that all sets hold or none does are of one class.
  Status make_classes() {
    std::vector<size_t> at(sets_.size());    // the range of each set that is not behind `first`
    std::vector<std::vector<bool>> members;  // of each class: which sets hold it
    std::vector<uint8_t> page(256);
    std::vector<bool> holds(sets_.size());
    uint32_t last_page = 0;
    for (uint32_t first = 0; first < kCodePoints;) {
      uint32_t end = kCodePoints;
      for (size_t i = 0; i < sets_.size(); ++i) {
        while (at[i] < sets_[i].size() && sets_[i][at[i]].last < first) ++at[i];
        holds[i] = at[i] < sets_[i].size() && sets_[i][at[i]].first <= first;
        if (at[i] == sets_[i].size()) continue;
        end = std::min(end, holds[i] ? sets_[i][at[i]].last + 1 : sets_[i][at[i]].first);
      }
      const auto found = std::find(members.begin(), members.end(), holds);
      const auto number = static_cast<uint8_t>(found - members.begin());
      if (found == members.end()) members.push_back(holds);
      if (members.size() > kMostClasses) return Unsupported("it has too many sets of characters");
      for (; first < end; ++first) {
        page[first & 255] = number;
        if ((first & 255) != 255) continue;
        const size_t known = out_.classes_.size() / 256;
        uint32_t same = last_page;
        const auto is_same = [&](size_t i) {
          return i < known && std::memcmp(&out_.classes_[i * 256], page.data(), 256) == 0;
        };
        if (!is_same(same)) {
          for (same = 0; same < known && !is_same(same); ++same) {
          }
        }
        if (same == known) out_.classes_.insert(out_.classes_.end(), page.begin(), page.end());
        if (same > 255) return Unsupported("its sets of characters are too uneven");
        out_.pages_[first >> 8] = static_cast<uint8_t>(same);
        last_page = same;
      }
    }
    out_.class_count_ = static_cast<uint32_t>(members.size());
    for (size_t i = 0; i < sets_.size(); ++i) {
      for (uint32_t c = 0; c < out_.class_count_; ++c) in_set_.push_back(members[c][i]);
    }
    return {};
  }

  bool holds(const Instruction& each, uint32_t character) const {
    if (character == out_.class_count_) return each.edge;
    return in_set_[each.set * out_.class_count_ + character];
  }

  uint32_t state_of(std::vector<uint32_t> places, uint32_t before) {
    if (places.empty()) return 0;
    if (!out_.looks_back_) before = 0;
    for (size_t i = 1; i < states_.size(); ++i) {
      if (states_[i].before == before && states_[i].places == places) {
        return static_cast<uint32_t>(i);
      }
    }
    states_.push_back({std::move(places), before});
    return static_cast<uint32_t>(states_.size() - 1);
  }

  uint32_t step(const State& state, uint32_t next) {
    ++round_;
    std::vector<uint32_t> stack(state.places.rbegin(), state.places.rend());
    std::vector<uint32_t> places;
    bool matches = false;
    while (!stack.empty() && !matches) {
      const uint32_t at = stack.back();
      stack.pop_back();
      if (seen_[at] == round_) continue;
      seen_[at] = round_;
      const Instruction& each = program_[at];
      switch (each.op) {
        case Instruction::Op::kMatch:
          matches = true;  // what is left is less preferred
          break;
        case Instruction::Op::kSplit:
          stack.push_back(each.other);
          stack.push_back(each.next);
          break;
        case Instruction::Op::kAhead:
          if (holds(each, next)) stack.push_back(each.next);
          break;
        case Instruction::Op::kBehind:
          if (holds(each, state.before)) stack.push_back(each.next);
          break;
        case Instruction::Op::kSet:
          if (next == out_.class_count_ || !holds(each, next)) break;
          if (std::find(places.begin(), places.end(), each.next) == places.end()) {
            places.push_back(each.next);
          }
      }
    }
    return state_of(std::move(places), next) * 2 + (matches ? 1 : 0);
  }

  const std::vector<CodeRanges>& sets_;
  const std::vector<Instruction> program_;
  std::vector<bool> in_set_;  // [set, class]
  std::vector<State> states_;
  std::vector<uint32_t> seen_;  // by which round an instruction was reached last
  uint32_t round_ = 0;
  Regex out_;
};

Result<Regex> Regex::compile(std::string_view pattern) {
  const auto make = [&]() -> Result<Regex> {
    ENM_ASSIGN_OR_RETURN(const RegexTree tree, parse_regex(pattern));
    Compiler compiler(tree);
    ENM_ASSIGN_OR_RETURN(const uint32_t start, compiler.run());
    return RegexBuilder(tree, compiler.take()).run(start);
  };
  auto regex = make();
  if (!regex.ok()) return regex.status().in(cat("pattern ", quoted(pattern)));
  return regex;
}

// Where the match that begins at `at` ends, or SIZE_MAX.
size_t Regex::Finder::match_at(size_t at) {
  const uint32_t stride = regex_.class_count_ + 1;
  uint32_t before = regex_.class_count_;
  if (regex_.looks_back_ && at > 0) {
    size_t last = at - 1;
    while (last > 0 && (text_[last] & 0xc0) == 0x80) --last;
    before = regex_.class_of(next_code_point(text_, last));
  }
  uint32_t state = regex_.starts_[before];
  size_t end = SIZE_MAX;
  const size_t limit = budget_ > 0 ? text_.size() : std::min(text_.size(), at + kShortSight);
  const size_t begin = at;
  while (state != 0) {
    uint32_t next = regex_.class_count_;
    size_t behind = at;
    if (at < text_.size()) {
      if (at >= limit) break;
      next = regex_.class_of(next_code_point(text_, behind));
    }
    const uint32_t step = regex_.steps_[state * stride + next];
    if ((step & 1) != 0) end = at;
    state = step >> 1;
    at = behind;
  }
  budget_ -= std::min<uint64_t>(budget_, at - begin);
  return end;
}

bool Regex::Finder::next(Match& match) {
  while (at_ <= text_.size()) {
    const size_t end = match_at(at_);
    if (end != SIZE_MAX && (end != at_ || last_end_ != at_)) {
      match = {at_, end};
      at_ = last_end_ = end;
      return true;
    }
    at_ += at_ < text_.size() ? utf8_length(text_[at_]) : 1;
  }
  return false;
}

}  // namespace enm::text
