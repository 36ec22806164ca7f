#include "enm/text/unicode.h"

#include <algorithm>
#include <iterator>
#include <span>

namespace enm::text {
namespace {

struct Mapping {
  uint32_t from;
  uint16_t begin;
  uint16_t count;
};

#include "enm/text/unicode_tables.inc"

enum Flag : uint8_t {
  kLetter = 1,
  kNumber = 2,
  kWhite = 4,
  kMark = 8,
  kPunctuation = 16,
  kOther = 32
};

bool has(uint32_t code_point, Flag flag) {
  if (code_point > 0x10ffff) return flag == kOther;
  return (kBlocks[kBlockOf[code_point >> 8]][code_point & 255] & flag) != 0;
}

void append_mapped(std::vector<uint32_t>& out, uint32_t code_point, std::span<const Mapping> table,
                   const uint32_t* values) {
  const auto found =
      std::lower_bound(table.begin(), table.end(), code_point,
                       [](const Mapping& row, uint32_t key) { return row.from < key; });
  if (found == table.end() || found->from != code_point) {
    out.push_back(code_point);
  } else {
    out.insert(out.end(), values + found->begin, values + found->begin + found->count);
  }
}

}  // namespace

uint32_t next_code_point(std::string_view text, size_t& at) {
  constexpr uint32_t kReplacement = 0xfffd;
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const uint32_t lead = byte(at++);
  if (lead < 0x80) return lead;
  const int extra = lead < 0xc2 ? 0 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : 0;
  if (extra == 0) return kReplacement;
  uint32_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  uint32_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  uint32_t code_point = lead & (0x3fu >> extra);
  for (int i = 0; i < extra; ++i) {
    if (at == text.size() || byte(at) < low || byte(at) > high) return kReplacement;
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

bool is_letter(uint32_t code_point) { return has(code_point, kLetter); }
bool is_number(uint32_t code_point) { return has(code_point, kNumber); }
bool is_white(uint32_t code_point) { return has(code_point, kWhite); }
bool is_mark(uint32_t code_point) { return has(code_point, kMark); }
bool is_punctuation(uint32_t code_point) { return has(code_point, kPunctuation); }
bool is_other(uint32_t code_point) { return has(code_point, kOther); }

void append_lower(std::vector<uint32_t>& out, uint32_t code_point) {
  append_mapped(out, code_point, kLower, kLowerValues);
}

void append_upper(std::vector<uint32_t>& out, uint32_t code_point) {
  for (const Mapping& row : kLower) {
    if (row.count != 1 || kLowerValues[row.begin] != code_point) continue;
    return out.push_back(row.from);
  }
  out.push_back(code_point);
}

void append_decomposed(std::vector<uint32_t>& out, uint32_t code_point) {
  constexpr uint32_t kSyllables = 0xac00, kLeads = 0x1100, kVowels = 0x1161, kTails = 0x11a7;
  if (code_point < kSyllables || code_point >= kSyllables + 11172) {
    append_mapped(out, code_point, kDecomposition, kDecompositionValues);
    return;
  }
  const uint32_t index = code_point - kSyllables;  // Unicode 15, section 3.12
  out.push_back(kLeads + index / 588);
  out.push_back(kVowels + index % 588 / 28);
  if (index % 28 != 0) out.push_back(kTails + index % 28);
}

}  // namespace enm::text
