#include "enm/text/pre_tokenizers.h"

#include "enm/text/byte_alphabet.h"

namespace enm::text {
namespace {

constexpr int kDeepest = 8;  // sequences in one another
constexpr size_t kMostSteps = 100;

constexpr std::string_view kGpt2 =
    R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";

// Scripts as SentencePiece's trainer tells them apart: none for ' ', Japanese is Chinese, four
// characters as Unicode 9 had them.
uint32_t joined_script(uint32_t c) {
  static const uint32_t han = script_of_name("Han");
  static const uint32_t hiragana = script_of_name("Hiragana");
  static const uint32_t katakana = script_of_name("Katakana");
  if (c == ' ') return 0;
  if (c == 0x30fc) return han;
  const uint32_t number = script(c == 0x953 || c == 0x954   ? 0x950
                                 : c == 0x589 || c == 0x61c ? '0'
                                                            : c);
  return number == hiragana || number == katakana ? han : number;
}

}  // namespace

// Takes a word's matches and what is between them, in order, and cuts the word as the behaviour
// says.
class PreTokenizers::Cutter {
 public:
  Cutter(Behavior behavior, bool invert, TracedView text, uint32_t origin, uint32_t base,
         std::vector<Piece>& out)
      : behavior_(behavior),
        invert_(invert),
        text_(text),
        origin_(origin),
        base_(base),
        out_(out) {}

  void match(size_t begin, size_t end) {
    if (begin > at_) add(at_, begin, false);
    add(begin, end, true);
    at_ = end;
  }
  void finish() {
    if (at_ < text_.bytes.size()) add(at_, text_.bytes.size(), false);
    if (waiting_) emit(last_begin_, last_end_);
  }
  /// A piece whatever the behaviour.
  void emit(size_t begin, size_t end) {
    if (begin == end) return;
    const uint32_t origin =
        text_.origins.empty() ? origin_ + static_cast<uint32_t>(begin) : text_.origins[begin].begin;
    out_.push_back(
        {base_ + static_cast<uint32_t>(begin), base_ + static_cast<uint32_t>(end), origin});
  }

 private:
  void add(size_t begin, size_t end, bool matches) {
    matches = matches != invert_;
    const bool before = before_;
    before_ = matches;
    switch (behavior_) {
      case Behavior::kRemoved:
        if (!matches) emit(begin, end);
        return;
      case Behavior::kIsolated:
        emit(begin, end);
        return;
      case Behavior::kContiguous:
        return waiting_ && matches == before ? extend(end) : hold(begin, end);
      case Behavior::kMergedWithPrevious:
        return waiting_ && matches && !before ? extend(end) : hold(begin, end);
      case Behavior::kMergedWithNext:
        return waiting_ && !matches && before ? extend(end) : hold(begin, end);
    }
  }
  void extend(size_t end) { last_end_ = end; }
  void hold(size_t begin, size_t end) {
    if (waiting_) emit(last_begin_, last_end_);
    waiting_ = true;
    last_begin_ = begin;
    last_end_ = end;
  }

  const Behavior behavior_;
  const bool invert_;
  const TracedView text_;
  const uint32_t origin_;
  const uint32_t base_;
  std::vector<Piece>& out_;
  size_t at_ = 0;
  bool before_ = false;  // whether what came last matches
  bool waiting_ = false;
  size_t last_begin_ = 0;
  size_t last_end_ = 0;
};

Status PreTokenizers::read(const Json& json) { return read(json, 0); }

Status PreTokenizers::read(const Json& json, int depth) {
  if (json.is_null()) return {};
  Section in(json, "pre_tokenizer");
  const std::string_view type = in.text("type");
  if (type != "Sequence") {
    if (steps_.size() >= kMostSteps)
      return Unsupported("more than ", kMostSteps, " pre_tokenizers");
    read_step(in, json, type);
    return in.finish();
  }
  if (depth == kDeepest) return Unsupported("pre_tokenizer: sequences nested that deep");
  for (const Json& one : in.child("pretokenizers").items()) in.fail(read(one, depth + 1));
  return in.finish();
}

void PreTokenizers::add_characters(Is is, Behavior behavior) {
  Step& step = steps_.emplace_back();
  step.kind = Kind::kCharacters;
  step.is = is;
  step.behavior = behavior;
}

void PreTokenizers::add_split(Section& in, Result<Pattern> pattern, Behavior behavior,
                              bool invert) {
  if (!pattern.ok()) return in.fail(pattern.status());
  Step& step = steps_.emplace_back();
  step.pattern = *std::move(pattern);
  step.behavior = behavior;
  step.invert = invert;
}

void PreTokenizers::read_step(Section& in, const Json& json, std::string_view type) {
  if (type == "ByteLevel") {
    read_byte_level(in);
  } else if (type == "Metaspace") {
    read_metaspace(in);
  } else if (type == "Split") {
    in.child("pattern");
    const Behavior behavior = read_behavior(in, "");
    add_split(in, Pattern::read(json), behavior, in.flag("invert", false));
  } else if (type == "Whitespace") {
    // ZERO WIDTH JOINER and NON-JOINER are of words here.
    add_split(in, Pattern::of_regex(R"([\w\u200c\u200d]+|[^\w\u200c\u200d\s]+)"),
              Behavior::kRemoved, true);
  } else if (type == "WhitespaceSplit" || type == "BertPreTokenizer") {
    add_characters(is_white, Behavior::kRemoved);
    if (type[0] == 'B') add_characters(is_old_punctuation, Behavior::kIsolated);
  } else if (type == "Punctuation") {
    add_characters(is_old_punctuation, read_behavior(in, "Isolated"));
  } else if (type == "Digits") {
    const bool alone = in.flag("individual_digits");
    add_characters(is_number, alone ? Behavior::kIsolated : Behavior::kContiguous);
  } else if (type == "CharDelimiterSplit") {
    add_characters(nullptr, Behavior::kRemoved);
    steps_.back().character = read_character(in, in.text("delimiter"));
  } else if (type == "UnicodeScripts" || type == "FixedLength") {
    Step& step = steps_.emplace_back();
    step.kind = type[0] == 'U' ? Kind::kUnicodeScripts : Kind::kFixedLength;
    if (step.kind == Kind::kUnicodeScripts) return;
    const int64_t length = in.integer("length", 5);
    step.length = static_cast<size_t>(std::max<int64_t>(length, 1));
    if (length < 1) in.fail(Corrupt("length is ", length));
  } else {
    in.fail(Unsupported(quoted(type), " is not supported"));
  }
}

uint32_t PreTokenizers::read_character(Section& in, std::string_view text) {
  size_t at = 0;
  const uint32_t c = text.empty() ? 0 : next_code_point(text, at);
  if (at == 0 || at < text.size()) in.fail(Corrupt(quoted(text), " is no character"));
  return c;
}

void PreTokenizers::read_byte_level(Section& in) {
  in.child("trim_offsets");
  if (in.flag("add_prefix_space", true)) {
    Step& step = steps_.emplace_back();
    step.kind = Kind::kByteLevel;
    step.prefix.assign(1, ' ');
    step.character = ' ';
    step.prepend = Prepend::kAlways;
  }
  if (in.flag("use_regex", true)) {
    add_split(in, Pattern::of_regex(kGpt2), Behavior::kIsolated, false);
  }
  Step& step = steps_.emplace_back();
  step.kind = Kind::kByteLevel;
  step.letters = true;
}

void PreTokenizers::read_metaspace(Section& in) {
  in.child("str_rep");
  const std::string_view replacement = in.text("replacement");
  const uint32_t character = read_character(in, replacement);
  const std::string_view scheme = in.text("prepend_scheme", "always");
  const bool prefix = in.flag("add_prefix_space", true);
  const Prepend prepend = !prefix || scheme == "never" ? Prepend::kNever
                          : scheme == "first"          ? Prepend::kFirst
                                                       : Prepend::kAlways;
  if (scheme != "never" && scheme != "first" && scheme != "always") {
    in.fail(Unsupported("prepend_scheme ", quoted(scheme)));
  }
  if (prepend == Prepend::kFirst) {
    needs_place_ = true;
    for (const Step& earlier : steps_) {
      needs_origins_ =
          needs_origins_ || earlier.kind == Kind::kMetaspace || earlier.kind == Kind::kByteLevel;
    }
  }
  Step& step = steps_.emplace_back();
  step.kind = Kind::kMetaspace;
  step.prefix = replacement;
  step.character = character;
  step.prepend = prepend;
  if (in.flag("split", true)) {
    add_characters(nullptr, Behavior::kMergedWithNext);
    steps_.back().character = character;
  }
}

PreTokenizers::Behavior PreTokenizers::read_behavior(Section& in, std::string_view fallback) {
  constexpr std::string_view kNames[] = {"Removed", "Isolated", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous"};
  const std::string_view name = in.text("behavior", fallback);
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Behavior>(i);
  }
  in.fail(Unsupported("behavior ", quoted(name), " is not supported"));
  return Behavior::kIsolated;
}

bool PreTokenizers::leave_bytes() {
  if (steps_.empty() || !steps_.back().letters) return false;
  steps_.pop_back();
  return true;
}

void PreTokenizers::cut(const Step& step, std::string_view text, Cutter& out) {
  switch (step.kind) {
    case Kind::kSplit:
      step.pattern->find_all(text, [&](Regex::Match match) { out.match(match.begin, match.end); });
      return out.finish();
    case Kind::kCharacters:
      for (size_t at = 0; at < text.size();) {
        const size_t begin = at;
        const uint32_t c = next_code_point(text, at);
        if (step.is != nullptr ? step.is(c) : c == step.character) out.match(begin, at);
      }
      return out.finish();
    case Kind::kUnicodeScripts: {
      size_t cut = text.size();  // characters of no script in front are left out
      uint32_t last = 0;
      for (size_t at = 0; at < text.size();) {
        const size_t begin = at;
        const uint32_t number = joined_script(next_code_point(text, at));
        if (number == 0 || number == last) continue;
        if (last != 0) out.emit(cut, begin);
        cut = begin;
        last = number;
      }
      return out.emit(cut, text.size());
    }
    case Kind::kFixedLength:
      for (size_t begin = 0, at = 0; begin < text.size(); begin = at) {
        for (size_t i = 0; i < step.length && at < text.size(); ++i) at += utf8_length(text[at]);
        out.emit(begin, at);
      }
      return;
    default:
      return;
  }
}

// Spaces become Metaspace's character, bytes letters, and something may be put in front of a word.
PreTokenizers::Words PreTokenizers::rewrite(const Step& step, Words words, TracedText& text,
                                            std::vector<Piece>& pieces) {
  text.clear();
  pieces.clear();
  for (const Piece& piece : words.pieces) {
    const TracedView view = words.text.substr(piece.begin, piece.end);
    Rewriter out(view, piece.origin, text);
    const auto begin = static_cast<uint32_t>(text.bytes.size());
    if (step.letters) {
      write_byte_level(view.bytes, out);
    } else {
      size_t at = 0;
      uint32_t first = next_code_point(view.bytes, at);
      if (first == ' ') first = step.character;
      const bool wanted = step.prepend == Prepend::kAlways ||
                          (step.prepend == Prepend::kFirst && piece.origin == 0);
      if (wanted && first != step.character) {
        out.replace(step.character);
        out.add(first);
      } else {
        out.replace(first);
      }
      while (at < view.bytes.size()) {
        const size_t space = std::min(view.bytes.find(' ', at), view.bytes.size());
        out.keep(space - at);
        if (space < view.bytes.size())
          out.substitute(1, step.kind == Kind::kMetaspace ? step.prefix : " ");
        at = space + 1;
      }
    }
    pieces.push_back({begin, static_cast<uint32_t>(text.bytes.size()), piece.origin});
  }
  return {TracedView(text), pieces};
}

PreTokenizers::Words PreTokenizers::run(TracedView text, uint32_t origin, Room& room) const {
  room.pieces[0] = {{0, static_cast<uint32_t>(text.bytes.size()), origin}};
  if (text.bytes.empty()) room.pieces[0].clear();
  Words words{text, room.pieces[0]};
  size_t next = 1;
  size_t next_text = 0;
  for (const Step& step : steps_) {
    auto& pieces = room.pieces[next];
    if (step.kind == Kind::kMetaspace || step.kind == Kind::kByteLevel) {
      words = rewrite(step, words, room.texts[next_text], pieces);
      next_text = 1 - next_text;
    } else {
      pieces.clear();
      for (const Piece& piece : words.pieces) {
        const TracedView view = words.text.substr(piece.begin, piece.end);
        Cutter cutter(step.behavior, step.invert, view, piece.origin, piece.begin, pieces);
        cut(step, view.bytes, cutter);
      }
      words.pieces = pieces;
    }
    next = 1 - next;
  }
  return words;
}

}  // namespace enm::text
