// tokenizer_bench TOKENIZER.JSON TEXT...: for each file of text a line with the number of tokens,
// the best seconds of up to five encodings, and the FNV-1a hash of the ids.
#include <algorithm>
#include <chrono>
#include <cstdio>

#include "enm/base/file_posix.h"
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

enm::Status run(const char* tokenizer_json, int count, char** texts) {
  ENM_ASSIGN_OR_RETURN(const auto json, enm::read_file(tokenizer_json, kMaxBytes));
  ENM_ASSIGN_OR_RETURN(const auto tokenizer, enm::text::Tokenizer::parse(enm::as_text(json)));
  for (int i = 0; i < count; ++i) {
    ENM_ASSIGN_OR_RETURN(const auto text, enm::read_file(texts[i], kMaxBytes));
    std::vector<int32_t> ids;
    double best = 1e9;
    double total = 0;
    for (int round = 0; round < 5 && total < kLongEnough; ++round) {
      const auto start = std::chrono::steady_clock::now();
      ids = tokenizer.encode(enm::as_text(text), false);
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      best = std::min(best, spent.count());
      total += spent.count();
    }
    std::printf("%zu %.6f %u\n", ids.size(), best, fnv1a(ids));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fputs("usage: tokenizer_bench TOKENIZER.JSON TEXT...\n", stderr), 2;
  const enm::Status status = run(argv[1], argc - 2, argv + 2);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.ok() ? 0 : 1;
}
