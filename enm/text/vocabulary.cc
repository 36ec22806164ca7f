#include "enm/text/vocabulary.h"

#include <algorithm>

#include "enm/base/order.h"

namespace enm::text {

Result<Vocabulary> Vocabulary::make(std::span<const Entry> entries, size_t longest) {
  for (const auto& [token, id] : entries) {
    if (id < 0 || id >= kIdLimit) {
      return Corrupt("token ", quoted(token), " has no id from 0 to ", kIdLimit - 1);
    }
    if (token.size() > longest) {
      return Unsupported("token ", quoted(token), " has ", token.size(), " bytes; at most ",
                         longest, " are supported");
    }
  }
  const auto order =
      sorted_order(static_cast<uint32_t>(entries.size()),
                   [&](uint32_t a, uint32_t b) { return entries[a].id < entries[b].id; });
  Vocabulary out;
  std::vector<std::string_view> tokens;
  tokens.reserve(entries.size());
  out.ids_.reserve(entries.size());
  out.begins_.reserve(entries.size() + 1);
  for (uint32_t place : order) {
    const auto& [token, id] = entries[place];
    if (!tokens.empty() && out.ids_.back() == id) {
      return Corrupt("tokens ", quoted(tokens.back()), " and ", quoted(token), " have the same id ",
                     id);
    }
    out.ids_.push_back(static_cast<int32_t>(id));
    out.begins_.push_back(static_cast<uint32_t>(out.bytes_.size()));
    out.bytes_ += token;
    tokens.push_back(token);
  }
  out.begins_.push_back(static_cast<uint32_t>(out.bytes_.size()));
  out.trie_ = Trie(tokens);
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (out.trie_.find(tokens[i]) != static_cast<int32_t>(i)) {
      return Corrupt("token ", quoted(tokens[i]), " stands twice");
    }
  }
  return out;
}

Result<Vocabulary> Vocabulary::read(const Json& json, size_t longest) {
  if (!json.is_object()) return Corrupt("model.vocab is no object");
  std::vector<Entry> entries;
  entries.reserve(json.members().size());
  for (const auto& [token, id] : json.members()) {
    entries.push_back({token, id.is_int() ? id.integer() : -1});
  }
  auto made = make(entries, longest);
  if (!made.ok()) return made.status().in("model.vocab");
  return made;
}

int32_t Vocabulary::index(int32_t id) const {
  if (ids_.empty() || id < 0) return -1;
  // At most as many places before the id as there are ids left out.
  const int64_t left_out = ids_.back() + int64_t{1} - static_cast<int64_t>(ids_.size());
  const auto last = std::min<int64_t>(id, static_cast<int64_t>(ids_.size()) - 1);
  const auto begin = ids_.begin() + std::clamp<int64_t>(id - left_out, 0, last);
  const auto end = ids_.begin() + last + 1;
  const auto found = std::lower_bound(begin, end, id);
  return found == end || *found != id ? -1 : static_cast<int32_t>(found - ids_.begin());
}

}  // namespace enm::text
