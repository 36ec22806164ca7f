// Values as text: as Python's str() and repr(), and as json.dumps() write them.
#pragma once

#include "enm/text/jinja/heap.h"

namespace enm::text::jinja {

void print(Text& out, Value value);
void print_repr(Text& out, Value value);

/// str(value); text that is one already is not copied.
std::string_view to_text(Heap& heap, Value value);

struct JsonStyle {
  std::string_view item_separator = ", ";
  std::string_view key_separator = ": ";
  bool indents = false;
  std::string_view indent;  // of one level
  bool sorts_keys = false;
  bool ascii = false;
};
void print_json(Text& out, Value value, const JsonStyle& style, int level = 0);

}  // namespace enm::text::jinja
