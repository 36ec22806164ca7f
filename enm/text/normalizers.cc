#include "enm/text/normalizers.h"

#include <algorithm>

#include "enm/text/byte_alphabet.h"
#include "enm/text/normal_forms.h"

namespace enm::text {
namespace {

constexpr int kDeepest = 8;  // sequences in one another
constexpr size_t kMostSteps = 100;

// The blocks of CJK Unified Ideographs, which BERT sets apart character by character.
bool is_chinese(uint32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) ||
         (c >= 0x20000 && c <= 0x2a6df) || (c >= 0x2a700 && c <= 0x2b73f) ||
         (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

void write_lower(uint32_t c, int32_t change, Rewriter& out) {
  if (c == 0x130) {  // the one letter of two small ones
    out.put('i', change);
    out.add(0x307);
  } else {
    out.put(simple_lower(c), change);
  }
}

// Control characters go and white space becomes ' ', Chinese characters get spaces around, accents
// go, letters become small.
class BertWriter {
 public:
  struct Flags {
    bool clean = true;
    bool chinese = true;
    bool accents = true;
    bool lowercase = true;
  };
  BertWriter(Flags flags, Rewriter& out) : flags_(flags), out_(out) {}

  void run(std::string_view text) {
    for (size_t at = 0; at < text.size();) {
      const uint32_t c = next_code_point(text, at);
      if (c >= 0x20 && c < 0x7f) {
        flush();
        finish(c, 0);
      } else {
        character(c);
      }
    }
    flush();
  }

 private:
  void character(uint32_t c) {
    if (flags_.clean) {
      const bool line_white = c == '\t' || c == '\n' || c == '\r';
      if (c == 0 || c == kReplacementCharacter || (is_old_other(c) && !line_white)) {
        flush();
        out_.drop();
        return;
      }
      if (is_white(c)) c = ' ';
    }
    if (!flags_.chinese || !is_chinese(c)) return decompose(c, 0);
    decompose(' ', 0);
    decompose(c, 1);
    decompose(' ', 1);
  }

  void decompose(uint32_t c, int32_t change) {
    if (!flags_.accents) return finish(c, change);
    decomposer_.push(c, change, [&](uint32_t part, int32_t each) { finish(part, each); });
  }
  void flush() {
    if (decomposer_.empty()) return;
    decomposer_.flush([&](uint32_t part, int32_t each) { finish(part, each); });
  }

  void finish(uint32_t c, int32_t change) {
    if (flags_.accents && c >= 0x80 && is_old_nonspacing_mark(c)) {
      if (change <= 0) out_.drop();
    } else if (flags_.lowercase) {
      write_lower(c, change, out_);
    } else {
      out_.put(c, change);
    }
  }

  const Flags flags_;
  Rewriter& out_;
  Decomposer decomposer_{false};
};

// As SentencePiece's nmt rules have it: control characters go, other white space becomes ' '.
void write_nmt(std::string_view text, Rewriter& out) {
  for (size_t at = 0; at < text.size();) {
    const uint32_t c = next_code_point(text, at);
    const bool goes = (c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f ||
                      c == 0x8f || c == 0x9f;
    const bool white = c == 9 || c == 10 || c == 12 || c == 13 || c == 0x1680 ||
                       (c >= 0x200b && c <= 0x200f) || c == 0x2028 || c == 0x2029 || c == 0x2581 ||
                       c == 0xfeff || c == kReplacementCharacter;
    goes ? out.drop() : out.replace(white ? ' ' : c);
  }
}

size_t white_end(std::string_view text) {
  size_t end = 0;  // of what is kept
  for (size_t at = 0; at < text.size();) {
    if (!is_white(next_code_point(text, at))) end = at;
  }
  return end;
}

void write_stripped(std::string_view text, bool left, bool right, Rewriter& out) {
  size_t begin = 0;
  while (left && begin < text.size()) {
    size_t next = begin;
    if (!is_white(next_code_point(text, next))) break;
    out.drop();
    begin = next;
  }
  const size_t end = right ? white_end(text) : text.size();
  if (end > begin) out.keep(end - begin);
}

void write_prepended(std::string_view text, std::string_view content, Rewriter& out) {
  size_t at = 0;
  const uint32_t first = next_code_point(text, at);
  for (size_t i = 0; i < content.size();) {
    const bool begins = i == 0;
    out.put(next_code_point(content, i), begins ? 0 : 1);
  }
  if (content.empty()) {
    out.replace(first);
  } else {
    out.add(first);
  }
  out.keep(text.size() - at);
}

void write_replaced(std::string_view text, const Pattern& pattern, std::string_view content,
                    Rewriter& out) {
  size_t end = 0;
  pattern.find_all(text, [&](Regex::Match match) {
    out.keep(match.begin - end);
    out.substitute(match.end - match.begin, content);
    end = match.end;
  });
  out.keep(text.size() - end);
}

}  // namespace

Status Normalizers::read(const Json& json) { return read(json, 0); }

Status Normalizers::read(const Json& json, int depth) {
  if (json.is_null()) return {};
  Section in(json, "normalizer");
  const std::string_view type = in.text("type");
  if (type == "Sequence") {
    if (depth == kDeepest) return Unsupported("normalizer: sequences nested that deep");
    for (const Json& one : in.child("normalizers").items()) in.fail(read(one, depth + 1));
    return in.finish();
  }
  if (steps_.size() == kMostSteps) return Unsupported("more than ", kMostSteps, " normalizers");
  Step step{};
  constexpr std::pair<std::string_view, Kind> kKinds[] = {{"NFC", Kind::kForm},
                                                          {"NFD", Kind::kForm},
                                                          {"NFKC", Kind::kForm},
                                                          {"NFKD", Kind::kForm},
                                                          {"Lowercase", Kind::kLowercase},
                                                          {"Strip", Kind::kStrip},
                                                          {"StripAccents", Kind::kStripAccents},
                                                          {"Nmt", Kind::kNmt},
                                                          {"ByteLevel", Kind::kByteLevel},
                                                          {"Replace", Kind::kReplace},
                                                          {"BertNormalizer", Kind::kBert},
                                                          {"Prepend", Kind::kPrepend},
                                                          {"Precompiled", Kind::kPrecompiled}};
  const auto known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const auto& each) { return each.first == type; });
  if (known == std::end(kKinds)) {
    return in.ok() ? Unsupported("normalizer ", quoted(type), " is not supported") : in.finish();
  }
  step.kind = known->second;
  if (step.kind == Kind::kForm) {
    step.compatible = type[2] == 'K';
    step.composed = type.back() == 'C';
  }
  read_settings(in, json, step);
  steps_.push_back(std::move(step));
  return in.finish();
}

void Normalizers::read_settings(Section& in, const Json& json, Step& step) {
  switch (step.kind) {
    case Kind::kBert:
      step.clean = in.flag("clean_text", true);
      step.chinese = in.flag("handle_chinese_chars", true);
      step.lowercase = in.flag("lowercase", true);
      step.accents = in.flag("strip_accents", step.lowercase);
      return;
    case Kind::kStrip:
      step.left = in.flag("strip_left");
      step.right = in.flag("strip_right");
      return;
    case Kind::kReplace: {
      step.content = in.text("content");
      in.child("pattern");
      auto pattern = Pattern::read(json);
      if (!pattern.ok()) return in.fail(pattern.status());
      step.pattern = *std::move(pattern);
      return;
    }
    case Kind::kPrepend:
      step.content = in.text("prepend");
      return;
    case Kind::kPrecompiled: {
      auto map = Precompiled::parse_base64(in.text("precompiled_charsmap"));
      step.longest = in.flag("longest_match", false);
      if (!map.ok()) return in.fail(map.status());
      step.map = std::make_shared<const Precompiled>(*std::move(map));
      return;
    }
    default:
      return;
  }
}

// Whether a step may change a text at all; what is cheap to see.
bool Normalizers::changes(const Step& step, std::string_view text) {
  switch (step.kind) {
    case Kind::kForm:
      return !is_surely_normal(text, step.compatible, step.composed);
    case Kind::kStripAccents:
      return !is_surely_normal(text, true, false);
    case Kind::kReplace:
      return !step.pattern->is_string() ||
             text.find(step.pattern->string()) != std::string_view::npos;
    default:
      return true;
  }
}

void Normalizers::apply(const Step& step, std::string_view text, Rewriter& out) {
  switch (step.kind) {
    case Kind::kForm:
      return write_normal_form(text, step.compatible, step.composed, out);
    case Kind::kLowercase:
      for (size_t at = 0; at < text.size();) write_lower(next_code_point(text, at), 0, out);
      return;
    case Kind::kStrip:
      return write_stripped(text, step.left, step.right, out);
    case Kind::kStripAccents:
      for (size_t at = 0; at < text.size();) {
        const uint32_t c = next_code_point(text, at);
        is_mark(c) ? out.drop() : out.replace(c);
      }
      return;
    case Kind::kBert:
      return BertWriter({step.clean, step.chinese, step.accents, step.lowercase}, out).run(text);
    case Kind::kReplace:
      return write_replaced(text, *step.pattern, step.content, out);
    case Kind::kPrepend:
      return write_prepended(text, step.content, out);
    case Kind::kNmt:
      return write_nmt(text, out);
    case Kind::kPrecompiled:
      return step.longest ? step.map->write_longest(text, out) : step.map->write(text, out);
    case Kind::kByteLevel:
      return write_byte_level(text, out);
  }
}

TracedView Normalizers::run(TracedView text, uint32_t origin, Room& room) const {
  size_t next = 0;
  for (const Step& step : steps_) {
    if (text.bytes.empty()) break;
    if (!changes(step, text.bytes)) continue;
    TracedText& to = room.texts[next];
    to.clear();
    Rewriter out(text, origin, to);
    apply(step, text.bytes, out);
    text = TracedView(to);
    next = 1 - next;
  }
  return text;
}

std::string Normalizers::run(std::string_view text) const {
  Room room;
  return std::string(run(TracedView(text, {}), 0, room).bytes);
}

}  // namespace enm::text
