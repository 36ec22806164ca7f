// Code points and the properties of theirs that tokenizers ask for (Unicode 15.0; what Hugging Face
// tokenizers take from older tables is said where it is).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enm::text {

inline constexpr uint32_t kReplacementCharacter = 0xfffd;
inline constexpr uint32_t kCodePoints = 0x110000;

/// The code point at `at`, which moves past it. Bytes that are no UTF-8 read as U+FFFD, one for
/// each maximal part of a sequence, as lossy decoders do (Unicode 15, section 3.9).
uint32_t next_code_point(std::string_view text, size_t& at);

void append_utf8(std::string& out, uint32_t code_point);

/// The text with U+FFFD for what is no UTF-8.
std::string made_valid(std::string_view text);

/// Bytes of the character that begins with `lead`, in valid UTF-8.
inline size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xe0 ? 2 : byte < 0xf0 ? 3 : 4;
}

/// Code points of valid UTF-8.
size_t count_code_points(std::string_view text);

/// General_Category, in the order of tools/unicode_tables.py.
enum class Category : uint8_t {
  kLu,
  kLl,
  kLt,
  kLm,
  kLo,
  kMn,
  kMc,
  kMe,
  kNd,
  kNl,
  kNo,
  kPc,
  kPd,
  kPs,
  kPe,
  kPi,
  kPf,
  kPo,
  kSm,
  kSc,
  kSk,
  kSo,
  kZs,
  kZl,
  kZp,
  kCc,
  kCf,
  kCs,
  kCo,
  kCn
};
Category category(uint32_t code_point);

/// A set of categories, a bit each.
using Categories = uint32_t;
constexpr Categories categories(Category first, Category last) {
  return (2u << static_cast<int>(last)) - (1u << static_cast<int>(first));
}
inline constexpr Categories kLetters = categories(Category::kLu, Category::kLo);
inline constexpr Categories kMarks = categories(Category::kMn, Category::kMe);
inline constexpr Categories kNumbers = categories(Category::kNd, Category::kNo);

inline bool is_in(uint32_t code_point, Categories set) {
  return (set >> static_cast<int>(category(code_point)) & 1) != 0;
}
inline bool is_number(uint32_t code_point) { return is_in(code_point, kNumbers); }
inline bool is_mark(uint32_t code_point) { return is_in(code_point, kMarks); }
bool is_white(uint32_t code_point);  // White_Space
/// What \w stands for: these categories and symbols that are letters in a circle or a square.
inline constexpr Categories kWordCategories = kLetters | kMarks |
                                              categories(Category::kNd, Category::kNl) |
                                              categories(Category::kPc, Category::kPc);
struct CodeRange {
  uint32_t first;
  uint32_t last;
};
using CodeRanges = std::vector<CodeRange>;
inline constexpr CodeRange kWordSymbols[] = {
    {0x24b6, 0x24e9}, {0x1f130, 0x1f149}, {0x1f150, 0x1f169}, {0x1f170, 0x1f189}};
bool is_word(uint32_t code_point);

// As Unicode 8 has them, where the tokenizers that BERT models were trained with stand still.
bool is_old_nonspacing_mark(uint32_t code_point);  // Mn
bool is_old_punctuation(uint32_t code_point);      // P*, and the ASCII symbols
bool is_old_other(uint32_t code_point);            // control, format, private use; not unassigned

/// Appends the lower-case form; most code points are their own.
void append_lower(std::vector<uint32_t>& out, uint32_t code_point);
/// The lower-case form if it is one code point, else the code point.
uint32_t simple_lower(uint32_t code_point);

/// Appends the code points that are equal to `code_point` but for case, itself among them.
void append_case_variants(CodeRanges& out, uint32_t code_point);
/// Appends the ranges of those categories in rising order.
void append_categories(CodeRanges& out, Categories set);
void append_script(CodeRanges& out, uint32_t number);

/// Number of the script, 0 if it has none.
uint32_t script(uint32_t code_point);
/// The number of a script's name such as "Han", or 0.
uint32_t script_of_name(std::string_view name);

/// Canonical_Combining_Class of Unicode 9.
uint8_t combining_class(uint32_t code_point);
/// Appends the full decomposition of Unicode 9: the canonical, or also the compatible one.
void append_decomposed(std::vector<uint32_t>& out, uint32_t code_point, bool compatible);
/// The code point that two compose to in Unicode 9, or 0.
uint32_t composed(uint32_t first, uint32_t second);

}  // namespace enm::text
