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
  /// `longest` bytes, ids that stand twice, and tokens that do unless `repeats`: then the one of
  /// the highest id is found.
  static Result<Vocabulary> make(std::span<const TokenizerParts::Token> tokens,
                                 size_t longest = SIZE_MAX, bool repeats = false);

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
  int32_t find(std::string_view text) const;

  /// find() for many tokens: the waits for memory overlap.
  void find_all(std::span<const std::string_view> tokens, std::span<int32_t> out) const;

  int32_t id_of(std::string_view token) const {
    const int32_t index = find(token);
    return index < 0 ? -1 : id(static_cast<size_t>(index));
  }
  std::vector<std::string_view> tokens() const;

 private:
  Status fill_slots(bool repeats);
  size_t slot_of(uint64_t hash) const { return hash >> 32 & (slots_.size() - 1); }

  std::vector<int32_t> ids_;  // rising
  std::string bytes_;         // the tokens one after the other
  std::vector<uint32_t> begins_;
  // A hash table, at most two thirds full.
  struct Slot {
    uint32_t tag = 0;     // of the hash: tokens are compared where it agrees
    uint32_t number = 0;  // index + 1; 0: free
  };
  std::vector<Slot> slots_;
};

}  // namespace enm::text
