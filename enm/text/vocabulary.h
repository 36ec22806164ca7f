// Tokens and their ids. Memory follows the tokens' bytes, never the largest id. Private to this
// room.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/parts.h"

namespace enm::text {

/// Ids lie below it, which is far above any vocabulary's.
inline constexpr int64_t kIdLimit = int64_t{1} << 24;

/// Tokens that a hash table may pass over on its way to one: a file whose tokens are chosen to make
/// it slower is refused.
inline constexpr size_t kMostProbes = 500;

/// A number for a text, the same everywhere.
uint64_t hash_of(std::string_view text);

class Vocabulary {
 public:
  Vocabulary() = default;
  /// Refused, naming the token: ids that are not from 0 to kIdLimit - 1, tokens of more than
  /// `longest` bytes, ids and tokens that stand twice.
  static Result<Vocabulary> make(std::span<const TokenizerParts::Token> tokens,
                                 size_t longest = SIZE_MAX);

  // Tokens are counted from 0 to size() - 1 in the order of their ids. Where no id is left out, the
  // index is the id.
  size_t size() const { return ids_.size(); }
  int32_t id(size_t index) const { return ids_[index]; }
  std::string_view token(size_t index) const {
    return std::string_view(bytes_).substr(begins_[index], begins_[index + 1] - begins_[index]);
  }
  /// -1: there is no token of that id.
  int32_t index(int32_t id) const;
  /// The index of a token, or -1.
  int32_t find(std::string_view token) const;

  int32_t id_of(std::string_view token) const {
    const int32_t index = find(token);
    return index < 0 ? -1 : id(static_cast<size_t>(index));
  }
  std::vector<std::string_view> tokens() const;

 private:
  Status fill_slots();
  size_t slot_of(std::string_view token) const;

  std::vector<int32_t> ids_;  // rising
  std::string bytes_;         // the tokens one after the other
  std::vector<uint32_t> begins_;
  std::vector<uint32_t> slots_;  // a hash table of indices + 1, at most half full
};

}  // namespace enm::text
