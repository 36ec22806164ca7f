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
    hash ^= hash >> 29;
  };
  for (; text.size() >= 8; text.remove_prefix(8)) {
    uint64_t word;
    std::memcpy(&word, text.data(), 8);
    mix(word);
  }
  uint64_t rest = 0;
  if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
  mix(rest);
  return hash * 0xbf58476d1ce4e5b9u;
}

Result<Vocabulary> Vocabulary::make(std::span<const TokenizerParts::Token> tokens, size_t longest,
                                    bool repeats) {
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
    if (!is_utf8(token)) return Corrupt("token ", quoted(token), " is no UTF-8");
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
  ENM_RETURN_IF_ERROR(out.fill_slots(repeats));
  return out;
}

Status Vocabulary::fill_slots(bool repeats) {
  slots_.resize(std::bit_ceil(size() + size() / 2 + 2));
  constexpr size_t kAhead = 16;
  uint64_t hashes[kAhead];
  for (size_t next = 0, i = 0; i < size(); ++i) {
    for (; next < size() && next < i + kAhead; ++next) {
      hashes[next % kAhead] = hash_of(token(next));
      __builtin_prefetch(&slots_[slot_of(hashes[next % kAhead])]);
    }
    const uint64_t hash = hashes[i % kAhead];
    const auto tag = static_cast<uint32_t>(hash);
    size_t slot = slot_of(hash);
    for (size_t probes = 0; slots_[slot].number != 0; ++probes) {
      if (slots_[slot].tag == tag && token(slots_[slot].number - 1) == token(i)) {
        if (repeats) break;
        return Corrupt("token ", quoted(token(i)), " stands twice");
      }
      if (probes == kMostProbes) return Unsupported("the tokens are chosen to be found slowly");
      slot = (slot + 1) & (slots_.size() - 1);
    }
    slots_[slot] = {tag, static_cast<uint32_t>(i + 1)};
  }
  return {};
}

int32_t Vocabulary::find(std::string_view text) const {
  if (slots_.empty()) return -1;
  const uint64_t hash = hash_of(text);
  const auto tag = static_cast<uint32_t>(hash);
  size_t slot = slot_of(hash);
  for (; slots_[slot].number != 0; slot = (slot + 1) & (slots_.size() - 1)) {
    const auto& [there, number] = slots_[slot];
    if (there == tag && token(number - 1) == text) return static_cast<int32_t>(number - 1);
  }
  return -1;
}

void Vocabulary::find_all(std::span<const std::string_view> tokens, std::span<int32_t> out) const {
  constexpr size_t kBatch = 32;
  uint64_t hashes[kBatch];
  for (size_t begin = 0; begin < tokens.size() && !slots_.empty(); begin += kBatch) {
    const size_t count = std::min(kBatch, tokens.size() - begin);
    for (size_t i = 0; i < count; ++i) {
      hashes[i] = hash_of(tokens[begin + i]);
      __builtin_prefetch(&slots_[slot_of(hashes[i])]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint32_t number = slots_[slot_of(hashes[i])].number;
      __builtin_prefetch(&begins_[number == 0 ? 0 : number - 1]);
    }
    for (size_t i = 0; i < count; ++i) {
      const uint32_t number = slots_[slot_of(hashes[i])].number;
      __builtin_prefetch(&bytes_[begins_[number == 0 ? 0 : number - 1]]);
    }
    for (size_t i = 0; i < count; ++i) out[begin + i] = find(tokens[begin + i]);
  }
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
