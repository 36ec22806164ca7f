#include "enm/text/decoders.h"

#include <algorithm>
#include <utility>

#include "enm/text/byte_alphabet.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

constexpr int kDeepest = 8;  // sequences in one another
constexpr size_t kMostSteps = 50;

// Bytes at the end that may become a character with more bytes behind them.
size_t incomplete_tail(std::string_view text) {
  for (size_t back = 1; back <= 3 && back <= text.size(); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if (byte < 0x80) return 0;
    if (byte < 0xc0) continue;
    const size_t length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return length > back ? back : 0;
  }
  return 0;
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t begin = 0;
  for (size_t at = text.find(from); !from.empty() && at != std::string_view::npos;
       at = text.find(from, begin)) {
    out.append(text, begin, at - begin);
    out += to;
    begin = at + from.size();
  }
  out.append(text.substr(begin));
  return out;
}

std::string replaced(std::string_view text, const Pattern& pattern, std::string_view to) {
  std::string out;
  size_t end = 0;
  pattern.find_all(text, [&](Regex::Match match) {
    out += text.substr(end, match.begin - end);
    out += to;
    end = match.end;
  });
  out += text.substr(end);
  return out;
}

// Without up to so many of a character at both ends.
std::string_view stripped(std::string_view text, std::string_view character, size_t start,
                          size_t stop) {
  for (; start > 0 && !character.empty() && text.starts_with(character); --start) {
    text.remove_prefix(character.size());
  }
  for (; stop > 0 && !character.empty() && text.ends_with(character); --stop) {
    text.remove_suffix(character.size());
  }
  return text;
}

// The spaces that decoding puts before punctuation and contractions.
std::string cleaned_up(std::string text) {
  constexpr std::pair<std::string_view, std::string_view> kRules[] = {
      {" .", "."},   {" ?", "?"},     {" !", "!"},    {" ,", ","},
      {" ' ", "'"},  {" n't", "n't"}, {" 'm", "'m"},  {" do not", " don't"},
      {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
  for (const auto& [from, to] : kRules) {
    if (text.find(from) != std::string_view::npos) text = replaced(text, from, to);
  }
  return text;
}

// The bytes that the letters stand for; a token with another letter stands for itself.
std::string bytes_of(std::string_view token) {
  std::string out;
  for (size_t at = 0; at < token.size();) {
    const int32_t byte = byte_of_letter(next_code_point(token, at));
    if (byte < 0) return std::string(token);
    out.push_back(static_cast<char>(byte));
  }
  return out;
}

// <0x0A> and its like.
int32_t byte_token(std::string_view token) {
  if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return -1;
  int32_t value = 0;
  for (char c : token.substr(3, 2)) {
    const auto lower = static_cast<char>(c | 32);
    if (c >= '0' && c <= '9') {
      value = value * 16 + c - '0';
    } else if (lower >= 'a' && lower <= 'f') {
      value = value * 16 + lower - 'a' + 10;
    } else {
      return -1;
    }
  }
  return value;
}

}  // namespace

Status Decoders::read(const Json& json) {
  if (!json.is_null()) return read(json, 0);
  steps_.emplace_back();
  return {};
}

Status Decoders::read(const Json& json, int depth) {
  Section in(json, "decoder");
  const std::string_view type = in.text("type");
  if (type != "Sequence") {
    if (steps_.size() == kMostSteps) return Unsupported("more than ", kMostSteps, " decoders");
    read_step(in, json, type);
    return in.finish();
  }
  if (depth == kDeepest) return Unsupported("decoder: sequences nested that deep");
  for (const Json& one : in.child("decoders").items()) in.fail(read(one, depth + 1));
  return in.finish();
}

void Decoders::read_step(Section& in, const Json& json, std::string_view type) {
  Step& step = steps_.emplace_back();
  if (type == "ByteLevel") {
    step.kind = Kind::kByteLevel;
    for (const char* key : {"add_prefix_space", "trim_offsets", "use_regex"}) in.child(key);
  } else if (type == "Fuse" || type == "ByteFallback") {
    step.kind = type == "Fuse" ? Kind::kFuse : Kind::kByteFallback;
  } else if (type == "WordPiece") {
    step.kind = Kind::kWordPiece;
    step.content = in.text("prefix", "##");
    step.clean_up = in.flag("cleanup", true);
  } else if (type == "Metaspace") {
    step.kind = Kind::kMetaspace;
    for (const char* key : {"split", "str_rep"}) in.child(key);
    step.content = in.text("replacement");
    const bool adds_space = in.flag("add_prefix_space", true);
    const auto scheme = in.text("prepend_scheme", "always");
    step.drops_first = adds_space && scheme != "never";
  } else if (type == "BPEDecoder") {
    step.kind = Kind::kBpe;
    step.content = in.text("suffix", "</w>");
  } else if (type == "Strip") {
    step.kind = Kind::kStrip;
    step.content = in.text("content");
    step.start = static_cast<size_t>(std::max<int64_t>(in.integer("start", 0), 0));
    step.stop = static_cast<size_t>(std::max<int64_t>(in.integer("stop", 0), 0));
  } else if (type == "Replace") {
    step.kind = Kind::kReplace;
    step.content = in.text("content");
    in.child("pattern");
    auto pattern = Pattern::read(json);
    if (!pattern.ok()) return in.fail(pattern.status());
    step.pattern = *std::move(pattern);
  } else if (type == "CTC") {
    step.kind = Kind::kCtc;
    step.content = in.text("pad_token", "<pad>");
    step.delimiter = in.text("word_delimiter_token", "|");
    step.clean_up = in.flag("cleanup", true);
  } else {
    in.fail(Unsupported(quoted(type), " is not supported"));
  }
}

Decoders::Stream::Stream(const Decoders& decoders, bool first)
    : decoders_(decoders), states_(decoders.steps_.size()), gives_bytes_(true) {
  if (first) return;
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i].tokens = 1;
    states_[i].open = true;
    states_[i].stripped = decoders.steps_[i].start;
  }
}

void Decoders::Stream::push(std::string_view token, std::string& out) {
  pass(0, token, true, true, out);
}

void Decoders::Stream::finish(std::string& out) {
  for (size_t i = 0; i < states_.size(); ++i) flush(i, out);
  for (State& state : states_) state = State();
}

// Gives a piece of a token to a step; beyond the last it is text.
void Decoders::Stream::pass(size_t index, std::string_view piece, bool begins, bool ends,
                            std::string& out) {
  if (index == states_.size()) {
    out += piece;
    return;
  }
  const Step& step = decoders_.steps_[index];
  State& state = states_[index];
  if (step.kind == Kind::kFuse) {
    pass(index + 1, piece, !state.open, false, out);
    state.open = true;
  } else if (step.kind == Kind::kStrip && step.stop == 0) {
    if (begins) state.stripped = 0;
    while (state.stripped < step.start && !piece.empty()) {
      const bool strips = !step.content.empty() && piece.starts_with(step.content);
      state.stripped = strips ? state.stripped + 1 : step.start;
      if (strips) piece.remove_prefix(step.content.size());
    }
    pass(index + 1, piece, begins, ends, out);
  } else if (begins && ends) {
    pass_whole(index, piece, out);
  } else {
    if (begins) state.held.clear();
    state.held += piece;
    if (ends) pass_whole(index, std::string(std::move(state.held)), out);
  }
}

void Decoders::Stream::pass_whole(size_t index, std::string_view token, std::string& out) {
  const Step& step = decoders_.steps_[index];
  State& state = states_[index];
  const bool first = state.tokens++ == 0;
  const auto give = [&](std::string_view text) { pass(index + 1, text, true, true, out); };
  switch (step.kind) {
    case Kind::kJoin:
      return give(first ? std::string(token) : cat(" ", token));
    case Kind::kByteLevel: {
      state.last += bytes_of(token);
      if (gives_bytes_) return pass(index + 1, std::exchange(state.last, {}), first, false, out);
      const size_t ready = state.last.size() - incomplete_tail(state.last);
      pass(index + 1, made_valid(std::string_view(state.last).substr(0, ready)), first, false, out);
      state.last.erase(0, ready);
      return;
    }
    case Kind::kWordPiece: {
      std::string text;
      if (!first && token.starts_with(step.content)) {
        text = token.substr(step.content.size());
      } else {
        text = first ? std::string(token) : cat(" ", token);
      }
      return give(step.clean_up ? cleaned_up(std::move(text)) : text);
    }
    case Kind::kMetaspace:
      return give(replaced(token, step.content, first && step.drops_first ? "" : " "));
    case Kind::kBpe:
      if (!first) give(replaced(state.last, step.content, " "));
      state.last = token;
      return;
    case Kind::kByteFallback:
      return pass_bytes(index, token, out);
    case Kind::kStrip:
      return give(stripped(token, step.content, step.start, step.stop));
    case Kind::kReplace:
      return give(replaced(token, *step.pattern, step.content));
    case Kind::kCtc: {
      if (!first && state.last == token) return;
      state.last = token;
      std::string text = replaced(token, step.content, "");
      if (step.clean_up) text = replaced(cleaned_up(std::move(text)), step.delimiter, " ");
      if (!text.empty()) give(text);
      return;
    }
    case Kind::kFuse:
      return;
  }
}

// A run of tokens of bytes is a token if it is UTF-8, else a U+FFFD for each.
void Decoders::Stream::pass_bytes(size_t index, std::string_view token, std::string& out) {
  if (const int32_t byte = byte_token(token); byte >= 0) {
    const char one = static_cast<char>(byte);
    if (gives_bytes_) return pass(index + 1, {&one, 1}, true, true, out);
    states_[index].last.push_back(one);
    return;
  }
  flush_bytes(index, out);
  pass(index + 1, token, true, true, out);
}

void Decoders::Stream::flush_bytes(size_t index, std::string& out) {
  const std::string bytes = std::move(states_[index].last);
  states_[index].last.clear();
  if (is_utf8(bytes)) {
    if (!bytes.empty()) pass(index + 1, bytes, true, true, out);
    return;
  }
  for (size_t i = 0; i < bytes.size(); ++i) pass(index + 1, "\ufffd", true, true, out);
}

// No more tokens come to this step: it gives what it held, and those behind it are next.
void Decoders::Stream::flush(size_t index, std::string& out) {
  const Step& step = decoders_.steps_[index];
  State& state = states_[index];
  switch (step.kind) {
    case Kind::kFuse:
      return pass(index + 1, "", !state.open, true, out);
    case Kind::kByteLevel:
      return pass(index + 1, made_valid(state.last), state.tokens == 0, true, out);
    case Kind::kBpe:
      if (state.tokens > 0)
        pass(index + 1, replaced(state.last, step.content, ""), true, true, out);
      return;
    case Kind::kByteFallback:
      return flush_bytes(index, out);
    default:
      return;
  }
}

}  // namespace enm::text
