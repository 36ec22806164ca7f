#include "enm/text/unicode.h"

#include <algorithm>
#include <iterator>
#include <span>

#include "enm/base/bytes.h"
#include "enm/base/order.h"
#include "enm/base/strings.h"

namespace enm::text {
namespace {

#include "enm/text/unicode_tables.inc"

constexpr uint8_t kYoung = 32;  // beside the category: younger than Unicode 8

// The numbers of a table as tools/unicode_tables.py packs them.
class Unpacker {
 public:
  explicit Unpacker(std::span<const uint8_t> bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }
  uint32_t number() {
    uint32_t value = 0;
    for (int shift = 0;; shift += 7) {
      const uint8_t byte = rest_.front();
      rest_ = rest_.subspan(1);
      value |= (byte & 127u) << shift;
      if (byte < 128) return value;
    }
  }
  uint32_t offset(uint32_t base) {
    const uint32_t zigzag = number();
    return base + ((zigzag >> 1) ^ (0u - (zigzag & 1)));
  }

 private:
  std::span<const uint8_t> rest_;
};

struct Range {
  uint32_t first;
  uint32_t last;
  uint32_t value;
};

std::vector<Range> unpack_ranges(std::span<const uint8_t> bytes) {
  std::vector<Range> out;
  uint32_t behind = 0;
  for (Unpacker in(bytes); !in.done();) {
    const uint32_t first = behind + in.number();
    const uint32_t last = first + in.number();
    out.push_back({first, last, in.number()});
    behind = last + 1;
  }
  return out;
}

// The value of the range that holds the code point, or `none`.
uint32_t find(std::span<const Range> ranges, uint32_t code_point, uint32_t none) {
  const auto found =
      std::lower_bound(ranges.begin(), ranges.end(), code_point,
                       [](const Range& range, uint32_t key) { return range.last < key; });
  return found == ranges.end() || found->first > code_point ? none : found->value;
}

// A byte a code point for the planes that hold nearly all characters; beyond, ranges.
class CategoryTable {
 public:
  CategoryTable() : ranges_(unpack_ranges(kCategories)), flat_(kFlat, kUnassigned) {
    for (const auto& [first, last, value] : ranges_) {
      for (uint32_t c = first; c <= last && c < kFlat; ++c) flat_[c] = static_cast<uint8_t>(value);
    }
  }
  uint8_t at(uint32_t c) const {
    return c < kFlat ? flat_[c] : static_cast<uint8_t>(find(ranges_, c, kUnassigned));
  }
  const std::vector<Range>& ranges() const { return ranges_; }

 private:
  static constexpr uint32_t kFlat = 0x20000;
  static constexpr uint8_t kUnassigned = static_cast<uint8_t>(Category::kCn);
  std::vector<Range> ranges_;
  std::vector<uint8_t> flat_;
};

const CategoryTable& category_table() {
  static const CategoryTable table;
  return table;
}

uint8_t marked_category(uint32_t c) { return category_table().at(c); }

const std::vector<Range>& script_ranges() {
  static const std::vector<Range> ranges = unpack_ranges(kScripts);
  return ranges;
}

struct LowerRun {
  uint32_t first;
  uint32_t count;
  uint32_t step;
  uint32_t distance;
};

std::vector<LowerRun> unpack_lower() {
  std::vector<LowerRun> out;
  uint32_t behind = 0;
  for (Unpacker in(kLower); !in.done();) {
    LowerRun run;
    run.first = behind + in.number();
    const uint32_t shape = in.number();
    run.count = shape / 2 + 1;
    run.step = shape % 2 + 1;
    run.distance = in.offset(0);
    out.push_back(run);
    behind = run.first + 1;
  }
  return out;
}

const std::vector<LowerRun>& lower_runs() {
  static const std::vector<LowerRun> runs = unpack_lower();
  return runs;
}

// One step of decomposition.
struct Decomposition {
  uint32_t from;
  uint32_t begin;  // of its parts
  uint32_t count;
  bool compatible;
};

struct Composition {
  uint64_t pair;
  uint32_t to;
};

class Decompositions {
 public:
  Decompositions() {
    std::vector<Composition> compositions;
    uint32_t behind = 0;
    uint32_t last = 0;
    for (Unpacker in(kDecompositions); !in.done();) {
      const uint32_t from = behind + in.number();
      const uint32_t kind = in.number();
      const uint32_t count = kind >> 2;
      const uint32_t run = count == 1 ? in.number() + 1 : 1;
      const auto begin = static_cast<uint32_t>(parts_.size());
      for (uint32_t i = 0, base = last; i < count; ++i) {
        base = in.offset(base);
        parts_.push_back(base);
      }
      last = parts_[begin];
      for (uint32_t i = 1; i < run; ++i) parts_.push_back(last + i);
      for (uint32_t i = 0; i < run; ++i) {
        rows_.push_back({from + i, begin + i, count, (kind & 2) != 0});
      }
      if ((kind & 1) != 0 && count == 2) {
        compositions.push_back({pair_of(parts_[begin], parts_[begin + 1]), from});
      }
      behind = from + run;
    }
    for (uint32_t i : sorted_order(
             static_cast<uint32_t>(compositions.size()),
             [&](uint32_t a, uint32_t b) { return compositions[a].pair < compositions[b].pair; })) {
      compositions_.push_back(compositions[i]);
    }
  }

  void append(std::vector<uint32_t>& out, uint32_t code_point, bool compatible) const {
    const auto row =
        std::lower_bound(rows_.begin(), rows_.end(), code_point,
                         [](const Decomposition& each, uint32_t key) { return each.from < key; });
    if (row == rows_.end() || row->from != code_point || (row->compatible && !compatible)) {
      out.push_back(code_point);
      return;
    }
    for (uint32_t i = 0; i < row->count; ++i) append(out, parts_[row->begin + i], compatible);
  }

  uint32_t compose(uint32_t first, uint32_t second) const {
    const uint64_t pair = pair_of(first, second);
    const auto found =
        std::lower_bound(compositions_.begin(), compositions_.end(), pair,
                         [](const Composition& each, uint64_t key) { return each.pair < key; });
    return found == compositions_.end() || found->pair != pair ? 0 : found->to;
  }

 private:
  static uint64_t pair_of(uint32_t first, uint32_t second) {
    return uint64_t{first} << 32 | second;
  }
  std::vector<Decomposition> rows_;
  std::vector<uint32_t> parts_;
  std::vector<Composition> compositions_;
};

const Decompositions& decompositions() {
  static const Decompositions table;
  return table;
}

// Hangul syllables decompose and compose by arithmetic (Unicode 15, section 3.12).
constexpr uint32_t kSyllables = 0xac00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11a7;
constexpr uint32_t kLeadCount = 19, kVowelCount = 21, kTailCount = 28, kSyllableCount = 11172;

bool is_old(uint32_t c, Categories set) {
  const uint8_t marked = marked_category(c);
  return marked < kYoung && (set >> marked & 1) != 0;
}

}  // namespace

uint32_t next_code_point(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const int extra = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
  if (extra == 0) return kReplacementCharacter;
  uint32_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  uint32_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  uint32_t code_point = lead & (0x3fu >> extra);
  for (int i = 0; i < extra; ++i) {
    if (at == text.size() || byte(at) < low || byte(at) > high) return kReplacementCharacter;
    code_point = code_point << 6 | (byte(at++) & 0x3fu);
    low = 0x80;
    high = 0xbf;
  }
  return code_point;
}

void append_utf8(std::string& out, uint32_t c) {
  const auto put = [&](uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3f));
    put(0x80 | (c >> 6 & 0x3f));
    put(0x80 | (c & 0x3f));
  }
}

std::string made_valid(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string out;
  for (size_t at = 0; at < text.size();) append_utf8(out, next_code_point(text, at));
  return out;
}

size_t count_code_points(std::string_view text) {
  size_t count = 0;
  for (char c : text) count += (c & 0xc0) != 0x80;
  return count;
}

Category category(uint32_t code_point) {
  return static_cast<Category>(marked_category(code_point) & ~kYoung);
}

bool is_white(uint32_t c) {
  if (c <= 0x20) return c == 0x20 || (c >= 9 && c <= 13);
  return c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
         c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

bool is_word(uint32_t c) {
  if (is_in(c, kWordCategories)) return true;
  for (const auto& [first, last] : kWordSymbols) {
    if (c >= first && c <= last) return true;
  }
  return false;
}

// Apart from new characters, six have changed their category since.
bool is_old_nonspacing_mark(uint32_t c) {
  if (c == 0x1734) return true;
  if (c == 0x1885 || c == 0x1886 || c == 0xa9bd || c == 0x111c9) return false;
  return is_old(c, categories(Category::kMn, Category::kMn));
}

bool is_old_punctuation(uint32_t c) {
  if (c < 0x80) return c > 0x20 && c < 0x7f && !is_in(c, kLetters | kNumbers);
  if (c == 0x166d || c == 0x111c9) return true;
  return is_old(c, categories(Category::kPc, Category::kPo));
}

bool is_old_other(uint32_t c) { return is_old(c, categories(Category::kCc, Category::kCo)); }

uint32_t simple_lower(uint32_t c) {
  if (c < 0x80) return c >= 'A' && c <= 'Z' ? c + 32 : c;
  const auto& runs = lower_runs();
  // Runs of every other character may lie in one another, at most a few deep.
  auto run = std::upper_bound(runs.begin(), runs.end(), c,
                              [](uint32_t key, const LowerRun& each) { return key < each.first; });
  for (int tries = 0; tries < 4 && run != runs.begin(); ++tries) {
    --run;
    const uint32_t distance = c - run->first;
    if (distance % run->step == 0 && distance / run->step < run->count) return c + run->distance;
  }
  return c;
}

void append_lower(std::vector<uint32_t>& out, uint32_t c) {
  if (c == 0x130) {  // the one unconditional mapping of SpecialCasing.txt to several
    out.insert(out.end(), {0x69, 0x307});
  } else {
    out.push_back(simple_lower(c));
  }
}

void append_upper(std::vector<uint32_t>& out, uint32_t code_point) {
  for (const auto& [first, count, step, distance] : lower_runs()) {
    const uint32_t upper = code_point - distance;
    const uint32_t place = upper - first;
    if (place % step == 0 && place / step < count) return out.push_back(upper);
  }
  out.push_back(code_point);
}

void append_case_variants(CodeRanges& out, uint32_t c) {
  // Foldings that no lower-case mapping shows, by pairs.
  constexpr uint32_t kFolds[][2] = {{0x17f, 0x73},  {0x3c2, 0x3c3}, {0xb5, 0x3bc},   {0x3d0, 0x3b2},
                                    {0x3d1, 0x3b8}, {0x3d5, 0x3c6}, {0x3d6, 0x3c0},  {0x3f0, 0x3ba},
                                    {0x3f1, 0x3c1}, {0x3f5, 0x3b5}, {0x1e9b, 0x1e61}};
  uint32_t lower = simple_lower(c);
  for (const auto& [from, to] : kFolds) {
    if (lower == from) lower = to;
  }
  out.push_back({lower, lower});
  for (const auto& [from, to] : kFolds) {
    if (lower == to) out.push_back({from, from});
  }
  for (const auto& [first, count, step, distance] : lower_runs()) {
    const uint32_t upper = lower - distance;
    const uint32_t place = upper - first;
    if (place % step == 0 && place / step < count) out.push_back({upper, upper});
  }
}

void append_categories(CodeRanges& out, Categories set) {
  uint32_t behind = 0;  // of the last range: between ranges lie unassigned code points
  const bool unassigned = (set >> static_cast<int>(Category::kCn) & 1) != 0;
  for (const auto& [first, last, marked] : category_table().ranges()) {
    if (unassigned && first > behind) out.push_back({behind, first - 1});
    if ((set >> (marked & ~uint32_t{kYoung}) & 1) != 0) out.push_back({first, last});
    behind = last + 1;
  }
  if (unassigned && behind < kCodePoints) out.push_back({behind, kCodePoints - 1});
}

void append_script(CodeRanges& out, uint32_t number) {
  for (const auto& [first, last, value] : script_ranges()) {
    if (value == number) out.push_back({first, last});
  }
}

uint32_t script(uint32_t code_point) { return find(script_ranges(), code_point, 0); }

uint32_t script_of_name(std::string_view name) {
  uint32_t number = 0;
  for (std::string_view each : split(kScriptNames, ' ')) {
    ++number;
    if (each == name) return number;
  }
  return 0;
}

uint8_t combining_class(uint32_t code_point) {
  if (code_point < 0x300) return 0;
  static const std::vector<Range> ranges = unpack_ranges(kCombiningClasses);
  return static_cast<uint8_t>(find(ranges, code_point, 0));
}

void append_decomposed(std::vector<uint32_t>& out, uint32_t c, bool compatible) {
  if (c < 0xa0) {
    out.push_back(c);
  } else if (c - kSyllables < kSyllableCount) {
    const uint32_t index = c - kSyllables;
    out.push_back(kLeads + index / (kVowelCount * kTailCount));
    out.push_back(kVowels + index / kTailCount % kVowelCount);
    if (index % kTailCount != 0) out.push_back(kTails + index % kTailCount);
  } else {
    decompositions().append(out, c, compatible);
  }
}

uint32_t composed(uint32_t first, uint32_t second) {
  if (first - kLeads < kLeadCount && second - kVowels < kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + second - kVowels) * kTailCount;
  }
  const uint32_t index = first - kSyllables;
  if (index < kSyllableCount && index % kTailCount == 0 && second - kTails - 1 < kTailCount - 1) {
    return first + second - kTails;
  }
  return decompositions().compose(first, second);
}

}  // namespace enm::text
