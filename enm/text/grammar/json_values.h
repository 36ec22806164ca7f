// Parts of JSON documents as expressions. Private to this folder.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/text/grammar/grammar.h"

namespace enm::text::grammar {

class JsonValues {
 public:
  using Node = Grammar::Node;
  explicit JsonValues(Grammar& grammar) : grammar_(grammar) {}

  /// Inside brackets and behind commas.
  Node space();
  /// A character of a string, raw or escaped in any way.
  Node character();
  /// Whatever is JSON.
  Node any();
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
  std::optional<Node> space_;
  std::optional<Node> character_;
  std::optional<Node> any_;
  Grammar& grammar_;
};

}  // namespace enm::text::grammar
