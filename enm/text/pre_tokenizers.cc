#include "enm/text/pre_tokenizers.h"

#include "enm/text/byte_alphabet.h"
#include "enm/text/model.h"

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
  ENM_ASSIGN_OR_RETURN(const std::string type, json.get_string("type"));
  if (type != "Sequence") {
    if (steps_.size() >= kMostSteps)
      return Unsupported("more than ", kMostSteps, " pre_tokenizers");
    return read_step(json, type);
  }
  ENM_RETURN_IF_ERROR(expect_only(json, "pre_tokenizer", {"type", "pretokenizers"}));
  ENM_ASSIGN_OR_RETURN(const Json* each, json.get("pretokenizers"));
  if (depth == kDeepest) return Unsupported("pre_tokenizer: sequences nested that deep");
  for (const Json& one : each->items()) ENM_RETURN_IF_ERROR(read(one, depth + 1));
  return {};
}

void PreTokenizers::add_characters(Is is, Behavior behavior) {
  Step step;
  step.kind = Kind::kCharacters;
  step.is = is;
  step.behavior = behavior;
  steps_.push_back(std::move(step));
}

Status PreTokenizers::read_step(const Json& json, std::string_view type) {
  const std::string where = cat("pre_tokenizer ", type);
  if (type == "ByteLevel") return read_byte_level(json);
  if (type == "Metaspace") return read_metaspace(json);
  if (type == "Split") return read_split(json);
  if (type == "Whitespace") {
    Step step;
    // ZERO WIDTH JOINER and NON-JOINER are of words here.
    ENM_ASSIGN_OR_RETURN(step.pattern,
                         Pattern::of_regex(R"([\w\u200c\u200d]+|[^\w\u200c\u200d\s]+)"));
    step.invert = true;
    step.behavior = Behavior::kRemoved;
    steps_.push_back(std::move(step));
    return expect_only(json, where, {"type"});
  }
  if (type == "WhitespaceSplit" || type == "BertPreTokenizer") {
    add_characters(is_white, Behavior::kRemoved);
    if (type[0] == 'B') add_characters(is_old_punctuation, Behavior::kIsolated);
    return expect_only(json, where, {"type"});
  }
  if (type == "Punctuation") {
    ENM_ASSIGN_OR_RETURN(const Behavior behavior, read_behavior(json, "Isolated"));
    add_characters(is_old_punctuation, behavior);
    return expect_only(json, where, {"type", "behavior"});
  }
  if (type == "Digits") {
    ENM_ASSIGN_OR_RETURN(const bool alone, json.get_bool("individual_digits"));
    add_characters(is_number, alone ? Behavior::kIsolated : Behavior::kContiguous);
    return expect_only(json, where, {"type", "individual_digits"});
  }
  if (type == "CharDelimiterSplit") {
    ENM_ASSIGN_OR_RETURN(const std::string delimiter, json.get_string("delimiter"));
    if (count_code_points(delimiter) != 1) return Corrupt(where, ": delimiter is no character");
    add_characters(nullptr, Behavior::kRemoved);
    size_t at = 0;
    steps_.back().character = next_code_point(delimiter, at);
    return expect_only(json, where, {"type", "delimiter"});
  }
  Step step;
  if (type == "UnicodeScripts") {
    step.kind = Kind::kUnicodeScripts;
    steps_.push_back(std::move(step));
    return expect_only(json, where, {"type"});
  }
  if (type == "FixedLength") {
    ENM_ASSIGN_OR_RETURN(const int64_t length, json.get_int("length", 5));
    if (length < 1) return Corrupt(where, ": length is ", length);
    step.kind = Kind::kFixedLength;
    step.length = static_cast<size_t>(length);
    steps_.push_back(std::move(step));
    return expect_only(json, where, {"type", "length"});
  }
  return Unsupported("pre_tokenizer ", quoted(type), " is not supported");
}

Status PreTokenizers::read_byte_level(const Json& json) {
  ENM_RETURN_IF_ERROR(expect_only(json, "pre_tokenizer ByteLevel",
                                  {"type", "add_prefix_space", "trim_offsets", "use_regex"}));
  ENM_ASSIGN_OR_RETURN(const bool prefix, json.get_bool("add_prefix_space", true));
  ENM_ASSIGN_OR_RETURN(const bool regex, json.get_bool("use_regex", true));
  Step step;
  step.kind = Kind::kByteLevel;
  if (prefix) {
    step.prefix = " ";
    step.character = ' ';
    step.prepend = Prepend::kAlways;
    steps_.push_back(step);
  }
  if (regex) {
    Step split;
    ENM_ASSIGN_OR_RETURN(split.pattern, Pattern::of_regex(kGpt2));
    steps_.push_back(std::move(split));
  }
  step = {};
  step.kind = Kind::kByteLevel;
  step.letters = true;
  steps_.push_back(std::move(step));
  return {};
}

Status PreTokenizers::read_metaspace(const Json& json) {
  ENM_RETURN_IF_ERROR(expect_only(
      json, "pre_tokenizer Metaspace",
      {"type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"}));
  Step step;
  step.kind = Kind::kMetaspace;
  ENM_ASSIGN_OR_RETURN(step.prefix, json.get_string("replacement"));
  if (count_code_points(step.prefix) != 1) return Corrupt("Metaspace: replacement is no character");
  size_t at = 0;
  step.character = next_code_point(step.prefix, at);
  ENM_ASSIGN_OR_RETURN(const std::string scheme, json.get_string("prepend_scheme", "always"));
  ENM_ASSIGN_OR_RETURN(const bool prefix, json.get_bool("add_prefix_space", true));
  step.prepend = !prefix || scheme == "never" ? Prepend::kNever
                 : scheme == "first"          ? Prepend::kFirst
                                              : Prepend::kAlways;
  if (scheme != "never" && scheme != "first" && scheme != "always") {
    return Unsupported("Metaspace: prepend_scheme ", quoted(scheme));
  }
  if (step.prepend == Prepend::kFirst) {
    needs_place_ = true;
    for (const Step& earlier : steps_) {
      needs_origins_ =
          needs_origins_ || earlier.kind == Kind::kMetaspace || earlier.kind == Kind::kByteLevel;
    }
  }
  ENM_ASSIGN_OR_RETURN(const bool split, json.get_bool("split", true));
  steps_.push_back(step);
  if (split) {
    add_characters(nullptr, Behavior::kMergedWithNext);
    steps_.back().character = step.character;
  }
  return {};
}

Result<PreTokenizers::Behavior> PreTokenizers::read_behavior(const Json& json,
                                                             std::string_view fallback) {
  constexpr std::string_view kNames[] = {"Removed", "Isolated", "MergedWithPrevious",
                                         "MergedWithNext", "Contiguous"};
  ENM_ASSIGN_OR_RETURN(const std::string name, json.get_string("behavior", fallback));
  for (size_t i = 0; i < std::size(kNames); ++i) {
    if (kNames[i] == name) return static_cast<Behavior>(i);
  }
  return Unsupported("pre_tokenizer: behavior ", quoted(name), " is not supported");
}

Status PreTokenizers::read_split(const Json& json) {
  Step step;
  ENM_ASSIGN_OR_RETURN(step.pattern, Pattern::read(json));
  ENM_ASSIGN_OR_RETURN(step.behavior, read_behavior(json, ""));
  ENM_ASSIGN_OR_RETURN(step.invert, json.get_bool("invert", false));
  steps_.push_back(std::move(step));
  return expect_only(json, "pre_tokenizer Split", {"type", "pattern", "behavior", "invert"});
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
