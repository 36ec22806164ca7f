#include "cli/output/progress.h"

#include <algorithm>
#include <cstdio>

#include "cli/output/format.h"
#include "enm/base/strings.h"

namespace cli {
namespace {
constexpr uint64_t kBarCells = 24;
constexpr auto kRedraw = std::chrono::milliseconds(100);
}  // namespace

Progress::Progress(std::string_view label, uint64_t total, Unit unit, bool visible)
    : label_(label), total_(total), unit_(unit), visible_(visible), start_(Clock::now()) {}

Progress::~Progress() {
  if (!visible_ || !started_) return;
  draw();
  std::fputs("\n", stderr);
}

void Progress::update(uint64_t done, uint64_t total) {
  total_ = total;
  update(done);
}

void Progress::update(uint64_t done) {
  if (!started_) {
    started_ = true;
    first_ = done;
  }
  done_ = done;
  if (!visible_ || Clock::now() - drawn_ < kRedraw) return;
  draw();
}

void Progress::draw() {
  drawn_ = Clock::now();
  const double seconds = std::chrono::duration<double>(drawn_ - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_ - first_) / seconds : 0;
  const auto amount = [&](uint64_t n) {
    return unit_ == Unit::kBytes ? human_bytes(n) : enm::cat(n);
  };

  std::string line = enm::cat("\r\x1b[K", label_, " ");
  if (total_ > 0) {
    const uint64_t shown = std::min(done_, total_);
    const uint64_t cells = shown * kBarCells / total_;
    for (uint64_t cell = 0; cell < kBarCells; ++cell) line += cell < cells ? "█" : "░";
    enm::append(line,
                enm::cat(" ", shown * 100 / total_, "%  ", amount(shown), "/", amount(total_)));
  } else {
    line += amount(done_);
  }
  if (seconds > 0.5 && rate > 0) {
    line += unit_ == Unit::kBytes ? enm::cat("  ", human_bytes(static_cast<uint64_t>(rate)), "/s")
                                  : enm::cat("  ", fixed(rate, rate < 10 ? 1 : 0), "/s");
    if (done_ < total_) {
      line += enm::cat("  ETA ", human_duration(static_cast<double>(total_ - done_) / rate));
    }
  }
  std::fputs(line.c_str(), stderr);
}

}  // namespace cli
