#include "cli/flags.h"

#include <algorithm>
#include <numeric>

#include "enm/base/strings.h"

namespace cli {
namespace {

// Letters that are put in, left out or replaced (Levenshtein's distance), a row at a time.
size_t edits(const std::string& from, const std::string& to) {
  std::vector<size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < from.size(); ++i) {
    size_t diagonal = row[0]++;
    for (size_t j = 0; j < to.size(); ++j) {
      const size_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string suggestion(const std::string& word, const std::vector<std::string>& known) {
  size_t fewest = word.size() / 3 + 1;
  const std::string* nearest = nullptr;
  for (const std::string& one : known) {
    const size_t count = edits(word, one);
    if (count >= fewest) continue;
    fewest = count;
    nearest = &one;
  }
  return nearest == nullptr ? "" : enm::cat("; did you mean ", *nearest, "?");
}

}  // namespace cli
