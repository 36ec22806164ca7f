// Parts of JSON documents as expressions. Private to this folder.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

class JsonValues {
 public:
  using Node = Grammar::Node;
  explicit JsonValues(Grammar& grammar);

  /// One of those that documents consist of: "value", whatever is JSON; "string", "integer",
  /// "number"; "character" of a string, raw or escaped in any way; "space" inside of brackets and
  /// behind commas.
  Node rule(std::string_view name) { return grammar_.call(grammar_.find(name)); }
  /// "key": value
  Node pair(Node key, Node value);
  /// A string without escapes that is none of `keys`.
  Node key_but(std::span<const std::string> keys);
  Node string(Node inside);
  /// A comma in front of it.
  Node further(Node item);
  /// What brackets hold: `least` to `most` of them, with white space.
  Node list(Node item, uint32_t least, uint32_t most);
  Node bracketed(std::string_view open, Node inside, std::string_view close);

 private:
  Grammar& grammar_;
};

}  // namespace enm::text::grammar
