#include "enm/distribution/retry.h"

#include <algorithm>
#include <random>
#include <thread>

namespace enm::distribution {
namespace {

using std::chrono::milliseconds;

milliseconds jitter(milliseconds longest) {
  thread_local std::minstd_rand random(std::random_device{}());
  return milliseconds(std::uniform_int_distribution<int64_t>(0, longest.count())(random));
}

bool stopped(const Stop& stop) { return stop && stop(); }

// Sleeps in slices, so that Ctrl-C is heard.
void wait(milliseconds time, const Stop& stop) {
  constexpr milliseconds kSlice{50};
  for (; time.count() > 0 && !stopped(stop); time -= kSlice) {
    std::this_thread::sleep_for(std::min(time, kSlice));
  }
}

}  // namespace

Status retry(const RetryPolicy& policy, const Stop& stop, FunctionRef<Status()> attempt) {
  milliseconds longest = policy.first;
  for (int n = 0;; ++n) {
    if (stopped(stop)) return Cancelled("interrupted");
    Status status = attempt();
    const bool may_pass = status.code() == Code::kUnavailable || status.code() == Code::kCorrupt;
    if (!may_pass || n >= policy.retries) return status;
    wait(jitter(longest), stop);
    longest = std::min(longest * 2, policy.longest);
  }
}

}  // namespace enm::distribution
