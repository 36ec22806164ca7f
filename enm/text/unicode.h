// Code points and the properties of theirs that tokenizers ask for (Unicode 15.0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enm::text {

/// The code point at `at`, which moves past it. Bytes that are no UTF-8 read as U+FFFD, one for
/// each maximal part of a sequence, as lossy decoders do (Unicode 15, section 3.9).
uint32_t next_code_point(std::string_view text, size_t& at);

void append_utf8(std::string& out, uint32_t code_point);

bool is_letter(uint32_t code_point);       // L*
bool is_number(uint32_t code_point);       // N*
bool is_white(uint32_t code_point);        // White_Space
bool is_mark(uint32_t code_point);         // Mn
bool is_punctuation(uint32_t code_point);  // P*
bool is_other(uint32_t code_point);        // control, format, private use; not unassigned

/// Appends the lower-case form; most code points are their own.
void append_lower(std::vector<uint32_t>& out, uint32_t code_point);

/// Appends the upper-case form: the first code point whose lower-case form this is, or itself.
void append_upper(std::vector<uint32_t>& out, uint32_t code_point);

/// Appends the canonical decomposition (NFD of the one code point; Hangul included).
void append_decomposed(std::vector<uint32_t>& out, uint32_t code_point);

}  // namespace enm::text
