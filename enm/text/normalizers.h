// The `normalizer` of a tokenizer.json: what is done to a text before it is cut. Private to this
// room.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/text/pattern.h"
#include "enm/text/precompiled.h"
#include "enm/text/section.h"
#include "enm/text/stretch.h"

namespace enm::text {

class Normalizers {
 public:
  /// Null is no normalizer.
  Status read(const Json& json);
  bool empty() const { return steps_.empty(); }

  /// Where a run keeps its texts.
  struct Room {
    TracedText texts[2];
  };
  /// The text normalized: a view of `room`, or of `text` where nothing changed.
  TracedView run(TracedView text, uint32_t origin, Room& room) const;
  std::string run(std::string_view text) const;

 private:
  enum class Kind : uint8_t {
    kForm,
    kLowercase,
    kStrip,
    kStripAccents,
    kBert,
    kReplace,
    kPrepend,
    kNmt,
    kPrecompiled,
    kByteLevel
  };
  struct Step {
    Kind kind;
    bool compatible = false, composed = false;                                // kForm
    bool left = false, right = false;                                         // kStrip
    bool clean = false, chinese = false, accents = false, lowercase = false;  // kBert
    std::string content;                                                      // kReplace, kPrepend
    std::optional<Pattern> pattern;                                           // kReplace
    std::shared_ptr<const Precompiled> map;                                   // kPrecompiled
    bool longest = false;  // kPrecompiled: as SentencePiece, an extension
  };
  Status read(const Json& json, int depth);
  static void read_settings(Section& in, const Json& json, Step& step);
  static bool changes(const Step& step, std::string_view text);
  static void apply(const Step& step, std::string_view text, Rewriter& out);

  std::vector<Step> steps_;
};

}  // namespace enm::text
