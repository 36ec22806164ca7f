#include "enm/text/post_processors.h"

#include "enm/text/vocabulary.h"

namespace enm::text {
namespace {

// Pieces of a template, and tokens that a post-processor puts around a text.
constexpr size_t kMostAround = 256;

int32_t read_id(Section& in, const Json& id) {
  if (id.is_int() && id.integer() >= 0 && id.integer() < kIdLimit) {
    return static_cast<int32_t>(id.integer());
  }
  in.fail(Corrupt("bad id"));
  return 0;
}

}  // namespace

Status PostProcessors::read(const Json& json) { return read(json, false); }

Status PostProcessors::read(const Json& json, bool inside) {
  if (json.is_null()) return {};
  Section in(json, "post_processor");
  const std::string_view type = in.text("type");
  if (type == "Sequence") {
    if (inside) return Unsupported("post_processor: a Sequence within a Sequence");
    for (const Json& step : in.child("processors").items()) in.fail(read(step, true));
    return in.finish();
  }
  if (trims_.size() == kMostAround) return Unsupported("post_processor: that many");
  if (type == "ByteLevel" || type == "RobertaProcessing") {
    const bool prefix = in.flag("add_prefix_space", true);
    if (in.flag("trim_offsets", true)) trims_.push_back(prefix);
    in.child("use_regex");
  }
  if (type != "ByteLevel") {
    if (has_template_) in.fail(Unsupported("special tokens around special tokens"));
    has_template_ = true;
    read_around(in, type);
  }
  return in.finish();
}

void PostProcessors::read_around(Section& in, std::string_view type) {
  if (type == "BertProcessing" || type == "RobertaProcessing") {
    read_cls_and_sep(in, type[0] == 'R');
  } else if (type == "TemplateProcessing") {
    const Json& tokens = in.child("special_tokens");
    const Json& pair = in.child("pair");
    read_parts(in, in.child("single"), tokens, single_);
    if (!pair.items().empty()) read_parts(in, pair, tokens, pair_);
  } else {
    in.fail(Unsupported(quoted(type),
                        " is not supported; TemplateProcessing, BertProcessing, "
                        "RobertaProcessing, ByteLevel and Sequence are"));
  }
}

// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
void PostProcessors::read_cls_and_sep(Section& in, bool roberta) {
  int32_t ids[2] = {};
  constexpr const char* kKeys[] = {"cls", "sep"};
  for (int i = 0; i < 2; ++i) {
    const Json& token = in.child(kKeys[i]);
    if (token.items().size() != 2) return in.fail(Corrupt(kKeys[i], " is no pair"));
    ids[i] = read_id(in, token.items()[1]);
  }
  const Part sep{-1, 0, {ids[1]}};
  const int32_t second = roberta ? 0 : 1;
  single_ = {{-1, 0, {ids[0]}}, {0, 0, {}}, sep};
  pair_ = single_;
  if (roberta) pair_.push_back(sep);
  pair_.push_back({1, second, {}});
  pair_.push_back({-1, second, {ids[1]}});
}

void PostProcessors::read_parts(Section& in, const Json& pieces, const Json& tokens,
                                std::vector<Part>& parts) {
  if (pieces.items().size() > kMostAround) {
    return in.fail(Unsupported("a template of ", pieces.items().size(), " pieces; at most ",
                               kMostAround, " are supported"));
  }
  parts.clear();
  size_t around = 0;
  for (const Json& piece : pieces.items()) {
    const Json* text = piece.find("Sequence");
    const Json* special = piece.find("SpecialToken");
    if (text == nullptr && special == nullptr) return in.fail(Corrupt("an odd piece"));
    Section what(text != nullptr ? *text : *special, "a piece of the template");
    Part part;
    const std::string_view id = what.text("id");
    part.type_id = static_cast<int32_t>(what.integer("type_id", 0) & INT32_MAX);
    if (Status read = what.finish(); !read.ok()) return in.fail(read);
    if (text != nullptr) {
      part.sequence = id == "B" ? 1 : 0;
      if (part.sequence == 1 && &parts == &single_) {
        return in.fail(Corrupt("a template for one text with a second"));
      }
    } else {
      const Json* token = tokens.find(id);
      const Json* ids = token == nullptr ? nullptr : token->find("ids");
      if (ids == nullptr) return in.fail(Corrupt("special token ", quoted(id), " is missing"));
      around += ids->items().size();
      if (around > kMostAround) {
        return in.fail(Unsupported("more than ", kMostAround, " tokens around a text"));
      }
      for (const Json& each : ids->items()) part.ids.push_back(read_id(in, each));
    }
    parts.push_back(std::move(part));
  }
}

int64_t PostProcessors::added(bool pair) const {
  int64_t count = 0;
  for (const Part& part : parts(pair)) count += static_cast<int64_t>(part.ids.size());
  return count;
}

}  // namespace enm::text
