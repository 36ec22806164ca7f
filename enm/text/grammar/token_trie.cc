#include "enm/text/grammar/token_trie.h"

#include <algorithm>

#include "enm/base/order.h"

namespace enm::text::grammar {

TokenTrie::TokenTrie(const Tokenizer& tokenizer, int64_t vocab, bool first) : vocab_(vocab) {
  std::string bytes;
  std::vector<uint32_t> begins;
  std::vector<int32_t> ids;
  for (int32_t id = 0; id < vocab; ++id) {
    const auto begin = static_cast<uint32_t>(bytes.size());
    if (!tokenizer.append_text(id, first, bytes) || bytes.size() == begin ||
        bytes.size() - begin > kLongest) {
      bytes.resize(begin);
      continue;
    }
    begins.push_back(begin);
    ids.push_back(id);
  }
  begins.push_back(static_cast<uint32_t>(bytes.size()));
  const auto text = [&](uint32_t token) {
    return std::string_view(bytes).substr(begins[token], begins[token + 1] - begins[token]);
  };
  const auto order = sorted_order(static_cast<uint32_t>(ids.size()),
                                  [&](uint32_t a, uint32_t b) { return text(a) < text(b); });
  std::vector<Node> path;  // whose end is not known
  const auto add = [&](uint8_t label) {
    path.push_back(nodes());
    depths_.push_back(static_cast<uint8_t>(path.size() - 1));
    labels_.push_back(label);
    beyond_.push_back(0);
    first_id_.push_back(static_cast<uint32_t>(ids_.size()));
  };
  const auto leave = [&](size_t depth) {
    for (; path.size() > depth; path.pop_back()) beyond_[path.back()] = nodes();
  };
  add(0);
  std::string_view before;
  for (uint32_t token : order) {
    const std::string_view at = text(token);
    const auto same = static_cast<size_t>(std::ranges::mismatch(before, at).in2 - at.begin());
    leave(same + 1);
    for (char byte : at.substr(same)) add(static_cast<uint8_t>(byte));
    ids_.push_back(ids[token]);
    before = at;
  }
  leave(0);
  first_id_.push_back(static_cast<uint32_t>(ids_.size()));
}

}  // namespace enm::text::grammar
