// Holds back text that may be the beginning of a stop sequence.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace enm::pipeline {

class StopFilter {
 public:
  explicit StopFilter(std::vector<std::string> stops) : stops_(std::move(stops)) {}

  /// The text that can be shown now. stopped() turns true at the first stop sequence, which is not
  /// part of any text given out.
  std::string push(std::string_view text);
  /// What is still held back when no more text comes.
  std::string flush() { return std::exchange(held_, {}); }
  bool stopped() const { return stopped_; }

 private:
  const std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace enm::pipeline
