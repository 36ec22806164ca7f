#include "enm/text/post_processors.h"

#include "enm/text/model.h"

namespace enm::text {
namespace {

// Pieces of a template, and tokens that a post-processor puts around a text.
constexpr size_t kMostAround = 256;

Result<int32_t> read_id(const Json& id) {
  if (id.is_int() && id.integer() >= 0 && id.integer() < kIdLimit) {
    return static_cast<int32_t>(id.integer());
  }
  return Corrupt("post_processor: bad id");
}

}  // namespace

Status PostProcessors::read(const Json& json) {
  if (json.is_null()) return {};
  ENM_ASSIGN_OR_RETURN(const std::string type, json.get_string("type"));
  if (type != "Sequence") return read_step(json, type);
  ENM_RETURN_IF_ERROR(expect_only(json, "post_processor", {"type", "processors"}));
  ENM_ASSIGN_OR_RETURN(const Json* steps, json.get("processors"));
  for (const Json& step : steps->items()) {
    ENM_ASSIGN_OR_RETURN(const std::string name, step.get_string("type"));
    if (name == "Sequence") return Unsupported("post_processor: a Sequence within a Sequence");
    if (trims_.size() == kMostAround) return Unsupported("post_processor: that many");
    ENM_RETURN_IF_ERROR(read_step(step, name));
  }
  return {};
}

Status PostProcessors::read_step(const Json& json, std::string_view type) {
  if (type == "TemplateProcessing") return read_template(json);
  if (type == "BertProcessing") return read_cls_and_sep(json, false);
  if (type != "ByteLevel" && type != "RobertaProcessing") {
    return Unsupported("post_processor ", quoted(type),
                       " is not supported; TemplateProcessing, BertProcessing, RobertaProcessing, "
                       "ByteLevel and Sequence are");
  }
  ENM_ASSIGN_OR_RETURN(const bool prefix, json.get_bool("add_prefix_space", true));
  ENM_ASSIGN_OR_RETURN(const bool trims, json.get_bool("trim_offsets", true));
  if (trims) trims_.push_back(prefix);
  if (type[0] == 'R') return read_cls_and_sep(json, true);
  return expect_only(json, "post_processor ByteLevel",
                     {"type", "add_prefix_space", "trim_offsets", "use_regex"});
}

Status PostProcessors::expect_first() {
  if (has_template_) return Unsupported("post_processor: special tokens around special tokens");
  has_template_ = true;
  return {};
}

// {"cls": ["[CLS]", 101], "sep": ["[SEP]", 102]}
Status PostProcessors::read_cls_and_sep(const Json& json, bool roberta) {
  ENM_RETURN_IF_ERROR(expect_first());
  ENM_RETURN_IF_ERROR(expect_only(json, "post_processor",
                                  {"type", "sep", "cls", "trim_offsets", "add_prefix_space"}));
  int32_t ids[2];
  constexpr const char* kKeys[] = {"cls", "sep"};
  for (int i = 0; i < 2; ++i) {
    ENM_ASSIGN_OR_RETURN(const Json* token, json.get(kKeys[i]));
    if (token->items().size() != 2) return Corrupt("post_processor.", kKeys[i], " is no pair");
    ENM_ASSIGN_OR_RETURN(ids[i], read_id(token->items()[1]));
  }
  const Part cls{-1, 0, {ids[0]}};
  const Part sep{-1, 0, {ids[1]}};
  const int32_t second = roberta ? 0 : 1;
  single_ = {cls, {0, 0, {}}, sep};
  pair_ = single_;
  if (roberta) pair_.push_back(sep);
  pair_.push_back({1, second, {}});
  pair_.push_back({-1, second, {ids[1]}});
  return {};
}

Status PostProcessors::read_template(const Json& json) {
  ENM_RETURN_IF_ERROR(expect_first());
  ENM_RETURN_IF_ERROR(expect_only(json, "post_processor TemplateProcessing",
                                  {"type", "single", "pair", "special_tokens"}));
  ENM_ASSIGN_OR_RETURN(const Json* single, json.get("single"));
  ENM_ASSIGN_OR_RETURN(const Json* tokens, json.get("special_tokens"));
  ENM_RETURN_IF_ERROR(read_parts(*single, *tokens, single_));
  if (const Json* pair = json.find("pair"); pair != nullptr && !pair->items().empty()) {
    ENM_RETURN_IF_ERROR(read_parts(*pair, *tokens, pair_));
  }
  return {};
}

Status PostProcessors::read_parts(const Json& pieces, const Json& tokens,
                                  std::vector<Part>& parts) const {
  if (pieces.items().size() > kMostAround) {
    return Unsupported("post_processor: a template of ", pieces.items().size(), " pieces; at most ",
                       kMostAround, " are supported");
  }
  parts.clear();
  size_t around = 0;
  for (const Json& piece : pieces.items()) {
    Part part;
    const Json* what = piece.find("Sequence");
    if (what != nullptr) {
      ENM_ASSIGN_OR_RETURN(const std::string which, what->get_string("id", "A"));
      part.sequence = which == "B" ? 1 : 0;
      if (part.sequence == 1 && &parts == &single_) {
        return Corrupt("post_processor: a template for one text with a second");
      }
    } else {
      ENM_ASSIGN_OR_RETURN(what, piece.get("SpecialToken"));
      ENM_ASSIGN_OR_RETURN(const std::string name, what->get_string("id"));
      ENM_ASSIGN_OR_RETURN(const Json* token, tokens.get(name));
      ENM_ASSIGN_OR_RETURN(const Json* ids, token->get("ids"));
      around += ids->items().size();
      if (around > kMostAround) {
        return Unsupported("post_processor puts more than ", kMostAround, " tokens around a text");
      }
      for (const Json& id : ids->items()) {
        ENM_ASSIGN_OR_RETURN(const int32_t number, read_id(id));
        part.ids.push_back(number);
      }
    }
    ENM_ASSIGN_OR_RETURN(const int64_t type_id, what->get_int("type_id", 0));
    if (type_id < 0 || type_id > INT32_MAX) return Corrupt("post_processor: type_id ", type_id);
    part.type_id = static_cast<int32_t>(type_id);
    parts.push_back(std::move(part));
  }
  return {};
}

int64_t PostProcessors::added(bool pair) const {
  int64_t count = 0;
  for (const Part& part : parts(pair)) count += static_cast<int64_t>(part.ids.size());
  return count;
}

}  // namespace enm::text
