#include "enm/text/jinja/print.h"

#include <cmath>
#include <utility>

#include "enm/base/order.h"
#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/decimal.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

// `digits` hexadecimal digits of a code point behind `begin`.
void escape(Text& out, std::string_view begin, uint32_t code_point, int digits) {
  out.add(begin);
  while (digits-- > 0) out.add("0123456789abcdef"[code_point >> 4 * digits & 15]);
}

void print_quoted(Text& out, std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  out.add(quote);
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const uint32_t c = next_code_point(text, at);
    if (c == static_cast<uint32_t>(quote) || c == '\\') out.add('\\');
    if (c == '\n') {
      out.add("\\n");
    } else if (c == '\r') {
      out.add("\\r");
    } else if (c == '\t') {
      out.add("\\t");
    } else if (c == ' ' || (!is_in(c, categories(Category::kCc, Category::kCo)) && !is_white(c))) {
      out.add(text.substr(begin, at - begin));
    } else if (c < 0x100) {
      escape(out, "\\x", c, 2);
    } else {
      escape(out, c < 0x10000 ? "\\u" : "\\U", c, c < 0x10000 ? 4 : 8);
    }
  }
  out.add(quote);
}

void print_items(Text& out, std::span<const Value> items, const char* begin, const char* end) {
  out.add(begin);
  bool first = true;
  for (const Value& item : items) {
    if (out.heap().failed()) break;
    if (!std::exchange(first, false)) out.add(", ");
    print_repr(out, item);
  }
  out.add(end);
}

void print_pair(Text& out, bool first, Value key, Value value) {
  if (!first) out.add(", ");
  print_repr(out, key);
  out.add(": ");
  print_repr(out, value);
}

void print_container(Text& out, Value value) {
  switch (value.kind()) {
    case Kind::kList:
      return print_items(out, value.items(), "[", "]");
    case Kind::kTuple:
      return print_items(out, value.items(), "(", value->size == 1 ? ",)" : ")");
    case Kind::kView: {
      constexpr const char* kNames[] = {"dict_keys", "dict_values", "dict_items", "range"};
      out.add(kNames[value->detail]);
      if (!value.is_range()) return print_items(out, value.items(), "([", "])");
      // Its bounds lie in front of its items; a step of 1 is not shown.
      const Value* bounds = value->items - 3;
      return print_items(out, {bounds, bounds[2]->integer == 1 ? 2u : 3u}, "(", ")");
    }
    case Kind::kDict:
      out.add('{');
      for (const Pair& pair : value.pairs()) {
        if (out.heap().failed()) break;
        print_pair(out, &pair == value->pairs, pair.key, pair.value);
      }
      return out.add('}');
    default:
      out.add("<Namespace {");
      for (const Variable* one = value->scope->first; one && !out.heap().failed();
           one = one->next) {
        print_pair(out, one == value->scope->first, out.heap().string(one->name), one->value);
      }
      return out.add("}>");
  }
}

void print_json_text(Text& out, std::string_view text, bool ascii) {
  out.add('"');
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    const uint32_t c = next_code_point(text, at);
    constexpr std::string_view kShort = "\"\\\n\r\t\f\b", kLetters = "\"\\nrtfb";
    const size_t found = c < 0x80 ? kShort.find(static_cast<char>(c)) : std::string_view::npos;
    if (found != std::string_view::npos) {
      out.add('\\');
      out.add(kLetters[found]);
    } else if (c < 0x20 || (ascii && c >= 0x7f && c < 0x10000)) {
      escape(out, "\\u", c, 4);
    } else if (ascii && c >= 0x10000) {
      escape(out, "\\u", 0xd800 + ((c - 0x10000) >> 10), 4);
      escape(out, "\\u", 0xdc00 + ((c - 0x10000) & 0x3ff), 4);
    } else {
      out.add(text.substr(begin, at - begin));
    }
  }
  out.add('"');
}

void break_line(Text& out, const JsonStyle& style, int level) {
  if (!style.indents) return;
  out.add('\n');
  out.repeat(style.indent, level);
}

// The bracket, what `item` writes for each of `count`, and the other bracket.
void print_json_items(Text& out, uint32_t count, const JsonStyle& style, int level,
                      std::string_view brackets, FunctionRef<void(uint32_t)> item) {
  out.add(brackets[0]);
  for (uint32_t i = 0; i < count && !out.heap().failed(); ++i) {
    if (i > 0) out.add(style.item_separator);
    break_line(out, style, level + 1);
    item(i);
  }
  if (count > 0) break_line(out, style, level);
  out.add(brackets[1]);
}

void print_json_key(Text& out, Value key, const JsonStyle& style) {
  if (key.is(Kind::kTuple)) return void(out.heap().fail("a tuple cannot be a key in JSON"));
  if (key.is(Kind::kString)) return print_json_text(out, key.str(), style.ascii);
  out.add('"');
  print_json(out, key, style);
  out.add('"');
}

void print_json_dict(Text& out, Value value, const JsonStyle& style, int level) {
  std::vector<uint32_t> order;
  if (style.sorts_keys) {
    order = sorted_order(value->size, [&](uint32_t a, uint32_t b) {
      return compare(out.heap(), value->pairs[a].key, value->pairs[b].key) < 0;
    });
  }
  print_json_items(out, value->size, style, level, "{}", [&](uint32_t i) {
    const Pair& pair = value->pairs[order.empty() ? i : order[i]];
    print_json_key(out, pair.key, style);
    out.add(style.key_separator);
    print_json(out, pair.value, style, level + 1);
  });
}

}  // namespace

void print(Text& out, Value value) {
  if (value.is(Kind::kString)) return out.add(value.str());
  if (!value.is(Kind::kUndefined)) print_repr(out, value);
}

void print_repr(Text& out, Value value) {
  switch (value.kind()) {
    case Kind::kUndefined:
      return out.add("Undefined");
    case Kind::kNone:
      return out.add("None");
    case Kind::kBool:
      return out.add(value->integer != 0 ? "True" : "False");
    case Kind::kInt:
      return out.add(cat(value->integer));
    case Kind::kFloat:
      return float_repr(out, value->number);
    case Kind::kString:
      return print_quoted(out, value.str());
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
    case Kind::kDict:
    case Kind::kNamespace:
      if (!out.heap().spend(1) || !out.heap().enter()) return;
      print_container(out, value);
      return out.heap().leave();
    case Kind::kMacro:
      out.add("<Macro ");
      print_quoted(out, value->macro->node->name);
      return out.add('>');
    default:  // Python would show an address
      out.heap().fail("'", value.type(), "' cannot be shown as text");
  }
}

std::string_view to_text(Heap& heap, Value value) {
  if (value.is(Kind::kString)) return value.str();
  Text out(heap);
  print(out, value);
  return out.view();
}

void print_json(Text& out, Value value, const JsonStyle& style, int level) {
  switch (value.kind()) {
    case Kind::kNone:
      return out.add("null");
    case Kind::kBool:
      return out.add(value->integer != 0 ? "true" : "false");
    case Kind::kInt:
      return out.add(cat(value->integer));
    case Kind::kFloat:
      if (std::isnan(value->number)) return out.add("NaN");
      if (!std::isinf(value->number)) return float_repr(out, value->number);
      return out.add(value->number < 0 ? "-Infinity" : "Infinity");
    case Kind::kString:
      return print_json_text(out, value.str(), style.ascii);
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kDict:
      if (!out.heap().spend(1) || !out.heap().enter()) return;
      if (value.is(Kind::kDict)) {
        print_json_dict(out, value, style, level);
      } else {
        print_json_items(out, value->size, style, level, "[]",
                         [&](uint32_t i) { print_json(out, value->items[i], style, level + 1); });
      }
      return out.heap().leave();
    default:
      out.heap().fail("'", value.type(), "' has no JSON form");
  }
}

}  // namespace enm::text::jinja
