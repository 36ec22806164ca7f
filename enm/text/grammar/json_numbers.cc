#include "enm/text/grammar/json_numbers.h"

#include <algorithm>
#include <cmath>

namespace enm::text::grammar {
namespace {

using Node = Grammar::Node;

constexpr uint32_t kMostDigits = 16;
constexpr int64_t kLargest = 9'999'999'999'999'999;  // of so many digits
constexpr int kMostDecimals = 6;

// Ranges of decimal numbers that are counted in units of their last decimal.
class Digits {
 public:
  Digits(Grammar& grammar, int decimals) : grammar_(grammar), decimals_(decimals) {}

  /// Numbers from `low` to `high`, both included.
  void append(int64_t low, int64_t high, std::vector<Node>& ways) {
    if (low > high) return;
    if (low < 0) {
      const auto most = static_cast<uint64_t>(-low);
      const uint64_t least = high < 0 ? static_cast<uint64_t>(-high) : 1;
      ways.push_back(grammar_.sequence({grammar_.literal("-"), magnitudes(least, most)}));
    }
    if (high >= 0) {
      ways.push_back(magnitudes(static_cast<uint64_t>(std::max<int64_t>(low, 0)),
                                static_cast<uint64_t>(high)));
    }
  }

  Node magnitudes(uint64_t low, uint64_t high) {
    std::vector<Node> ways;
    uint64_t end = 10;  // of the numbers of so many digits
    int size = 1;
    for (; size <= decimals_; ++size) end *= 10;  // a digit stands before the point
    for (; low <= high; ++size, end *= 10) {
      if (low >= end) continue;
      const uint64_t last = std::min(high, end - 1);
      ways.push_back(between(low, last, end / 10, size));
      low = last + 1;
    }
    return grammar_.choice(ways);
  }

 private:
  // Of `size` digits; `unit` is what the first one counts.
  Node between(uint64_t low, uint64_t high, uint64_t unit, int size) {
    if (size == 0) return Grammar::kEmpty;
    uint64_t first = low / unit;
    uint64_t last = high / unit;
    const uint64_t low_rest = low % unit;
    const uint64_t high_rest = high % unit;
    const auto rest = [&](uint64_t from, uint64_t to) {
      return between(from, to, std::max<uint64_t>(unit / 10, 1), size - 1);
    };
    if (first == last)
      return grammar_.sequence({digit(first, first, size), rest(low_rest, high_rest)});
    std::vector<Node> ways;
    if (low_rest != 0) {
      ways.push_back(grammar_.sequence({digit(first, first, size), rest(low_rest, unit - 1)}));
      ++first;
    }
    if (high_rest != unit - 1) {
      ways.push_back(grammar_.sequence({digit(last, last, size), rest(0, high_rest)}));
      --last;
    }
    if (first <= last) ways.push_back(grammar_.sequence({digit(first, last, size), any(size - 1)}));
    return grammar_.choice(ways);
  }

  Node digit(uint64_t first, uint64_t last, int size) {
    const Node node =
        grammar_.set({static_cast<uint32_t>('0' + first), static_cast<uint32_t>('0' + last)});
    if (decimals_ == 0 || size - 1 != decimals_) return node;
    return grammar_.sequence({node, grammar_.literal(".")});
  }

  Node any(int size) {
    const auto digits = [&](int count) {
      return grammar_.repeat(grammar_.set({'0', '9'}), static_cast<uint32_t>(count),
                             static_cast<uint32_t>(count));
    };
    if (decimals_ == 0 || size <= decimals_) return digits(size);
    return grammar_.sequence({digits(size - decimals_), grammar_.literal("."), digits(decimals_)});
  }

  Grammar& grammar_;
  const int decimals_;
};

// In units of the last of `decimals`, moved by one where it is exclusive; without a bound, the
// largest number.
int64_t scaled(const std::optional<Bound>& bound, int decimals, bool is_least) {
  if (!bound) return is_least ? -kLargest : kLargest;
  double value = bound->value;
  for (int i = 0; i < decimals; ++i) value *= 10;
  double nearest = is_least ? std::ceil(value) : std::floor(value);
  // 0.1 * 10^3 is not quite 100.
  if (std::abs(value - std::round(value)) < 1e-6) nearest = std::round(value);
  if (bound->exclusive && std::abs(nearest - value) < 1e-6) nearest += is_least ? 1 : -1;
  return static_cast<int64_t>(
      std::clamp(nearest, -static_cast<double>(kLargest), static_cast<double>(kLargest)));
}

int decimals_of(double value) {
  int decimals = 0;
  for (double rest = value; decimals <= kMostDecimals; ++decimals, rest *= 10) {
    if (std::abs(rest - std::round(rest)) < 1e-9 * std::max(1.0, std::abs(rest))) break;
  }
  return decimals;
}

Node digits(Grammar& grammar, uint32_t least, uint32_t most) {
  return grammar.repeat(grammar.set({'0', '9'}), least, most);
}

// Bounds that are integers: these themselves, and what lies between with any decimals.
Node with_fractions(Grammar& grammar, int64_t low, int64_t high) {
  Digits whole_numbers(grammar, 0);
  std::vector<Node> ways;
  whole_numbers.append(low, high, ways);
  const auto inside = [&](int64_t least, int64_t most, std::string_view sign) {
    if (least > most) return;
    ways.push_back(grammar.sequence(
        {grammar.literal(sign),
         whole_numbers.magnitudes(static_cast<uint64_t>(least), static_cast<uint64_t>(most)),
         grammar.literal("."), digits(grammar, 1, kMostDigits)}));
  };
  inside(std::max<int64_t>(low, 0), high - 1, "");
  inside(std::max<int64_t>(-high, 0), -low - 1, "-");
  return grammar.choice(ways);
}

}  // namespace

Node json_integer(Grammar& grammar, const Bounds& bounds) {
  std::vector<Node> ways;
  Digits(grammar, 0).append(scaled(bounds.least, 0, true), scaled(bounds.most, 0, false), ways);
  return grammar.choice(ways);
}

Node json_number(Grammar& grammar, const Bounds& bounds) {
  int decimals = 0;
  bool exclusive = false;
  for (const auto& bound : {bounds.least, bounds.most}) {
    if (!bound) continue;
    decimals = std::max(decimals, decimals_of(bound->value));
    exclusive = exclusive || bound->exclusive;
  }
  if (decimals > kMostDecimals) {
    return grammar.fail(Code::kUnsupported, {"a bound of more than six decimals"});
  }
  if (exclusive) decimals += 2;
  const int64_t low = scaled(bounds.least, decimals, true);
  const int64_t high = scaled(bounds.most, decimals, false);
  if (decimals == 0) return low > high ? grammar.choice({}) : with_fractions(grammar, low, high);
  std::vector<Node> ways = {json_integer(grammar, bounds)};
  Digits(grammar, decimals).append(low, high, ways);
  return grammar.choice(ways);
}

}  // namespace enm::text::grammar
