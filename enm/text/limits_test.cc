// Hostile files and texts: what is refused and how, how much memory a file may cost, how long texts
// may have no place to cut them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "enm/base/file_posix.h"
#include "enm/base/mutate.h"
#include "enm/text/tokenizer.h"

// The replacement below pairs malloc with free; GCC sees only one half of each pair.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"
#endif

namespace {

constexpr size_t kHeader = 16;  // holds the size of a block in front of it
size_t live_bytes = 0;
size_t peak_bytes = 0;

void* allocate(size_t size) {
  auto* block = static_cast<char*>(std::malloc(kHeader + size));
  if (block == nullptr) return nullptr;
  std::memcpy(block, &size, sizeof size);
  live_bytes += size;
  peak_bytes = std::max(peak_bytes, live_bytes);
  return block + kHeader;
}

void release(void* memory) {
  if (memory == nullptr) return;
  char* block = static_cast<char*>(memory) - kHeader;
  size_t size;
  std::memcpy(&size, block, sizeof size);
  live_bytes -= size;
  std::free(block);
}

}  // namespace

void* operator new(size_t size) {
  if (void* memory = allocate(size)) return memory;
  throw std::bad_alloc();
}
void* operator new(size_t size, const std::nothrow_t&) noexcept { return allocate(size); }
void operator delete(void* memory, const std::nothrow_t&) noexcept { release(memory); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete(void* memory, size_t) noexcept { release(memory); }

namespace enm::text {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

std::string repeat(std::string_view text, size_t count) {
  std::string out;
  out.reserve(text.size() * count);
  for (size_t i = 0; i < count; ++i) out += text;
  return out;
}

// {"first": 0, "x0": 1, "x1": 2, ...}
std::string numbered(std::string_view first, size_t count, int64_t step = 1) {
  std::string out = cat("{\"", first, "\": 0");
  for (size_t i = 0; i < count; ++i) out += cat(",\"x", i, "\":", (i + 1) * step);
  return out + "}";
}

std::string bpe(std::string_view vocab, std::string_view merges = "[]",
                std::string_view more = "") {
  return cat(R"({"pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false}, "decoder": )",
             R"({"type": "ByteLevel"}, "model": {"type": "BPE", "vocab": )", vocab,
             R"(, "merges": )", merges, "}", more, "}");
}

std::string wordpiece(std::string_view vocab, int64_t longest_word = 100) {
  return cat(R"({"normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": )",
             R"("BertPreTokenizer"}, "decoder": {"type": "WordPiece"}, "model": {"type": )",
             R"("WordPiece", "unk_token": "u", "max_input_chars_per_word": )", longest_word,
             R"(, "vocab": )", vocab, "}}");
}

std::string added(std::string_view tokens) {
  return bpe("{}", "[]", cat(", \"added_tokens\": [", tokens, "]"));
}

std::string around(std::string_view piece, size_t pieces, size_t ids) {
  return bpe("{}", "[]",
             cat(R"(, "post_processor": {"type": "TemplateProcessing", "single": [)", piece,
                 repeat(cat(",", piece), pieces - 1), R"(], "special_tokens": {"s": {"ids": [7)",
                 repeat(",7", ids - 1), "]}}}"));
}

TEST(HostileFile, IsRefusedInOneLine) {
  const auto refused = [](const std::string& file) {
    const auto tokenizer = Tokenizer::parse(file);
    return tokenizer.ok() ? std::string() : std::string(tokenizer.status().message());
  };
  constexpr const char* kPiece = R"({"SpecialToken": {"id": "s"}})";
  EXPECT_EQ(refused(bpe(R"({"a": 16777215})")), "");
  EXPECT_EQ(refused(around(kPiece, 256, 1)), "");
  const std::pair<std::string, std::string> kCases[] = {
      {bpe(R"({"a": 16777216})"), R"(model: vocab: token "a" has no id from 0 to 16777215)"},
      {bpe(R"({"a": 9223372036854775807})"),
       R"(model: vocab: token "a" has no id from 0 to 16777215)"},
      {bpe(R"({"a": 1e3})"), R"(model: vocab: token "a" has no id from 0 to 16777215)"},
      {bpe(R"({"a": 1, "b": 1})"), R"(model: vocab: tokens "a" and "b" have the same id 1)"},
      {bpe(R"({"a": 1, "b": 2, "a": 3})"), R"(model: vocab: token "a" stands twice)"},
      {bpe(R"({"a": 1, "b": 2})", R"(["a b"])"),
       R"(model: merge 0 ("a" + "b") names tokens that the vocabulary lacks)"},
      {bpe(R"({"a": 1})", R"(["a"])"),
       R"(model: merge 0 ("a" + "") names tokens that the vocabulary lacks)"},
      {bpe(R"({"a": 1})", R"([7])"),
       R"(model: merge 0 ("" + "") names tokens that the vocabulary lacks)"},
      {wordpiece(cat(R"({"u": 0, ")", repeat("w", 257), R"(": 1})")),
       cat(R"(model: vocab: token ")", repeat("w", 80),
           R"(..." has 257 bytes; at most 256 are supported)")},
      {wordpiece(R"({"u": 0})", 10001), "model: max_input_chars_per_word is 10001"},
      {wordpiece(R"({"v": 0})"), R"(model: unk_token "u" is not in the vocabulary)"},
      {added(R"({"content": "x", "id": 16777216})"),
       R"(added_tokens: token "x" has no id from 0 to 16777215)"},
      {added(R"({"content": "x", "id": 5}, {"content": "y", "id": 5})"),
       R"(added_tokens: tokens "x" and "y" have the same id 5)"},
      {added(R"({"content": "x", "id": 5}, {"content": "x", "id": 6})"),
       R"(added_tokens: token "x" stands twice)"},
      {added(cat(R"({"content": ")", repeat("w", 257), R"(", "id": 5})")),
       cat(R"(added_tokens: token ")", repeat("w", 80),
           R"(..." has 257 bytes; at most 256 are supported)")},
      {added(R"({"content": "", "id": 5})"), "added_tokens: entry 0 has no content"},
      {bpe(R"({"x": 4})", "[]", R"(, "added_tokens": [{"content": "x", "id": 5}])"),
       R"(added token "x" has id 5, in the vocabulary 4)"},
      {around(kPiece, 257, 1),
       "post_processor: a template of 257 pieces; at most 256 are supported"},
      {around(kPiece, 2, 200), "post_processor: more than 256 tokens around a text"},
      {bpe("{}", "[]", R"(, "truncation": {"max_length": 0})"), "truncation: max_length is 0"},
      {cat("{\"model\": ", repeat("[", 100), "1", repeat("]", 100), "}"),
       "[json] at byte 73: nested deeper than 64"},
      {cat("{\"model\": 1", repeat("0", 400), "}"),
       "[json] at byte 10: Number too big to be stored in double."},
  };
  for (const auto& [file, message] : kCases) {
    EXPECT_EQ(refused(file), "[text] tokenizer.json: " + message);
  }
}

TEST(HostileFile, CostsMemoryInProportionToItsBytes) {
  constexpr size_t kSize = 1 << 20;
  const auto list = [](std::string_view item) {
    return cat("[", repeat(cat(item, ","), kSize / (item.size() + 1)), "0]");
  };
  const std::string kFiles[] = {
      list("0"),
      list("[]"),
      list("{}"),
      list("\"\""),
      list("\"a\""),
      list("[0]"),
      list("{\"\":0}"),
      list(cat(repeat("[", 60), "0", repeat("]", 60))),
      list(cat(repeat("{\"\":", 60), "0", repeat("}", 60))),
      numbered("a", kSize / 12),
      cat("\"", repeat("a", kSize), "\""),
      bpe(R"({"a": 16777215})"),
      wordpiece(R"({"u": 0, "a": 16777215})"),
      bpe(numbered("a", kSize / 12)),
      bpe(numbered("a", kSize / 12, 150)),
      bpe(cat("{\"", repeat("a", kSize), "\": 0}")),
      wordpiece(numbered("u", kSize / 12)),
      bpe(R"({"a": 1, "aa": 2})", cat("[", repeat("\"a a\",", kSize / 6), "\"a a\"]")),
      bpe(R"({"a": 1, "aa": 2})", cat("[", repeat("[\"a\",\"a\"],", kSize / 10), "\"a a\"]")),
      around(R"({"SpecialToken": {"id": "s"}})", kSize / 30, 1),
      around(R"({"SpecialToken": {"id": "s"}})", 200, kSize / 2),
      added(repeat(R"({"content": "x", "id": 5},)", kSize / 26) + R"({"content": "x", "id": 5})"),
  };
  for (const std::string& file : kFiles) {
    const size_t before = live_bytes;
    peak_bytes = live_bytes;
    (void)Tokenizer::parse(file);
    EXPECT_LE(peak_bytes - before, 50 * file.size() + (1 << 20)) << file.substr(0, 60);
  }
}

std::string seed(std::string_view name) {
  const auto bytes = read_file(cat(ENM_SOURCE_DIR "/fuzz/corpus/", name), 1 << 20);
  EXPECT_TRUE(bytes.ok()) << name;
  return std::string(as_text(*bytes));
}

void expect_sound(const Tokenizer& tokenizer) {
  const std::string_view text = "Étés. [CLS] the<|endoftext|> \u2581ﬁ 中\U0001f600 x\xff";
  const auto ids = tokenizer.encode(text, false);
  for (int32_t id : ids) ASSERT_TRUE(tokenizer.contains(id));
  EXPECT_TRUE(is_utf8(tokenizer.decode(ids)));
  const auto traced = tokenizer.encode(text, nullptr, {.special_tokens = false});
  ASSERT_TRUE(traced.ok());
  EXPECT_EQ(traced->ids, ids);
  EXPECT_EQ(traced->offsets.size(), ids.size());
  (void)tokenizer.encode(text, &text, {.truncate = true, .pad = true});
}

TEST(HostileFile, SurvivesDamage) {
  std::vector<std::string> seeds;
  for (const char* name : {"bpe", "wordpiece", "unigram", "steps"}) {
    seeds.push_back(seed(cat("tokenizer/", name, ".json")));
  }
  Mutator mutator(4);
  int accepted = 0;
  for (int i = 0; i < seeded_cases(); ++i) {
    const auto bytes = mutator.mutate(as_bytes(seeds[static_cast<size_t>(i) % seeds.size()]));
    const auto tokenizer = Tokenizer::parse(as_text(bytes));
    if (!tokenizer.ok()) continue;
    ++accepted;
    expect_sound(*tokenizer);
  }
  EXPECT_GT(accepted, 100);
}

TEST(HostileFile, SurvivesDamageAsSentencePiece) {
  const std::string seeds[] = {seed("sentencepiece/unigram.model"),
                               seed("sentencepiece/bpe.model")};
  Mutator mutator(5);
  int accepted = 0;
  for (int i = 0; i < seeded_cases(); ++i) {
    const auto bytes = mutator.mutate(as_bytes(seeds[i % 2]));
    const auto tokenizer = Tokenizer::parse_sentencepiece(as_text(bytes));
    if (!tokenizer.ok()) continue;
    ++accepted;
    expect_sound(*tokenizer);
  }
  EXPECT_GT(accepted, 1000);
}

// None of these would end if the time grew with the square of the length.
TEST(HostileText, OfAMillionBytesIsEncoded) {
  const auto fable = read_file(ENM_SOURCE_DIR "/models/fable-8m/tokenizer.json", 1 << 24);
  const auto byte_level = Tokenizer::parse(as_text(*fable));
  const auto words = Tokenizer::parse(wordpiece(
      cat(R"({"u": 0, "a": 1, "##a": 2, ".": 3, "##)", repeat("a", 250), R"(b": 4})"), 10000));
  ASSERT_TRUE(byte_level.ok() && words.ok());
  constexpr size_t kSize = 1'000'000;
  std::string letters(kSize, 'a');
  for (size_t i = 0; i < kSize; ++i) letters[i] = static_cast<char>('a' + i * i % 26);
  const std::string texts[] = {letters,
                               repeat("a", kSize),
                               repeat(" ", kSize),
                               repeat("\n", kSize),
                               repeat("'", kSize),
                               repeat("\xff", kSize / 4),
                               repeat("\u0301", kSize / 4),
                               repeat("\uac01", kSize / 4),
                               repeat("\u4e2d", kSize / 4),
                               repeat("<|endoftext|", kSize / 12),
                               repeat("<|endoftext|>", kSize / 13)};
  for (const std::string& text : texts) {
    const auto ids = byte_level->encode(text, false);
    if (!text.ends_with('>')) {
      StreamDecoder stream(*byte_level);
      std::string streamed;
      for (int32_t id : ids) streamed += stream.push(id);
      EXPECT_EQ(streamed + stream.flush(), byte_level->decode(ids));
      EXPECT_TRUE(byte_level->decode(ids) == text || !is_utf8(text)) << text.substr(0, 12);
    }
    EXPECT_THAT(words->encode(text, false), Each(testing::Lt(5)));
  }
  const auto ids = words->encode(repeat(repeat("a", 9999) + " ", 5), false);
  EXPECT_EQ(ids.size(), 5 * 9999u);
  EXPECT_EQ(words->encode(repeat("a", 10001), false), std::vector<int32_t>{0});
  const std::vector<int32_t> stops(kSize / 4, 3);  // " ." each, which decoding cleans up
  EXPECT_EQ(words->decode(stops), repeat(".", kSize / 4));
}

TEST(HostileText, ThatAlmostMatchesManyAddedTokens) {
  std::string tokens;
  for (int i = 0; i < 1000; ++i) {
    tokens += cat(i > 0 ? "," : "", R"({"content": ")", repeat("a", 200), "b", i, R"(", "id": )",
                  i + 1, "}");
  }
  const auto tokenizer =
      Tokenizer::parse(bpe(R"({"a": 0})", "[]", cat(", \"added_tokens\": [", tokens, "]")));
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  const auto ids = tokenizer->encode(repeat("a", 50'000) + "b999", false);
  EXPECT_EQ(ids.size(), 50'000u - 200 + 1);
  EXPECT_EQ(ids.back(), 1000);
}

}  // namespace
}  // namespace enm::text
