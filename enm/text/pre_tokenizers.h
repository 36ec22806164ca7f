// The `pre_tokenizer` of a tokenizer.json: cuts a text into words. Private to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/text/pattern.h"
#include "enm/text/section.h"
#include "enm/text/stretch.h"

namespace enm::text {

class PreTokenizers {
 public:
  /// Null leaves the text one word.
  Status read(const Json& json);

  /// Where a run keeps its words and what it rewrites.
  struct Room {
    std::vector<Piece> pieces[2];
    TracedText texts[2];
  };
  /// The words of a text that begins at `origin` of the text as given: views of the room.
  struct Words {
    TracedView text;
    std::span<const Piece> pieces;
  };
  Words run(TracedView text, uint32_t origin, Room& room) const;

  /// Leaves writing bytes as letters to the model, if that is the last step; false if it is not.
  bool leave_bytes();
  /// Whether words depend on where in the text as given they begin, and if so, whether that can be
  /// told without origins of bytes when no normalizer has changed them.
  bool needs_place() const { return needs_place_; }
  bool needs_origins() const { return needs_origins_; }

 private:
  enum class Kind : uint8_t {
    kByteLevel,
    kSplit,
    kCharacters,
    kMetaspace,
    kUnicodeScripts,
    kFixedLength
  };
  enum class Behavior : uint8_t {
    kRemoved,
    kIsolated,
    kMergedWithPrevious,
    kMergedWithNext,
    kContiguous
  };
  enum class Prepend : uint8_t { kNever, kFirst, kAlways };
  using Is = bool (*)(uint32_t);

  struct Step {
    Kind kind = Kind::kSplit;
    Behavior behavior = Behavior::kIsolated;
    bool invert = false;
    std::optional<Pattern> pattern;  // kSplit
    Is is = nullptr;                 // kCharacters: which are cut at
    uint32_t character = 0;          // kCharacters without `is`; kMetaspace: written for ' '
    std::string prefix;              // kMetaspace, kByteLevel: written in front
    Prepend prepend = Prepend::kNever;
    bool letters = false;  // kByteLevel: bytes become letters
    size_t length = 0;     // kFixedLength
  };
  class Cutter;

  Status read(const Json& json, int depth);
  void read_step(Section& in, const Json& json, std::string_view type);
  void read_byte_level(Section& in);
  void read_metaspace(Section& in);
  static Behavior read_behavior(Section& in, std::string_view fallback);
  static uint32_t read_character(Section& in, std::string_view text);
  void add_split(Section& in, Result<Pattern> pattern, Behavior behavior, bool invert);
  void add_characters(Is is, Behavior behavior);

  static void cut(const Step& step, std::string_view text, Cutter& out);
  static Words rewrite(const Step& step, Words words, TracedText& text, std::vector<Piece>& pieces);

  std::vector<Step> steps_;
  bool needs_place_ = false;
  bool needs_origins_ = false;
};

}  // namespace enm::text
