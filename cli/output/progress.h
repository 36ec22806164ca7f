// A progress bar on stderr: rate, ETA, redrawn at most ten times a second.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace cli {

enum class Unit { kBytes, kItems };

class Progress {
 public:
  /// A total of 0 means that it is not known: a count without a bar.
  Progress(std::string_view label, uint64_t total, Unit unit, bool visible);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(uint64_t done);
  void update(uint64_t done, uint64_t total);

 private:
  void draw();

  using Clock = std::chrono::steady_clock;
  const std::string label_;
  uint64_t total_;
  const Unit unit_;
  const bool visible_;
  uint64_t done_ = 0;
  uint64_t first_ = 0;  // what was there already when the first update came: not part of the rate
  bool started_ = false;
  Clock::time_point start_;
  Clock::time_point drawn_;
};

}  // namespace cli
