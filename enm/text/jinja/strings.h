// What Python's strings can do, over UTF-8.
#pragma once

#include "enm/text/jinja/heap.h"

namespace enm::text::jinja {

/// str.isspace() of one character.
bool is_space(uint32_t code_point);

/// Without the characters of `set` at one end; without white space if `set` is null.
std::string_view strip_left(std::string_view text, const std::string_view* set = nullptr);
std::string_view strip_right(std::string_view text, const std::string_view* set = nullptr);

/// Characters, as len() counts them.
int64_t length(std::string_view text);
/// Where each character begins, and the end; nothing if there is no room for it.
List<uint32_t> starts(Heap& heap, std::string_view text);

/// Up to the next separator; `rest` begins behind it, if there was one.
std::string_view next_part(std::string_view& rest, char separator, bool& more);

/// Digits of a base up to 36, maybe behind a minus; false if the text is anything else or too
/// large.
bool read_integer(std::string_view text, int64_t& out, int base = 10);

/// What a string literal's inside stands for.
Value unescape(Heap& heap, std::string_view text);

/// 'format' % arguments
Value format(Heap& heap, std::string_view format, Value arguments);

/// 'format'.format(arguments): fields by number and name, without attributes and formats.
Value format_fields(Heap& heap, std::string_view format, std::span<const Value> values,
                    std::span<const Pair> named);

enum class Case : uint8_t { kUpper, kLower, kSwap };
void change_case(Text& out, std::string_view text, Case to);
/// The first character in upper case, the rest in lower.
void capitalize(Text& out, std::string_view text);

/// str.splitlines()
List<std::string_view> lines(Heap& heap, std::string_view text, bool keep_ends = false);

Value replace(Heap& heap, std::string_view text, std::string_view from, std::string_view to,
              int64_t count);

}  // namespace enm::text::jinja
