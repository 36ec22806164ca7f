// Trying again after failures that may pass.
#pragma once

#include <chrono>
#include <functional>

#include "enm/base/function_ref.h"
#include "enm/base/status.h"

namespace enm::distribution {

/// Asked often by what takes long; true ends it with kCancelled.
using Stop = std::function<bool()>;

struct RetryPolicy {
  int retries = 3;  // after the first attempt
  std::chrono::milliseconds first{250};
  std::chrono::milliseconds longest{10'000};
};

/// Calls `attempt` until it succeeds, fails for good, or has been repeated `retries` times. Before
/// repetition n it waits a random time of at most first * 2^n ("full jitter", AWS Architecture
/// Blog, 2015), so that many clients of a server that recovers do not come back together. What may
/// pass: kUnavailable, and kCorrupt, since bytes can be damaged on their way.
Status retry(const RetryPolicy& policy, const Stop& stop, FunctionRef<Status()> attempt);

}  // namespace enm::distribution
