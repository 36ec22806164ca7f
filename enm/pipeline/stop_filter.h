// Holds back text that may be the beginning of a stop sequence.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace enm::pipeline {

class StopFilter {
 public:
  /// Empty sequences stop nothing.
  explicit StopFilter(const std::vector<std::string>& stops);

  /// The text that can be shown now. stopped() turns true at the first stop sequence to be
  /// complete, the longest if several are; it is not part of any text given out. Takes time that
  /// grows with the text, however long the sequences are.
  std::string push(std::string_view text);
  /// What is still held back when no more text comes.
  std::string flush();
  bool stopped() const { return stopped_; }

 private:
  // A sequence that is looked for byte by byte.
  // Source: Knuth, Morris and Pratt, Fast pattern matching in strings, SIAM J. Comput. 6 (1977)
  struct Stop {
    std::string text;
    // Of each beginning: the longest shorter one that it ends with.
    std::vector<uint32_t> borders;
    size_t matched = 0;  // bytes of `text` that the text so far ends with

    void take(char byte);
  };
  // What is held back, which is a beginning of a stop sequence, and `text`, up to `size` bytes.
  std::string front(std::string_view text, size_t size) const;

  std::vector<Stop> stops_;
  size_t holder_ = 0;  // the sequence of the longest match
  size_t held_ = 0;    // bytes of it that are held back
  bool stopped_ = false;
};

}  // namespace enm::pipeline
