// A SentencePiece model: a protobuf of pieces with scores and of how to normalize.
// Source: sentencepiece_model.proto of google/sentencepiece
#include <cstring>

#include "enm/base/bytes.h"
#include "enm/text/json_parts.h"
#include "enm/text/tokenizer.h"

namespace enm::text {
namespace {

// The fields of a protobuf message, one after the other.
class Fields {
 public:
  explicit Fields(std::string_view message) : rest_(message) {}

  uint32_t number = 0;
  uint64_t value = 0;      // of a number; bits of a float
  std::string_view bytes;  // of a string or message

  /// False at the end and where the bytes are no message.
  bool next() {
    uint64_t tag;
    if (rest_.empty() || !varint(tag)) return false;
    number = static_cast<uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0:
        return varint(value);
      case 1:
        return fixed(8);
      case 2: {
        uint64_t size;
        if (!varint(size) || size > rest_.size()) return fail();
        bytes = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return true;
      }
      case 5:
        return fixed(4);
      default:
        return fail();
    }
  }
  bool failed() const { return failed_; }
  float as_float() const {
    const auto bits = static_cast<uint32_t>(value);
    float out;
    std::memcpy(&out, &bits, 4);
    return out;
  }

 private:
  bool fail() {
    failed_ = true;
    return false;
  }
  bool varint(uint64_t& out) {
    out = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      out |= uint64_t{byte & 127u} << shift;
      if (byte < 128) return true;
    }
    return fail();
  }
  bool fixed(size_t size) {
    if (rest_.size() < size) return fail();
    value = 0;
    std::memcpy(&value, rest_.data(), size);
    rest_.remove_prefix(size);
    return true;
  }

  std::string_view rest_;
  bool failed_ = false;
};

enum class PieceType : uint64_t { kNormal = 1, kUnknown, kControl, kUserDefined, kUnused, kByte };

struct Settings {
  uint64_t model_type = 1;  // 1 Unigram, 2 BPE
  bool byte_fallback = false;
  bool dummy_prefix = true;
  bool extra_spaces = true;   // are removed
  bool escapes = true;        // spaces become U+2581
  bool space_behind = false;  // the dummy prefix is a suffix
  std::string_view charsmap;
  std::string unknown = "<unk>";
  int64_t unknown_id = -1;
  std::string added;  // JSON of the pieces that are cut out of a text
};

Status read_pieces(std::string_view model, TokenizerParts& parts, Settings& settings) {
  Fields fields(model);
  while (fields.next()) {
    if (fields.number == 1) {
      TokenizerParts::Token token;
      token.id = static_cast<int64_t>(parts.tokens.size());
      auto type = PieceType::kNormal;
      Fields piece(fields.bytes);
      while (piece.next()) {
        if (piece.number == 1) token.text = piece.bytes;
        if (piece.number == 2) token.score = static_cast<double>(piece.as_float());
        if (piece.number == 3) type = static_cast<PieceType>(piece.value);
      }
      if (piece.failed()) return Corrupt("piece ", token.id, " is no message");
      if (type == PieceType::kUnknown) {
        settings.unknown = token.text;
        settings.unknown_id = token.id;
      }
      if (type == PieceType::kControl || type == PieceType::kUserDefined ||
          type == PieceType::kUnknown) {
        if (!is_utf8(token.text)) return Corrupt("piece ", token.id, " is no UTF-8");
        settings.added +=
            cat(settings.added.empty() ? "" : ",", R"({"id":)", token.id, R"(,"content":)",
                json_quote(token.text), R"(,"normalized":false,"special":)",
                type != PieceType::kUserDefined, "}");
      }
      parts.tokens.push_back(token);
    } else if (fields.number == 2) {  // the trainer's
      Fields trainer(fields.bytes);
      while (trainer.next()) {
        if (trainer.number == 3) settings.model_type = trainer.value;
        if (trainer.number == 24) settings.space_behind = trainer.value != 0;
        if (trainer.number == 35) settings.byte_fallback = trainer.value != 0;
      }
    } else if (fields.number == 3) {  // the normalizer's
      Fields normalizer(fields.bytes);
      while (normalizer.next()) {
        if (normalizer.number == 2) settings.charsmap = normalizer.bytes;
        if (normalizer.number == 3) settings.dummy_prefix = normalizer.value != 0;
        if (normalizer.number == 4) settings.extra_spaces = normalizer.value != 0;
        if (normalizer.number == 5) settings.escapes = normalizer.value != 0;
      }
    }
  }
  return fields.failed() ? Corrupt("it is no message of protobuf") : Status();
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kLetters =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(c);
    for (count += 8; count >= 6; count -= 6) out.push_back(kLetters[bits >> (count - 6) & 63]);
  }
  if (count > 0) out.push_back(kLetters[bits << (6 - count) & 63]);
  return out;
}

// As a tokenizer.json: spaces are U+2581, one in front of the text; decoding takes it away.
std::string settings_json(const Settings& settings) {
  std::string normalizers;
  const auto add = [&](std::string_view normalizer) {
    normalizers += normalizers.empty() ? "" : ",";
    normalizers += normalizer;
  };
  if (!settings.charsmap.empty()) {
    add(cat(R"({"type":"Precompiled","precompiled_charsmap":")", base64(settings.charsmap),
            R"(","longest_match":true})"));
  }
  if (settings.extra_spaces) {  // only spaces in front; behind, what they are written as goes too
    add(R"({"type":"Replace","pattern":{"Regex":"\\A +|[ ▁]+\\z"},"content":""})");
    add(R"({"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "})");
  }
  if (settings.dummy_prefix) add(R"({"type":"Prepend","prepend":" "})");
  add(R"({"type":"Replace","pattern":{"String":" "},"content":"▁"})");
  const std::string model =
      settings.model_type == 2
          ? cat(R"({"type":"BPE","fuse_unk":true,"unk_token":)", json_quote(settings.unknown))
          : cat(R"({"type":"Unigram","unk_id":)", settings.unknown_id);
  return cat(R"({"normalizer":{"type":"Sequence","normalizers":[)", normalizers,
             R"(]},"decoder":{"type":"Sequence","decoders":[{"type":"Replace","pattern":)",
             R"({"String":"▁"},"content":" "},{"type":"ByteFallback"},{"type":"Fuse"},)",
             R"({"type":"Strip","content":" ","start":)",
             settings.extra_spaces   ? 1'000'000
             : settings.dummy_prefix ? 1
                                     : 0,
             R"(,"stop":0}]},"added_tokens":[)", settings.added, R"(],"model":)", model,
             R"(,"byte_fallback":)", settings.byte_fallback, "}}");
}

}  // namespace

Result<Tokenizer> Tokenizer::parse_sentencepiece(std::string_view model) {
  const auto read = [&]() -> Result<Tokenizer> {
    TokenizerParts parts;
    Settings settings;
    ENM_RETURN_IF_ERROR(read_pieces(model, parts, settings));
    if (settings.model_type != 1 && settings.model_type != 2) {
      return Unsupported("model type ", settings.model_type, "; Unigram and BPE are supported");
    }
    if (settings.space_behind || !settings.escapes) {
      return Unsupported("spaces that are suffixes or stay spaces");
    }
    if (parts.tokens.empty()) return Corrupt("it has no pieces");
    parts.merges_by_score = settings.model_type == 2;
    parts.single_precision = true;
    ENM_ASSIGN_OR_RETURN(parts.settings, Json::parse(settings_json(settings)));
    return make(parts);
  };
  auto tokenizer = read();
  if (!tokenizer.ok()) return tokenizer.status().in("[text] SentencePiece model");
  return tokenizer;
}

}  // namespace enm::text
