// Tokens and their ids. Memory follows the tokens' bytes, never the largest id. Private to this
// room.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/text/trie.h"

namespace enm::text {

/// Ids lie below it, which is far above any vocabulary's.
inline constexpr int64_t kIdLimit = int64_t{1} << 24;

class Vocabulary {
 public:
  struct Entry {
    std::string_view token;
    int64_t id;
  };

  Vocabulary() = default;
  /// Refused, naming the entry: ids that are not from 0 to kIdLimit - 1, tokens of more than
  /// `longest` bytes, ids and tokens that stand twice.
  static Result<Vocabulary> make(std::span<const Entry> entries, size_t longest = SIZE_MAX);
  /// model.vocab as {"token": id}.
  static Result<Vocabulary> read(const Json& json, size_t longest = SIZE_MAX);

  // Tokens are counted from 0 to size() - 1 in the order of their ids. Where no id is left out, the
  // index is the id.
  size_t size() const { return ids_.size(); }
  int32_t id(size_t index) const { return ids_[index]; }
  std::string_view token(size_t index) const {
    return std::string_view(bytes_).substr(begins_[index], begins_[index + 1] - begins_[index]);
  }
  /// -1: there is no token of that id.
  int32_t index(int32_t id) const;

  int32_t id_of(std::string_view token) const {
    const int32_t index = trie_.find(token);
    return index < 0 ? -1 : id(static_cast<size_t>(index));
  }
  /// Its values are indices.
  const Trie& trie() const { return trie_; }

 private:
  std::vector<int32_t> ids_;  // rising
  std::string bytes_;         // the tokens one after the other
  std::vector<uint32_t> begins_;
  Trie trie_;
};

}  // namespace enm::text
