// tokenizer_bench [--lines] TOKENIZER.JSON TEXT...: the best seconds of up to five times loading
// the tokenizer, then for each file of text a line with the number of tokens, the best seconds of
// up to five encodings, as a whole or line by line, and the FNV-1a hash of the ids.
#include <algorithm>
#include <cstdio>
#include <ctime>

#include "enm/base/file_posix.h"
#include "enm/base/function_ref.h"
#include "enm/text/tokenizer.h"

namespace {

constexpr uint64_t kMaxBytes = uint64_t{1} << 30;
constexpr double kLongEnough = 2;  // seconds, after which a text is not encoded again

uint32_t fnv1a(const std::vector<int32_t>& ids) {
  uint32_t hash = 2166136261u;
  for (int32_t id : ids) {
    for (int shift = 0; shift < 32; shift += 8) {
      hash = (hash ^ (static_cast<uint32_t>(id) >> shift & 255)) * 16777619u;
    }
  }
  return hash;
}

double best_seconds(enm::FunctionRef<void()> work) {
  double best = 1e9;
  double total = 0;
  for (int round = 0; round < 5 && total < kLongEnough; ++round) {
    const std::clock_t start = std::clock();
    work();
    const double spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    best = std::min(best, spent);
    total += spent;
  }
  return best;
}

enm::Status run(bool lines, const char* tokenizer_json, int count, char** texts) {
  using enm::text::Tokenizer;
  ENM_ASSIGN_OR_RETURN(const auto json, enm::read_file(tokenizer_json, kMaxBytes));
  ENM_ASSIGN_OR_RETURN(auto tokenizer, Tokenizer::parse(enm::as_text(json)));
  std::printf("%.6f\n", best_seconds([&] { tokenizer = *Tokenizer::parse(enm::as_text(json)); }));
  for (int i = 0; i < count; ++i) {
    ENM_ASSIGN_OR_RETURN(const auto text, enm::read_file(texts[i], kMaxBytes));
    std::vector<std::string_view> parts = {enm::as_text(text)};
    if (lines) parts = enm::split(enm::as_text(text), '\n');
    std::vector<int32_t> ids;
    const double best = best_seconds([&] {
      ids.clear();
      for (std::string_view part : parts) {
        const auto more = tokenizer.encode(part, false);
        ids.insert(ids.end(), more.begin(), more.end());
      }
    });
    std::printf("%zu %.6f %u\n", ids.size(), best, fnv1a(ids));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const int lines = argc > 1 && std::string_view(argv[1]) == "--lines" ? 1 : 0;
  if (argc < 2 + lines) {
    return std::fputs("usage: tokenizer_bench [--lines] TOKENIZER.JSON TEXT...\n", stderr), 2;
  }
  const enm::Status status = run(lines != 0, argv[1 + lines], argc - 2 - lines, argv + 2 + lines);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
