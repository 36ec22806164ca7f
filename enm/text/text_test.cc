#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/file_posix.h"
#include "enm/text/tokenizer.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string bundled() {
  const auto bytes = read_file(ENM_SOURCE_DIR "/models/fable-8m/tokenizer.json", 1 << 24);
  return std::string(as_text(*bytes));
}

constexpr const char* kWordPiece = R"({
  "version": "1.0", "truncation": null, "padding": null,
  "added_tokens": [{"id": 2, "content": "[CLS]", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
  "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
  "pre_tokenizer": {"type": "BertPreTokenizer"},
  "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
    "pair": [], "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [2], "tokens": ["[CLS]"]}}},
  "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
  "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 8,
    "vocab": {"[UNK]": 1, "[CLS]": 2, "ete": 3, "##s": 4, ".": 5, "中": 6, "e": 7}}})";

TEST(ByteBpe, RoundTripsAnyText) {
  const auto tokenizer = Tokenizer::parse(bundled());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  for (std::string text :
       {"Once upon a time", "  two  spaces \n\n x", "naïve 中文 😀 it's they'll", "\t\x01\x7f"}) {
    EXPECT_EQ(tokenizer->decode(tokenizer->encode(text, true)), text);
  }
  EXPECT_EQ(tokenizer->decode(tokenizer->encode("a\xff\xe4\xb8z", false)),
            "a\xef\xbf\xbd\xef\xbf\xbdz");
}

TEST(ByteBpe, AddedTokensAreFoundInsideText) {
  const auto tokenizer = Tokenizer::parse(bundled());
  const auto ids = tokenizer->encode("a<|endoftext|>b", false);
  EXPECT_EQ(std::count(ids.begin(), ids.end(), 0), 1);
  EXPECT_EQ(tokenizer->decode(ids), "ab");
}

TEST(StreamDecoder, NeverSplitsACharacterAndLosesNothing) {
  const auto tokenizer = Tokenizer::parse(bundled());
  const std::string text = "日本語 😀😀 é ﷽ end";
  StreamDecoder stream(*tokenizer);
  std::string all;
  for (int32_t id : tokenizer->encode(text, false)) {
    const std::string piece = stream.push(id);
    EXPECT_TRUE(is_utf8(piece));
    all += piece;
  }
  EXPECT_EQ(all + stream.flush(), text);
}

TEST(ByteBpe, TokensOfOtherCharactersStandForThemselves) {
  const auto tokenizer = Tokenizer::parse(R"({
    "added_tokens": [{"id": 3, "content": "a b"}],
    "pre_tokenizer": {"type": "ByteLevel"}, "decoder": {"type": "ByteLevel"},
    "model": {"type": "BPE", "vocab": {"Ġ日": 0, "Ġé": 1, "a": 2}, "merges": []}})");
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{0, 1, 2, 99, 3}), "Ġ日 \ufffdaa b");
  EXPECT_EQ(tokenizer->id_of("a b"), 3);
  EXPECT_EQ(tokenizer->id_of("Ġ日"), 0);
  EXPECT_EQ(tokenizer->id_of("b"), -1);
}

TEST(WordPiece, DecodesTokenByToken) {
  std::string file = kWordPiece;
  file.replace(file.find("\"e\": 7"), 6,
               R"("e": 7, "n't": 8, "##": 9, "": 10, "do": 11, "not": 12)");
  file.replace(file.find("[{\"id\": 2"), 1,
               R"([{"id": 13, "content": "zz"}, {"id": 14, "content": "##q"}, )");
  const auto tokenizer = Tokenizer::parse(file);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  // Each as tokenizers 0.23 decodes them.
  const std::pair<std::vector<int32_t>, std::string> kCases[] = {
      {{7, 5}, "e."},      {{7, 8}, "en't"},    {{11, 12}, "do not"}, {{4, 7}, "##s e"},
      {{99, 7}, "e"},      {{10, 7}, " e"},     {{7, 9, 7}, "e e"},   {{9, 9}, "##"},
      {{2, 7, 4}, "es"},   {{13, 13}, "zz zz"}, {{7, 14}, "eq"},      {{14, 7}, "##q e"},
      {{6, 7}, "\u4e2d e"}};
  for (const auto& [ids, text] : kCases) {
    EXPECT_EQ(tokenizer->decode(ids), text);
    StreamDecoder stream(*tokenizer);
    std::string streamed;
    for (int32_t id : ids) streamed += stream.push(id);
    EXPECT_EQ(streamed + stream.flush(), text);
  }
}

TEST(WordPiece, NormalizesSplitsAndMarksUnknowns) {
  const auto tokenizer = Tokenizer::parse(kWordPiece);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status().message();
  EXPECT_THAT(tokenizer->encode("\u00c9t\u00e9s.", true), ElementsAre(2, 3, 4, 5));
  EXPECT_THAT(tokenizer->encode("e中e", false), ElementsAre(7, 6, 7));
  EXPECT_THAT(tokenizer->encode("etez eeeeeeeee", false), ElementsAre(1, 1));
  EXPECT_EQ(tokenizer->decode(std::vector<int32_t>{2, 3, 4, 5}), "etes.");
}

TEST(Tokenizer, NamesWhatItDoesNotUnderstand) {
  const auto with = [](const std::string& from, const std::string& to) {
    std::string text = kWordPiece;
    const size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    const auto tokenizer = Tokenizer::parse(text.replace(at, from.size(), to));
    return tokenizer.ok() ? std::string("accepted") : std::string(tokenizer.status().message());
  };
  EXPECT_THAT(with("\"BertNormalizer\"", "\"Other\""), HasSubstr("Other"));
  EXPECT_THAT(with("\"BertPreTokenizer\"", "\"Another\""), HasSubstr("Another"));
  EXPECT_THAT(with("\"type\": \"BertPreTokenizer\"", "\"type\": \"BertPreTokenizer\", \"odd\": 1"),
              HasSubstr("odd"));
  EXPECT_THAT(with("\"TemplateProcessing\"", "\"OtherProcessing\""), HasSubstr("OtherProcessing"));
  EXPECT_THAT(with("\"type\": \"WordPiece\", \"unk", "\"type\": \"WordSalad\", \"unk"),
              HasSubstr("WordSalad"));
  EXPECT_THAT(with("\"type\": \"WordPiece\", \"prefix", "\"type\": \"Decoy\", \"prefix"),
              HasSubstr("Decoy"));
  EXPECT_THAT(with("\"version\"", "\"surprise\""), HasSubstr("surprise"));
  EXPECT_THAT(with("\"e\": 7", "\"e\": -7"), HasSubstr("no id"));
}

TEST(Unicode, LossyReadingFollowsTheStandard) {
  std::string out;
  const std::string text = "\xf0\x9f\x98 \xc0\xaf \xed\xa0\x80";
  for (size_t at = 0; at < text.size();) append_utf8(out, next_code_point(text, at));
  EXPECT_EQ(out, "\ufffd \ufffd\ufffd \ufffd\ufffd\ufffd");
}

}  // namespace
}  // namespace enm::text
