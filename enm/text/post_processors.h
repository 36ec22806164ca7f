// The `post_processor` of a tokenizer.json: special tokens around one text or two. Private to this
// room.
#pragma once

#include <vector>

#include "enm/base/json.h"
#include "enm/text/section.h"

namespace enm::text {

class PostProcessors {
 public:
  struct Part {
    int sequence = -1;  // 0 or 1: a text; -1: the special tokens
    int32_t type_id = 0;
    std::vector<int32_t> ids;
  };

  /// Null puts nothing around.
  Status read(const Json& json);

  /// What the tokens of one text, or of two, are put together of.
  const std::vector<Part>& parts(bool pair) const { return pair ? pair_ : single_; }
  /// How many special tokens that is.
  int64_t added(bool pair) const;

  /// Takes spaces at the ends of tokens out of their offsets, once for each of these; true where a
  /// space in front of the text may have been put there.
  const std::vector<bool>& trims() const { return trims_; }

 private:
  Status read(const Json& json, bool inside);
  void read_around(Section& in, std::string_view type);
  void read_parts(Section& in, const Json& pieces, const Json& tokens, std::vector<Part>& parts);
  void read_cls_and_sep(Section& in, bool roberta);

  std::vector<Part> single_ = {{0, 0, {}}};
  std::vector<Part> pair_ = {{0, 0, {}}, {1, 1, {}}};
  std::vector<bool> trims_;
  bool has_template_ = false;
};

}  // namespace enm::text
