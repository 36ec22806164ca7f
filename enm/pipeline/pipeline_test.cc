#include "enm/pipeline/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <cmath>
#include <cstdlib>
#include <new>
#include <set>
#include <thread>

#include "enm/base/file_posix.h"
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

using runtime::Decoder;

std::shared_ptr<const Model> open_fable(const ModelOptions& options = {}) {
  ThreadPool pool(2);
  auto model = Model::open(kFable, options, pool);
  EXPECT_TRUE(model.ok()) << model.status().message();
  return *model;
}

// One model for all tests: that is what it is for.
const std::shared_ptr<const Model>& fable() {
  static const auto model = open_fable();
  return model;
}

const auto kAll = [](std::string_view) { return true; };

std::string tell(int threads, const GenerateOptions& options,
                 std::string_view prompt = "Once upon a time") {
  ThreadPool pool(threads);
  const auto session = Session::open(fable(), {}, pool);
  const auto result = (*session)->generate(prompt, options, kAll);
  EXPECT_TRUE(result.ok()) << result.status().message();
  return result->text;
}

TEST(Session, TheTextDoesNotDependOnTheThreads) {
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

TEST(Session, StopsBeforeAStopSequenceThatSpansTokens) {
  GenerateOptions options;
  options.max_tokens = 60;
  const std::string whole = tell(2, options);
  const std::string stop = whole.substr(whole.size() / 2, 9);
  options.stop = {stop};
  EXPECT_EQ(tell(2, options), whole.substr(0, whole.find(stop)));
}

TEST(Session, ReportsWhyItEnded) {
  ThreadPool pool(2);
  const auto session = Session::open(fable(), {.context_length = 16}, pool);
  GenerateOptions options;
  EXPECT_EQ((*session)->generate("Once upon a time", options, kAll)->finish, Finish::kContextFull);
  options.max_tokens = 3;
  EXPECT_EQ((*session)->generate("Once", options, kAll)->finish, Finish::kLength);
  EXPECT_EQ((*session)->generate("Once", options, [](auto) { return false; })->finish,
            Finish::kCancelled);
  const std::string long_prompt(4000, 'x');
  EXPECT_EQ((*session)->generate(long_prompt, options, kAll).status().code(),
            Code::kResourceExhausted);
  options.sampling.top_p = 0;
  EXPECT_EQ((*session)->generate("Once", options, kAll).status().code(), Code::kInvalidArgument);
}

TEST(Session, FourOnFourThreadsTellWhatOneTells) {
  const char* const prompts[] = {"Once upon a time", "The old king", "A fox", "In the dark wood"};
  GenerateOptions options;
  options.max_tokens = 24;
  std::string expected[4];
  for (int i = 0; i < 4; ++i) expected[i] = tell(1, options, prompts[i]);
  const uint64_t weights = fable()->weight_bytes();
  const uint64_t used = fable()->budget().used();
  std::string got[4];
  uint64_t own[4];
  uint64_t most = 0;
  std::barrier all_are_done(4);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      ThreadPool pool(1);
      const auto session = Session::open(fable(), {}, pool);
      const auto result = (*session)->generate(prompts[i], options, kAll);
      got[i] = result.ok() ? result->text : std::string(result.status().message());
      own[i] = (*session)->cache_bytes() + (*session)->arena_bytes();
      all_are_done.arrive_and_wait();
      if (i == 0) most = fable()->budget().used();
      all_are_done.arrive_and_wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(got[i], expected[i]);
    EXPECT_EQ(own[i], own[0]);
  }
  EXPECT_GT(most - used, 4 * own[0] - 1);
  EXPECT_LT(most - used, 4 * own[0] / 10 * 11);
  EXPECT_EQ(fable()->weight_bytes(), weights);  // nobody packed anything again
  EXPECT_EQ(fable()->budget().used(), used);    // and everything was given back
}

TEST(Session, WritesSeveralTextsInOnePass) {
  ThreadPool pool(2);
  const char* const prompts[] = {"Once upon a time there was a", "The old king",
                                 "A fox met a crow in the wood and", "In"};
  GenerateOptions options;
  options.max_tokens = 20;
  const auto session = Session::open(fable(), {.sequences = 4}, pool);
  std::vector<std::unique_ptr<Generation>> generations;
  std::vector<Generation*> all;
  for (const char* prompt : prompts) {
    auto generation = (*session)->start(prompt, options);
    ASSERT_TRUE(generation.ok()) << generation.status().message();
    generations.push_back(*std::move(generation));
    all.push_back(generations.back().get());
  }
  EXPECT_EQ((*session)->start("one too many", options).status().code(), Code::kResourceExhausted);
  const auto running = [&] {
    return std::any_of(all.begin(), all.end(), [](auto* one) { return !one->done(); });
  };
  while (running()) {
    ASSERT_TRUE((*session)->begin(all).ok());
    ASSERT_TRUE((*session)->finish().ok());
  }
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(all[static_cast<size_t>(i)]->result().text, tell(1, options, prompts[i]));
  }
}

TEST(Session, ComputesOnlyWhatAPromptDoesNotShare) {
  ThreadPool pool(2);
  const auto session = Session::open(fable(), {}, pool);
  std::string shared;
  for (int i = 0; shared.size() < 900; ++i) shared += cat("The ", i, " wolves slept. ");
  GenerateOptions options;
  options.max_tokens = 8;
  ASSERT_TRUE((*session)->generate(shared + "The first", options, kAll).ok());
  const int64_t before = (*session)->decoder().computed();
  const auto second = (*session)->generate(shared + "A second", options, kAll);
  ASSERT_TRUE(second.ok());
  EXPECT_GT(second->cached_tokens, second->prompt_tokens - 8);
  EXPECT_LE((*session)->decoder().computed() - before,
            second->prompt_tokens - second->cached_tokens + second->tokens);
  EXPECT_EQ(second->text, tell(2, options, shared + "A second"));
  (*session)->clear_cache();
  EXPECT_EQ((*session)->generate(shared, options, kAll)->cached_tokens, 0);
}

TEST(Model, RefusesMoreMemoryThanItMayTake) {
  ThreadPool pool(1);
  EXPECT_EQ(Model::open(kFable, {.memory_limit = 1 << 20}, pool).status().code(),
            Code::kResourceExhausted);
  const auto model = open_fable({.memory_limit = 120 << 20});
  ASSERT_TRUE(Session::open(model, {}, pool).ok());
  EXPECT_EQ(Session::open(model, {.sequences = 1000}, pool).status().code(),
            Code::kResourceExhausted);
  EXPECT_EQ(Session::open(model, {.sequences = 0}, pool).status().code(), Code::kInvalidArgument);
}

std::vector<int32_t> some_tokens(int count, int seed) {
  std::vector<int32_t> ids;
  for (int i = 0; i < count; ++i) ids.push_back((i * 37 + seed * 101 + 5) % 4096);
  return ids;
}

std::unique_ptr<Decoder> open_decoder(ThreadPool& pool, const runtime::DecoderOptions& options) {
  auto decoder = Decoder::open(fable()->decoder(), options, pool, fable()->budget());
  EXPECT_TRUE(decoder.ok()) << decoder.status().message();
  return *std::move(decoder);
}

void expect_near(std::span<const float> got, std::span<const float> expected, float tolerance) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], expected[i], tolerance) << i;
}

TEST(Decoder, ChunksAndSingleTokensGiveTheSameLogits) {
  ThreadPool pool(2);
  const std::vector<int32_t> ids = some_tokens(50, 0);
  std::vector<std::vector<float>> logits;
  for (int64_t chunk : {1, 7, 64}) {
    const auto decoder = open_decoder(pool, {.context_length = 64, .chunk = chunk});
    ASSERT_TRUE(decoder->append(0, ids).ok());
    logits.emplace_back(decoder->logits().begin(), decoder->logits().end());
  }
  expect_near(logits[1], logits[0], 1e-4f);
  expect_near(logits[2], logits[0], 1e-4f);
}

TEST(Decoder, ARaggedBatchEqualsItsSequences) {
  ThreadPool pool(2);
  const auto batch = open_decoder(pool, {.context_length = 64, .sequences = 4});
  const int lengths[] = {1, 9, 30, 17};
  std::vector<std::vector<int32_t>> ids;
  std::vector<Decoder::Feed> feeds;
  for (int i = 0; i < 4; ++i) ids.push_back(some_tokens(lengths[i], i));
  for (int i = 0; i < 4; ++i) feeds.push_back({i, ids[static_cast<size_t>(i)]});
  ASSERT_TRUE(batch->begin(feeds).ok());
  ASSERT_TRUE(batch->finish().ok());
  std::vector<std::unique_ptr<Decoder>> singles;
  for (size_t i = 0; i < 4; ++i) {
    singles.push_back(open_decoder(pool, {.context_length = 64}));
    ASSERT_TRUE(singles[i]->append(0, ids[i]).ok());
    expect_near(batch->logits(i), singles[i]->logits(), 1e-4f);
  }
  // Each goes on from a length of its own, some by more tokens than others, some not at all.
  for (int step = 0; step < 6; ++step) {
    feeds.clear();
    for (int i = step % 2; i < 4; i += 1 + step % 2) {
      ids[static_cast<size_t>(i)] = some_tokens(1 + (i + step) % 3, i + 7 * step);
      feeds.push_back({i, ids[static_cast<size_t>(i)]});
    }
    ASSERT_TRUE(batch->begin(feeds).ok());
    ASSERT_TRUE(batch->finish().ok());
    for (size_t i = 0; i < feeds.size(); ++i) {
      Decoder& single = *singles[static_cast<size_t>(feeds[i].sequence)];
      ASSERT_TRUE(single.append(0, feeds[i].tokens).ok());
      expect_near(batch->logits(i), single.logits(), 1e-4f);
    }
  }
}

TEST(Decoder, AForkGoesOnFromItsPrefix) {
  ThreadPool pool(2);
  const auto decoder = open_decoder(pool, {.context_length = 700, .sequences = 2});
  const std::vector<int32_t> first = some_tokens(520, 1);
  ASSERT_TRUE(decoder->append(0, first).ok());
  std::vector<int32_t> second(first.begin(), first.begin() + 500);
  const std::vector<int32_t> rest = some_tokens(12, 2);
  second.insert(second.end(), rest.begin(), rest.end());
  const int64_t before = decoder->computed();
  ASSERT_EQ(decoder->reuse_prefix(1, second), 500);
  ASSERT_TRUE(decoder->append(1, std::span(second).subspan(500)).ok());
  EXPECT_EQ(decoder->computed() - before, 12);
  const auto whole = open_decoder(pool, {.context_length = 700});
  ASSERT_TRUE(whole->append(0, second).ok());
  expect_near(decoder->logits(), whole->logits(), 1e-4f);
  EXPECT_EQ(decoder->position(0), 520);  // the other is as it was
}

TEST(Decoder, ForgottenTokensLeaveNoTrace) {
  ThreadPool pool(1);
  const auto decoder = open_decoder(pool, {.context_length = 32});
  const std::vector<int32_t> prompt = {0, 11, 12};
  ASSERT_TRUE(decoder->append(0, prompt).ok());
  const std::vector<float> first(decoder->logits().begin(), decoder->logits().end());
  ASSERT_TRUE(decoder->append(0, std::vector<int32_t>{99, 98}).ok());
  decoder->truncate(0, 2);
  ASSERT_TRUE(decoder->append(0, {&prompt[2], 1}).ok());
  expect_near(decoder->logits(), first, 1e-5f);
}

TEST(Decoder, NothingIsAllocatedPerToken) {
  ThreadPool pool(2);
  const auto decoder = open_decoder(pool, {.context_length = 64});
  const int32_t token = 5;
  ASSERT_TRUE(decoder->append(0, {&token, 1}).ok());
  const int64_t before = allocations.load();
  for (int i = 0; i < 32; ++i) ASSERT_TRUE(decoder->append(0, {&token, 1}).ok());
  EXPECT_EQ(allocations.load(), before);
}

TEST(Decoder, RefusesTokensAndContextsOutOfRange) {
  ThreadPool pool(1);
  const auto decoder = open_decoder(pool, {.context_length = 4});
  EXPECT_EQ(decoder->append(0, std::vector<int32_t>{4096}).code(), Code::kInvalidArgument);
  EXPECT_EQ(decoder->append(0, std::vector<int32_t>{-1}).code(), Code::kInvalidArgument);
  EXPECT_EQ(decoder->append(0, std::vector<int32_t>(5, 1)).code(), Code::kResourceExhausted);
  EXPECT_EQ(decoder->position(), 0);
  EXPECT_EQ(Decoder::open(fable()->decoder(), {.context_length = 4096}, pool, fable()->budget())
                .status()
                .code(),
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
