// GPT-2's alphabet of bytes: printable Latin-1 characters stand for themselves, the other bytes (0
// to 0x20, 0x7f to 0xa0 and 0xad) for U+0100 and up. Private to this room.
#pragma once

#include <cstdint>
#include <string_view>

#include "enm/text/stretch.h"

namespace enm::text {

inline uint32_t letter_of_byte(uint32_t byte) {
  if (byte <= 0x20) return 0x100 + byte;
  if (byte >= 0x7f && byte <= 0xa0) return 0x121 + byte - 0x7f;
  return byte == 0xad ? 0x143 : byte;
}

/// -1: the code point stands for no byte.
inline int32_t byte_of_letter(uint32_t code_point) {
  const uint32_t byte = code_point < 0x100   ? code_point
                        : code_point < 0x121 ? code_point - 0x100
                        : code_point < 0x143 ? code_point - 0x121 + 0x7f
                                             : 0xad;
  return letter_of_byte(byte) == code_point ? static_cast<int32_t>(byte) : -1;
}

/// Letters for the bytes of the text.
inline void write_byte_level(std::string_view text, Rewriter& out) {
  for (char c : text) {
    const bool inside = (c & 0xc0) == 0x80;
    out.put(letter_of_byte(static_cast<unsigned char>(c)), inside ? 1 : 0);
  }
}

}  // namespace enm::text
