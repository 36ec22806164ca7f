#include "enm/text/tokenizer.h"

#include <algorithm>

#include "enm/base/bytes.h"
#include "enm/text/tokenizer_impl.h"
#include "enm/text/unicode.h"

namespace enm::text {
namespace {

// Bytes to code points, for offsets as Hugging Face's converter gives them.
class CodePointCounter {
 public:
  explicit CodePointCounter(std::string_view text) : counts_(text.size() + 1) {
    uint32_t count = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      count += i > 0 && (text[i] & 0xc0) != 0x80;
      counts_[i] = count;
    }
    counts_[text.size()] = text.empty() ? 0 : count + 1;
  }
  Encoding::Offset convert(Origin origin) const {
    if (origin.begin + 1 >= counts_.size() || origin.end >= counts_.size()) {
      return {origin.begin, origin.end};
    }
    return {counts_[origin.begin], counts_[origin.end]};
  }

 private:
  std::vector<uint32_t> counts_;
};

// One text through the tokenizer's steps.
class Run {
 public:
  Run(const Tokenizer::Impl& impl, bool traced) : impl_(impl), traced_(traced) {
    tokens_.has_spans = traced;
  }

  void text(std::string_view text) {
    std::vector<Origin> origins;
    if (traced_ || impl_.needs_origins) {
      origins.resize(text.size());
      for (uint32_t at = 0; at < text.size();) {
        const auto end = static_cast<uint32_t>(std::min(at + utf8_length(text[at]), text.size()));
        for (const uint32_t begin = at; at < end; ++at) origins[at] = {begin, end};
      }
    }
    const TracedView whole(text, origins);
    impl_.added.split(text, false, [&](size_t begin, size_t end, int32_t index) {
      const TracedView part = whole.substr(begin, end);
      if (index >= 0) return added(part, index);
      section(part, static_cast<uint32_t>(begin));
    });
  }

  std::vector<int32_t> take_ids() { return std::move(tokens_.ids); }
  std::vector<int32_t>& ids() { return tokens_.ids; }
  std::vector<Origin>& origins() { return origins_; }
  const std::vector<TokenList::Span>& spaces() const { return spaces_; }

 private:
  // Between tokens that are cut out of the text as given.
  void section(TracedView text, uint32_t origin) {
    const TracedView normal = impl_.normalizers.run(text, origin, normal_room_);
    impl_.added.split(normal.bytes, true, [&](size_t begin, size_t end, int32_t index) {
      const TracedView part = normal.substr(begin, end);
      if (index >= 0) return added(part, index);
      words(part,
            part.origins.empty() ? origin + static_cast<uint32_t>(begin) : part.origins[0].begin);
    });
  }

  void added(TracedView text, int32_t index) {
    tokens_.ids.push_back(impl_.added.vocabulary().id(static_cast<size_t>(index)));
    if (!traced_) return;
    tokens_.spans.clear();
    origins_.push_back({text.origins.front().begin, text.origins.back().end});
    if (impl_.trims()) spaces_.push_back(count_spaces(text.bytes));
  }

  void words(TracedView text, uint32_t origin) {
    const PreTokenizers::Words words = impl_.pre_tokenizers.run(text, origin, words_room_);
    const Model& model = *impl_.model;
    for (const Piece& piece : words.pieces) {
      const std::string_view word = words.text.bytes.substr(piece.begin, piece.end - piece.begin);
      if (!traced_) {
        model.encode(word, 0, scratch_, tokens_);
        continue;
      }
      const size_t first = tokens_.ids.size();
      tokens_.spans.clear();
      model.encode(word, 0, scratch_, tokens_);
      trace(words.text.substr(piece.begin, piece.end), piece.origin, first);
    }
  }

  // Where the word's tokens, those from `first` on, come from.
  void trace(TracedView word, uint32_t origin, size_t first) {
    for (const auto& [begin, end] : tokens_.spans) {
      if (begin == end) {
        origins_.push_back({origin + begin, origin + end});
      } else if (end > word.origins.size()) {
        origins_.push_back({begin, end});
      } else {
        origins_.push_back({word.origins[begin].begin, word.origins[end - 1].end});
      }
    }
    for (size_t i = first; impl_.trims() && i < tokens_.ids.size(); ++i) {
      spaces_.push_back(count_spaces(impl_.token(tokens_.ids[i])));
    }
  }

  // Spaces at both ends of a token, as letters of bytes or as they are.
  static TokenList::Span count_spaces(std::string_view token) {
    TokenList::Span out{0, 0};
    bool inside = false;
    for (size_t at = 0; at < token.size();) {
      const uint32_t c = next_code_point(token, at);
      const bool space = c == 0x120 || is_white(c);
      inside = inside || !space;
      if (!inside) ++out.begin;
      out.end = space ? out.end + 1 : 0;
    }
    return out;
  }

  const Tokenizer::Impl& impl_;
  const bool traced_;
  TokenList tokens_;
  std::vector<Origin> origins_;          // of each token
  std::vector<TokenList::Span> spaces_;  // of each token, where offsets are trimmed
  Normalizers::Room normal_room_;
  PreTokenizers::Room words_room_;
  ModelScratch scratch_;
};

void trim(Encoding& text, const std::vector<TokenList::Span>& spaces, bool prefix) {
  for (size_t i = 0; i < text.ids.size(); ++i) {
    auto [leading, trailing] = spaces[i];
    Encoding::Offset& offset = text.offsets[i];
    if (leading > 0) {
      // The one space in front may be none of the text's.
      if ((i == 0 || offset.begin == 0) && prefix && leading == 1) leading = 0;
      offset.begin = std::min(offset.begin + leading, offset.end);
    }
    if (trailing > 0 && offset.end >= trailing) {
      offset.end = std::max(offset.end - trailing, offset.begin);
    }
  }
}

template <typename T>
void keep_part(std::vector<T>& list, size_t size, bool left) {
  const auto gone = static_cast<std::ptrdiff_t>(list.size() - size);
  left ? list.erase(list.begin(), list.begin() + gone) : list.erase(list.end() - gone, list.end());
}

void cut_down(Encoding& text, int64_t size, bool left) {
  const auto kept = static_cast<size_t>(std::max<int64_t>(size, 0));
  if (kept >= text.ids.size()) return;
  keep_part(text.ids, kept, left);
  keep_part(text.offsets, kept, left);
}

}  // namespace

Encoding Tokenizer::Impl::encode_one(std::string_view text) const {
  const std::string valid = is_utf8(text) ? std::string() : made_valid(text);
  if (!valid.empty()) text = valid;
  Run run(*this, true);
  run.text(text);
  Encoding out;
  out.offsets.reserve(run.ids().size());
  const CodePointCounter counter(text);
  for (const Origin& origin : run.origins()) out.offsets.push_back(counter.convert(origin));
  out.ids = run.take_ids();
  for (const bool prefix : post_processors.trims()) trim(out, run.spaces(), prefix);
  return out;
}

Status Tokenizer::Impl::truncate(std::span<Encoding> texts, bool special_tokens) const {
  const bool pair = texts.size() == 2;
  int64_t most = truncation.max_length;
  if (special_tokens) most = std::max<int64_t>(most - post_processors.added(pair), 0);
  const auto first = static_cast<int64_t>(texts[0].ids.size());
  const int64_t second = pair ? static_cast<int64_t>(texts[1].ids.size()) : 0;
  const int64_t excess = first + second - most;
  if (excess <= 0) return {};
  if (truncation.strategy == Truncation::Strategy::kLongestFirst || most == 0) {
    int64_t shorter = std::min(first, second);
    int64_t longer = shorter > most ? shorter : std::max(shorter, most - shorter);
    if (!pair) {
      longer = most;
    } else if (shorter + longer > most) {
      shorter = most / 2;
      longer = shorter + most % 2;
    }
    const bool swapped = pair && first > second;
    cut_down(texts[0], !pair || swapped ? longer : shorter, truncation.left);
    if (pair) cut_down(texts[1], swapped ? shorter : longer, truncation.left);
    return {};
  }
  const bool cuts_second = truncation.strategy == Truncation::Strategy::kOnlySecond;
  if (cuts_second && !pair) return InvalidArgument("truncation of a second text: there is none");
  Encoding& text = texts[cuts_second ? 1 : 0];
  const auto length = static_cast<int64_t>(text.ids.size());
  if (length <= excess) return InvalidArgument("the text is too short to be truncated");
  cut_down(text, length - excess, truncation.left);
  return {};
}

void Tokenizer::Impl::pad(Encoding& out) const {
  auto length = std::max(padding.length, static_cast<int64_t>(out.ids.size()));
  if (padding.multiple > 0)
    length += (padding.multiple - length % padding.multiple) % padding.multiple;
  const auto missing = static_cast<size_t>(length) - out.ids.size();
  const auto fill = [&](auto& list, auto value) {
    list.insert(padding.left ? list.begin() : list.end(), missing, value);
  };
  fill(out.ids, padding.id);
  fill(out.type_ids, padding.type_id);
  fill(out.offsets, Encoding::Offset());
  (padding.left ? out.padding_before : out.padding_behind) = static_cast<int64_t>(missing);
}

std::vector<int32_t> Tokenizer::encode(std::string_view text, bool special_tokens) const {
  const std::string valid = is_utf8(text) ? std::string() : made_valid(text);
  if (!valid.empty()) text = valid;
  Run run(*impl_, false);
  for (const PostProcessors::Part& part : impl_->post_processors.parts(false)) {
    if (part.sequence == 0) run.text(text);
    if (special_tokens) run.ids().insert(run.ids().end(), part.ids.begin(), part.ids.end());
  }
  return run.take_ids();
}

Result<Encoding> Tokenizer::encode(std::string_view text, const std::string_view* pair,
                                   const EncodeOptions& options) const {
  std::vector<Encoding> texts;
  texts.push_back(impl_->encode_one(text));
  if (pair != nullptr) texts.push_back(impl_->encode_one(*pair));
  if (options.truncate && impl_->truncation.max_length > 0) {
    ENM_RETURN_IF_ERROR(impl_->truncate(texts, options.special_tokens));
  }
  Encoding out;
  for (const PostProcessors::Part& part : impl_->post_processors.parts(pair != nullptr)) {
    if (part.sequence >= 0) {
      const Encoding& from = texts[static_cast<size_t>(part.sequence)];
      out.ids.insert(out.ids.end(), from.ids.begin(), from.ids.end());
      out.offsets.insert(out.offsets.end(), from.offsets.begin(), from.offsets.end());
    } else if (options.special_tokens) {
      out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
      out.offsets.resize(out.ids.size());
    }
    out.type_ids.resize(out.ids.size(), part.type_id);
  }
  if (options.pad && impl_->padding.set) impl_->pad(out);
  return out;
}

bool Tokenizer::Impl::append_token(int32_t id, Decoders::Stream& stream, std::string& out) const {
  const int32_t index = added.vocabulary().index(id);
  if (index >= 0) {
    const AddedTokens::Token& token = added.token(index);
    if (token.hidden) return false;
    stream.push(token.text, out);
    return true;
  }
  const int32_t ordinary = model->vocabulary().index(id);
  if (ordinary < 0) return false;
  const std::string_view text = model->vocabulary().token(static_cast<size_t>(ordinary));
  // A special token may stand in the vocabulary under another id too.
  const int32_t same = added.vocabulary().find(text);
  if (same >= 0 && added.token(same).hidden) return false;
  stream.push(text, out);
  return true;
}

std::string_view Tokenizer::Impl::token(int32_t id) const {
  const Vocabulary* from = &added.vocabulary();
  int32_t index = from->index(id);
  if (index < 0) {
    from = &model->vocabulary();
    index = from->index(id);
  }
  return index < 0 ? std::string_view() : from->token(static_cast<size_t>(index));
}

std::string Tokenizer::decode(std::span<const int32_t> ids) const {
  std::string out;
  Decoders::Stream stream(impl_->decoders);
  bool any = false;
  for (int32_t id : ids) any = impl_->append_token(id, stream, out) || any;
  if (any) stream.finish(out);
  return out;
}

bool Tokenizer::append_text(int32_t id, bool first, std::string& out) const {
  Decoders::Stream stream(impl_->decoders, first);
  if (!impl_->append_token(id, stream, out)) return false;
  stream.finish(out);
  return true;
}

bool Tokenizer::contains(int32_t id) const {
  return impl_->added.vocabulary().index(id) >= 0 || impl_->model->vocabulary().index(id) >= 0;
}

bool Tokenizer::is_special(int32_t id) const {
  const int32_t index = impl_->added.vocabulary().index(id);
  return index >= 0 && impl_->added.token(index).special;
}

int32_t Tokenizer::id_of(std::string_view token) const {
  const int32_t id = impl_->added.vocabulary().id_of(token);
  return id < 0 ? impl_->model->vocabulary().id_of(token) : id;
}

std::string_view Tokenizer::token(int32_t id) const { return impl_->token(id); }

int32_t Tokenizer::id_limit() const {
  int32_t limit = 0;
  for (const Vocabulary* each : {&impl_->added.vocabulary(), &impl_->model->vocabulary()}) {
    if (each->size() > 0) limit = std::max(limit, each->id(each->size() - 1) + 1);
  }
  return limit;
}

int64_t Tokenizer::truncation() const { return impl_->truncation.max_length; }

struct StreamDecoder::State {
  std::shared_ptr<const Tokenizer::Impl> tokenizer;
  Decoders::Stream stream;
  bool any = false;
};

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer)
    : state_(new State{tokenizer.impl_, Decoders::Stream(tokenizer.impl_->decoders)}) {}
StreamDecoder::~StreamDecoder() = default;
StreamDecoder::StreamDecoder(StreamDecoder&&) noexcept = default;

std::string StreamDecoder::push(int32_t id) {
  std::string out;
  if (state_->tokenizer->append_token(id, state_->stream, out)) state_->any = true;
  return out;
}

std::string StreamDecoder::flush() {
  std::string out;
  if (state_->any) state_->stream.finish(out);
  state_->any = false;
  return out;
}

}  // namespace enm::text
