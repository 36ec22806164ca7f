// The `decoder` of a tokenizer.json: tokens to text. Private to this room.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/text/pattern.h"
#include "enm/text/section.h"

namespace enm::text {

class Decoders {
 public:
  /// Null puts a space between tokens.
  Status read(const Json& json);

  /// Texts on their way through the decoders, a token at a time; text that no later token changes
  /// comes out at once. The decoders must outlive it.
  class Stream {
   public:
    explicit Stream(const Decoders& decoders)
        : decoders_(decoders), states_(decoders.steps_.size()) {}
    /// For one token by itself: its bytes come out even where they are no whole characters. Unless
    /// it is the `first`, as if a text stood before it.
    Stream(const Decoders& decoders, bool first);
    void push(std::string_view token, std::string& out);
    /// Ends the text; the next token begins another.
    void finish(std::string& out);

   private:
    struct State {
      std::string held;   // of the token that is being read, or bytes of no whole character
      std::string last;   // kCtc, kBpe: the token before
      size_t tokens = 0;  // that have begun
      size_t stripped = 0;
      bool open = false;  // the token before goes on
    };
    // `begins` and `ends`: whether the piece is the first and the last of its token.
    void pass(size_t index, std::string_view piece, bool begins, bool ends, std::string& out);
    void pass_whole(size_t index, std::string_view token, std::string& out);
    void pass_bytes(size_t index, std::string_view token, std::string& out);
    void flush_bytes(size_t index, std::string& out);
    void flush(size_t index, std::string& out);

    const Decoders& decoders_;
    std::vector<State> states_;
    const bool gives_bytes_ = false;
  };

 private:
  enum class Kind : uint8_t {
    kJoin,
    kByteLevel,
    kWordPiece,
    kMetaspace,
    kBpe,
    kByteFallback,
    kFuse,
    kStrip,
    kReplace,
    kCtc
  };
  struct Step {
    Kind kind = Kind::kJoin;
    std::string content;    // prefix, suffix, replacement, pad token, character to strip
    std::string delimiter;  // kCtc
    bool clean_up = false;
    bool drops_first = false;  // kMetaspace
    size_t start = 0;          // kStrip: characters at most
    size_t stop = 0;
    std::optional<Pattern> pattern;  // kReplace
  };
  Status read(const Json& json, int depth);
  void read_step(Section& in, const Json& json, std::string_view type);

  std::vector<Step> steps_;
};

}  // namespace enm::text
