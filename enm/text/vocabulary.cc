#include "enm/text/vocabulary.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "enm/base/order.h"

namespace enm::text {

uint64_t hash_of(std::string_view text) {
  uint64_t hash = text.size();
  const auto mix = [&](uint64_t word) {
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    hash ^= hash >> 32;
  };
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    mix(word);
  }
  uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  mix(rest);
  return hash;
}

Result<Vocabulary> Vocabulary::make(std::span<const TokenizerParts::Token> tokens, size_t longest) {
  size_t bytes = 0;
  bool rising = true;
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto& [token, id, score] = tokens[i];
    if (id < 0 || id >= kIdLimit) {
      return Corrupt("token ", quoted(token), " has no id from 0 to ", kIdLimit - 1);
    }
    if (token.size() > longest) {
      return Unsupported("token ", quoted(token), " has ", token.size(), " bytes; at most ",
                         longest, " are supported");
    }
    rising = rising && (i == 0 || tokens[i - 1].id < id);
    bytes += token.size();
  }
  if (bytes > UINT32_MAX) return ResourceExhausted("the tokens have ", bytes, " bytes");
  std::vector<uint32_t> order;
  if (!rising) {
    order = sorted_order(static_cast<uint32_t>(tokens.size()),
                         [&](uint32_t a, uint32_t b) { return tokens[a].id < tokens[b].id; });
  }
  Vocabulary out;
  out.ids_.reserve(tokens.size());
  out.begins_.reserve(tokens.size() + 1);
  out.bytes_.reserve(bytes);
  for (size_t i = 0; i < tokens.size(); ++i) {
    const auto& [token, id, score] = tokens[rising ? i : order[i]];
    if (i > 0 && out.ids_.back() == id) {
      return Corrupt("tokens ", quoted(tokens[order[i - 1]].text), " and ", quoted(token),
                     " have the same id ", id);
    }
    out.ids_.push_back(static_cast<int32_t>(id));
    out.begins_.push_back(static_cast<uint32_t>(out.bytes_.size()));
    out.bytes_ += token;
  }
  out.begins_.push_back(static_cast<uint32_t>(out.bytes_.size()));
  ENM_RETURN_IF_ERROR(out.fill_slots());
  return out;
}

size_t Vocabulary::slot_of(std::string_view token) const {
  return hash_of(token) >> 7 & (slots_.size() - 1);
}

Status Vocabulary::fill_slots() {
  slots_.resize(std::bit_ceil(2 * size() + 2));
  for (size_t i = 0; i < size(); ++i) {
    size_t slot = slot_of(token(i));
    for (size_t probes = 0; slots_[slot] != 0; ++probes) {
      if (token(slots_[slot] - 1) == token(i)) {
        return Corrupt("token ", quoted(token(i)), " stands twice");
      }
      if (probes == kMostProbes) return Unsupported("the tokens are chosen to be found slowly");
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = static_cast<uint32_t>(i + 1);
  }
  return {};
}

int32_t Vocabulary::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  for (size_t slot = slot_of(text); slots_[slot] != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    if (token(slots_[slot] - 1) == text) return static_cast<int32_t>(slots_[slot] - 1);
  }
  return -1;
}

std::vector<std::string_view> Vocabulary::tokens() const {
  std::vector<std::string_view> out;
  out.reserve(size());
  for (size_t i = 0; i < size(); ++i) out.push_back(token(i));
  return out;
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
