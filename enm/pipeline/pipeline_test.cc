#include "enm/pipeline/pipeline.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <new>
#include <set>

#include "enm/base/file_posix.h"
#include "enm/formats/huggingface.h"
#include "enm/pipeline/model_folder.h"
#include "enm/pipeline/stop_filter.h"

// The replacement below pairs malloc with free; GCC sees only one half of each pair.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace {
std::atomic<int64_t> allocations{0};
}

void* operator new(size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size > 0 ? size : 1)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size > 0 ? size : 1);
}
void operator delete(void* memory, const std::nothrow_t&) noexcept { std::free(memory); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }

namespace enm::pipeline {
namespace {

const DirectoryFiles kFable(ENM_SOURCE_DIR "/models/fable-8m");

std::string tell(int threads, const GenerateOptions& options) {
  const auto pipeline = Pipeline::open(kFable, {.threads = threads});
  EXPECT_TRUE(pipeline.ok()) << pipeline.status().message();
  const auto result = (*pipeline)->generate("Once upon a time", options, [](auto) { return true; });
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result->text;
}

TEST(Pipeline, TheTextDoesNotDependOnTheThreads) {
  GenerateOptions options;
  options.max_tokens = 40;
  options.sampling = {.temperature = 0.9f, .top_k = 50, .top_p = 0.95f, .seed = 7};
  const std::string text = tell(1, options);
  EXPECT_GT(text.size(), 40u);
  EXPECT_EQ(tell(2, options), text);
  EXPECT_EQ(tell(3, options), text);
  options.sampling.seed = 8;
  EXPECT_NE(tell(2, options), text);
}

TEST(Pipeline, StopsBeforeAStopSequenceThatSpansTokens) {
  GenerateOptions options;
  options.max_tokens = 60;
  const std::string whole = tell(2, options);
  const std::string stop = whole.substr(whole.size() / 2, 9);
  options.stop = {stop};
  EXPECT_EQ(tell(2, options), whole.substr(0, whole.find(stop)));
}

TEST(Pipeline, ReportsWhyItEnded) {
  const auto pipeline = Pipeline::open(kFable, {.threads = 2, .context_length = 16});
  GenerateOptions options;
  const auto all = [](std::string_view) { return true; };
  EXPECT_EQ((*pipeline)->generate("Once upon a time", options, all)->finish, Finish::kContextFull);
  options.max_tokens = 3;
  EXPECT_EQ((*pipeline)->generate("Once", options, all)->finish, Finish::kLength);
  EXPECT_EQ((*pipeline)->generate("Once", options, [](auto) { return false; })->finish,
            Finish::kCancelled);
  const std::string long_prompt(4000, 'x');
  EXPECT_EQ((*pipeline)->generate(long_prompt, options, all).status().code(),
            Code::kResourceExhausted);
  options.sampling.top_p = 0;
  EXPECT_EQ((*pipeline)->generate("Once", options, all).status().code(), Code::kInvalidArgument);
}

TEST(Decoder, ChunksAndSingleTokensGiveTheSameLogits) {
  ThreadPool pool(2);
  const auto isa = *select_isa();
  std::vector<int32_t> ids;
  for (int i = 0; i < 50; ++i) ids.push_back((i * 37 + 5) % 4096);
  std::vector<std::vector<float>> logits;
  for (int64_t chunk : {1, 7, 64}) {
    auto decoder = runtime::Decoder::open(*load_graph(kFable),
                                          {.context_length = 64, .chunk = chunk, .isa = isa}, pool);
    ASSERT_TRUE(decoder.ok()) << decoder.status().message();
    ASSERT_TRUE((*decoder)->append(ids).ok());
    logits.emplace_back((*decoder)->logits().begin(), (*decoder)->logits().end());
  }
  for (size_t i = 0; i < logits[0].size(); ++i) {
    ASSERT_NEAR(logits[1][i], logits[0][i], 1e-4f);
    ASSERT_NEAR(logits[2][i], logits[0][i], 1e-4f);
  }
}

TEST(Decoder, ForgottenTokensLeaveNoTrace) {
  ThreadPool pool(1);
  auto decoder = runtime::Decoder::open(*load_graph(kFable), {.context_length = 32}, pool);
  const std::vector<int32_t> prompt = {0, 11, 12};
  ASSERT_TRUE((*decoder)->append(prompt).ok());
  const std::vector<float> first((*decoder)->logits().begin(), (*decoder)->logits().end());
  ASSERT_TRUE((*decoder)->append(std::vector<int32_t>{99, 98}).ok());
  (*decoder)->truncate(2);
  ASSERT_TRUE((*decoder)->append({&prompt[2], 1}).ok());
  for (size_t i = 0; i < first.size(); ++i) ASSERT_NEAR((*decoder)->logits()[i], first[i], 1e-5f);
}

TEST(Decoder, NothingIsAllocatedPerToken) {
  ThreadPool pool(2);
  auto decoder = runtime::Decoder::open(*load_graph(kFable),
                                        {.context_length = 64, .isa = *select_isa()}, pool);
  const int32_t token = 5;
  ASSERT_TRUE((*decoder)->append({&token, 1}).ok());
  const int64_t before = allocations.load();
  for (int i = 0; i < 32; ++i) ASSERT_TRUE((*decoder)->append({&token, 1}).ok());
  EXPECT_EQ(allocations.load(), before);
}

TEST(Decoder, RefusesTokensAndContextsOutOfRange) {
  ThreadPool pool(1);
  auto decoder = runtime::Decoder::open(*load_graph(kFable), {.context_length = 4}, pool);
  EXPECT_EQ((*decoder)->append(std::vector<int32_t>{4096}).code(), Code::kInvalidArgument);
  EXPECT_EQ((*decoder)->append(std::vector<int32_t>{-1}).code(), Code::kInvalidArgument);
  EXPECT_EQ((*decoder)->append(std::vector<int32_t>(5, 1)).code(), Code::kResourceExhausted);
  EXPECT_EQ((*decoder)->position(), 0);
  EXPECT_EQ(
      runtime::Decoder::open(*load_graph(kFable), {.context_length = 4096}, pool).status().code(),
      Code::kResourceExhausted);
}

TEST(StopFilter, HoldsBackWhatMayBecomeAStop) {
  StopFilter filter({"END", "\n\n"});
  EXPECT_EQ(filter.push("abcE"), "abc");
  EXPECT_EQ(filter.push("N"), "");
  EXPECT_EQ(filter.push("x\n"), "ENx");
  EXPECT_EQ(filter.push("\ny"), "");
  EXPECT_TRUE(filter.stopped());
  StopFilter open({"END"});
  EXPECT_EQ(open.push("aEN"), "a");
  EXPECT_EQ(open.flush(), "EN");
}

TEST(StopFilter, FindsWhatBeginsInsideAFailedBeginning) {
  for (const size_t step : {1, 2, 3, 100}) {  // however the text is cut
    StopFilter filter({"", "aab", "abaabab", "xb"});
    const std::string text = "abaaxabaabx";
    std::string shown;
    for (size_t at = 0; at < text.size(); at += step) shown += filter.push(text.substr(at, step));
    EXPECT_TRUE(filter.stopped());
    EXPECT_EQ(shown + filter.flush(), "abaaxab") << step;
  }
}

TEST(StopFilter, LongStopsThatAlmostMatch) {
  const std::string nearly(200'000, 'a');
  StopFilter filter({nearly + "b", nearly + "c"});
  std::string shown;
  for (size_t i = 0; i < 2 * nearly.size(); ++i) shown += filter.push("a");
  EXPECT_EQ(shown, nearly);
  EXPECT_EQ(filter.push("c"), "");
  EXPECT_TRUE(filter.stopped());
}

TEST(Sampler, KeepsToItsLimits) {
  const std::vector<float> logits = {1, 5, 4, 0, 3};
  const auto drawn = [&](runtime::SamplingOptions options) {
    runtime::Sampler sampler(options, 5);
    std::set<int32_t> tokens;
    for (int i = 0; i < 2000; ++i) tokens.insert(sampler.sample(logits));
    return tokens;
  };
  using Set = std::set<int32_t>;
  EXPECT_EQ(drawn({.temperature = 0}), Set({1}));
  EXPECT_EQ(drawn({.temperature = 2}), Set({0, 1, 2, 3, 4}));
  EXPECT_EQ(drawn({.temperature = 2, .top_k = 2}), Set({1, 2}));
  EXPECT_EQ(drawn({.temperature = 1, .top_p = 0.6f}), Set({1}));
  EXPECT_EQ(drawn({.temperature = 1, .min_p = 0.2f}), Set({1, 2}));
}

TEST(Sampler, DrawsByProbability) {
  const std::vector<float> logits = {0, std::log(3.0f)};
  runtime::Sampler sampler({.temperature = 1, .seed = 3}, 2);
  int ones = 0;
  for (int i = 0; i < 40'000; ++i) ones += sampler.sample(logits);
  EXPECT_NEAR(ones / 40'000.0, 0.75, 0.01);
}

}  // namespace
}  // namespace enm::pipeline
