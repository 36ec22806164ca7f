#include "enm/text/trie.h"

#include <algorithm>
#include <cstring>

#include "enm/base/order.h"

namespace enm::text {
namespace {

// Nodes of the trie of sorted tokens: a token adds what it does not share with the one before it.
size_t count_nodes(std::span<const std::string_view> tokens, std::span<const uint32_t> order) {
  size_t count = 1;
  std::string_view last;
  for (uint32_t index : order) {
    const std::string_view token = tokens[index];
    const size_t most = std::min(token.size(), last.size());
    size_t shared = 0;
    while (shared < most && token[shared] == last[shared]) ++shared;
    count += token.size() - shared;
    last = token;
  }
  return count;
}

}  // namespace

Trie::Trie(std::span<const std::string_view> tokens) {
  const auto order = sorted_order(static_cast<uint32_t>(tokens.size()),
                                  [&](uint32_t a, uint32_t b) { return tokens[a] < tokens[b]; });
  const size_t count = count_nodes(tokens, order);
  labels_.reserve(count);
  first_child_.reserve(count + 1);
  values_.reserve(count);

  struct Range {  // of `order`: the tokens that begin alike
    uint32_t begin;
    uint32_t end;
  };
  labels_.push_back('\0');
  std::vector<Range> level = {{0, static_cast<uint32_t>(order.size())}};
  std::vector<Range> next;
  for (size_t depth = 0; !level.empty(); ++depth) {
    next.clear();
    for (auto [begin, end] : level) {
      values_.push_back(-1);
      for (; begin < end && tokens[order[begin]].size() == depth; ++begin) {
        values_.back() = static_cast<int32_t>(order[begin]);
      }
      first_child_.push_back(static_cast<Node>(labels_.size()));
      for (uint32_t stop = begin; begin < end; begin = stop) {
        const char label = tokens[order[begin]][depth];
        while (stop < end && tokens[order[stop]][depth] == label) ++stop;
        labels_.push_back(label);
        next.push_back({begin, stop});
      }
    }
    level.swap(next);
  }
  first_child_.push_back(static_cast<Node>(labels_.size()));
}

Trie::Node Trie::child(Node node, char byte) const {
  const Node first = first_child_[node];
  const size_t count = first_child_[node + 1] - first;
  if (count <= 1) return count == 1 && labels_[first] == byte ? first : kNoNode;
  const char* labels = labels_.data() + first;
  const void* found = std::memchr(labels, byte, count);
  if (found == nullptr) return kNoNode;
  return first + static_cast<Node>(static_cast<const char*>(found) - labels);
}

Trie::Node Trie::walk(Node node, std::string_view text) const {
  for (size_t i = 0; i < text.size() && node != kNoNode; ++i) node = child(node, text[i]);
  return node;
}

Trie::Match Trie::longest(std::string_view text, Node node) const {
  Match match;
  for (size_t i = 0; i < text.size() && node != kNoNode; ++i) {
    node = child(node, text[i]);
    if (value(node) >= 0) match = {i + 1, value(node)};
  }
  return match;
}

}  // namespace enm::text
