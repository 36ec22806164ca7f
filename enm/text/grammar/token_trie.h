// The texts of a vocabulary's tokens as a trie in preorder: a walk is a loop that goes on, or skips
// what begins with a text that does not fit.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "enm/text/tokenizer.h"

namespace enm::text::grammar {

class TokenTrie {
 public:
  using Node = uint32_t;
  /// Bytes; longer tokens are not in it, nor are those without a text.
  static constexpr size_t kLongest = 255;

  /// Ids from 0 to `vocab` - 1, by their texts at the beginning of a text or inside one.
  TokenTrie(const Tokenizer& tokenizer, int64_t vocab, bool first);

  int64_t vocab() const { return vocab_; }
  /// Nodes from 1 on are those of a byte; 0 is the root.
  Node nodes() const { return static_cast<Node>(labels_.size()); }
  uint8_t label(Node node) const { return labels_[node]; }
  uint8_t depth(Node node) const { return depths_[node]; }  // the root's is 0
  /// The first one that is not below `node`.
  Node beyond(Node node) const { return beyond_[node]; }
  /// Ids of the tokens that end there.
  std::span<const int32_t> tokens(Node node) const {
    return std::span(ids_).subspan(first_id_[node], first_id_[node + 1] - first_id_[node]);
  }

 private:
  const int64_t vocab_;
  std::vector<uint8_t> labels_;
  std::vector<uint8_t> depths_;
  std::vector<Node> beyond_;
  std::vector<uint32_t> first_id_;
  std::vector<int32_t> ids_;  // in the order of the texts
};

}  // namespace enm::text::grammar
