#include "enm/quantize/calibration_text.h"

#include <algorithm>
#include <filesystem>

#include "enm/base/file_posix.h"
#include "enm/base/json.h"

namespace enm::quantize {

namespace fs = std::filesystem;

namespace {

constexpr int64_t kBytesOfToken = 16;        // of text, more than any tokenizer needs
constexpr size_t kPiece = size_t{64} << 10;  // of one long document

bool is_lines(std::string_view name) { return name.ends_with(".jsonl") || name.ends_with(".json"); }

Status read_lines(std::string_view text, std::vector<std::string>& out) {
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    const auto json = Json::parse(line);
    if (!json.ok()) return json.status().in(cat("line ", number));
    auto document = json->get_string("text");
    if (!document.ok()) return document.status().in(cat("line ", number));
    out.push_back(*std::move(document));
  }
  return {};
}

Status read_text(const std::string& path, std::vector<std::string>& out) {
  ENM_ASSIGN_OR_RETURN(const Blob file, map_file(path));
  const std::string_view text = as_text(file.bytes());
  if (is_lines(path)) return read_lines(text, out).in(path);
  if (!is_utf8(text)) return Corrupt(path, ": no UTF-8 text");
  out.emplace_back(text);
  return {};
}

/// Uniform numbers below a bound, the same everywhere. Source: splitmix64, public domain.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t below(uint64_t bound) {
    state_ += 0x9e3779b97f4a7c15;
    uint64_t x = state_;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
    x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
    return (x ^ (x >> 31)) % bound;
  }

 private:
  uint64_t state_;
};

// `wanted` of the numbers below `count`, drawn by the seed, in rising order.
std::vector<size_t> draw(size_t count, size_t wanted, Random& random) {
  std::vector<size_t> all(count);
  for (size_t i = 0; i < count; ++i) all[i] = i;
  if (wanted >= count) return all;
  for (size_t i = 0; i < wanted; ++i) std::swap(all[i], all[i + random.below(count - i)]);
  all.resize(wanted);
  std::sort(all.begin(), all.end());
  return all;
}

// Long documents in pieces that end at a line's end.
std::vector<std::string> pieces_of(const std::vector<std::string>& documents) {
  std::vector<std::string> out;
  for (const std::string& document : documents) {
    for (size_t begin = 0; begin < document.size();) {
      size_t end = std::min(begin + kPiece, document.size());
      if (end < document.size()) {
        const size_t line = document.rfind('\n', end);
        if (line != std::string::npos && line > begin) end = line + 1;
        while (end < document.size() && (document[end] & 0xc0) == 0x80) ++end;
      }
      out.push_back(document.substr(begin, end - begin));
      begin = end;
    }
  }
  return out;
}

// No more text than the windows can need, so that a shard of C4 is not tokenized for 512 of them.
void thin_out(std::vector<std::string>& documents, const Recipe& recipe, Random& random) {
  const auto enough = static_cast<size_t>(recipe.count * recipe.length * kBytesOfToken);
  size_t total = 0;
  for (const std::string& document : documents) total += document.size();
  if (total <= enough) return;
  std::vector<std::string> pieces = pieces_of(documents);
  const size_t wanted = std::max<size_t>(1, pieces.size() * enough / total);
  std::vector<std::string> kept;
  for (size_t i : draw(pieces.size(), wanted, random)) kept.push_back(std::move(pieces[i]));
  documents = std::move(kept);
}

// Takes the last part of the text away, whole documents where there are several.
std::string take_rest(std::vector<std::string>& documents, double part) {
  if (part <= 0) return {};
  size_t total = 0;
  for (const std::string& document : documents) total += document.size();
  const auto wanted = static_cast<size_t>(static_cast<double>(total) * part);
  std::string rest;
  while (documents.size() > 1 && rest.size() + documents.back().size() <= wanted) {
    rest = cat(documents.back(), rest.empty() ? "" : "\n\n", rest);
    documents.pop_back();
  }
  if (!rest.empty()) return rest;
  std::string& last = documents.back();
  size_t cut = last.size() - std::min(wanted, last.size());
  while (cut < last.size() && (last[cut] & 0xc0) == 0x80) ++cut;
  rest = last.substr(cut);
  last.resize(cut);
  return rest;
}

void cut_windows(const std::vector<int32_t>& ids, const Recipe& recipe, Random& random,
                 Windows& out) {
  const auto length = static_cast<size_t>(recipe.length);
  for (size_t w : draw(ids.size() / length, static_cast<size_t>(recipe.count), random)) {
    const auto begin = ids.begin() + static_cast<std::ptrdiff_t>(w * length);
    out.emplace_back(begin, begin + recipe.length);
  }
}

}  // namespace

Result<std::vector<std::string>> read_documents(const std::string& path) {
  std::vector<std::string> out;
  std::error_code error;
  if (fs::is_directory(path, error)) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(path, error)) {
      const std::string name = entry.path().string();
      const bool text = is_lines(name) || name.ends_with(".txt") || name.ends_with(".raw") ||
                        name.ends_with(".tokens");
      if (text && entry.is_regular_file(error)) names.push_back(name);
    }
    std::sort(names.begin(), names.end());
    for (const std::string& name : names) ENM_RETURN_IF_ERROR(read_text(name, out));
  } else {
    ENM_RETURN_IF_ERROR(read_text(path, out));
  }
  std::erase_if(out, [](const std::string& text) {
    return text.find_first_not_of(" \t\r\n") == std::string::npos;
  });
  if (out.empty()) return InvalidArgument(path, ": there is no text in it");
  return out;
}

Result<Sample> sample_windows(std::vector<std::string> documents, const Recipe& recipe,
                              double hold_out, const text::Tokenizer& tokenizer) {
  if (recipe.count < 1 || recipe.length < 2) {
    return InvalidArgument(recipe.count, " windows of ", recipe.length,
                           " tokens; expected 1 or more of 2 or more");
  }
  if (documents.empty()) return InvalidArgument("there is no text");
  Random random(recipe.seed);
  Sample out;
  out.rest = take_rest(documents, hold_out);
  thin_out(documents, recipe, random);
  std::vector<int32_t> joined;
  for (const std::string& document : documents) {
    std::vector<int32_t> ids = tokenizer.encode(document, !recipe.pack);
    ++out.documents;
    if (recipe.pack) {
      joined.insert(joined.end(), ids.begin(), ids.end());
    } else if (ids.size() > 1) {
      if (static_cast<int64_t>(ids.size()) > recipe.length) {
        ids.resize(static_cast<size_t>(recipe.length));
      }
      out.windows.push_back(std::move(ids));
    }
  }
  if (recipe.pack) {
    if (static_cast<int64_t>(joined.size()) < recipe.length) {
      return InvalidArgument("the text has ", joined.size(), " tokens; a window takes ",
                             recipe.length, ": give more text or shorter windows");
    }
    cut_windows(joined, recipe, random, out.windows);
  } else {
    Windows kept;
    for (size_t i : draw(out.windows.size(), static_cast<size_t>(recipe.count), random)) {
      kept.push_back(std::move(out.windows[i]));
    }
    out.windows = std::move(kept);
  }
  for (const auto& window : out.windows) out.tokens += static_cast<int64_t>(window.size());
  return out;
}

}  // namespace enm::quantize
