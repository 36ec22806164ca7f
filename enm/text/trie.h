// A trie over the bytes of tokens: finds a token, or the longest one at a place of a text, in a
// step a byte. Nine bytes a node, and at most a node a byte of the tokens. Private to this room.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace enm::text {

class Trie {
 public:
  using Node = uint32_t;
  static constexpr Node kRoot = 0;
  static constexpr Node kNoNode = UINT32_MAX;

  Trie() : Trie(std::span<const std::string_view>()) {}
  /// The value of each token is its place in the list; of equal ones, that of the last.
  explicit Trie(std::span<const std::string_view> tokens);

  Node child(Node node, char byte) const;
  /// The node that `text` leads to from `node` (which may be kNoNode), or kNoNode.
  Node walk(Node node, std::string_view text) const;
  /// The token that ends at `node`, or -1.
  int32_t value(Node node) const { return node == kNoNode ? -1 : values_[node]; }
  int32_t find(std::string_view token) const { return value(walk(kRoot, token)); }

  struct Match {
    size_t length = 0;  // bytes of the text; 0: none
    int32_t value = -1;
  };
  /// The longest token, of a byte at least, that `text` begins with; what leads from the root to
  /// `node` counts as its beginning.
  Match longest(std::string_view text, Node node = kRoot) const;

 private:
  // Nodes stand level by level, so that the children of a node are neighbours: those from
  // first_child_[node] to first_child_[node + 1].
  std::string labels_;  // the byte that leads to each node
  std::vector<Node> first_child_;
  std::vector<int32_t> values_;
};

}  // namespace enm::text
