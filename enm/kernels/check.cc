#include "enm/kernels/check.h"

#include <algorithm>
#include <bit>

namespace enm::kernels {
namespace {

// The check that was made last; each knows the one before. Set before any constructor runs.
constinit const Check* last = nullptr;

}  // namespace

Check::Check(const char* check_name, Run check_run)
    : name(check_name), run(check_run), next_(last) {
  last = this;
}

std::span<const Check* const> all_checks() {
  static const std::vector<const Check*> sorted = [] {
    std::vector<const Check*> checks;
    for (const Check* check = last; check != nullptr; check = check->next_) checks.push_back(check);
    std::ranges::sort(checks, {}, [](const Check* check) { return std::string_view(check->name); });
    return checks;
  }();
  return sorted;
}

void CheckReport::fail(std::string_view where, int64_t index, double got, double expected) {
  if (!failure_.empty()) return;
  failure_ = cat(where, " at ", index, ": got ", got, ", expected ", expected);
}

void fill(CheckRandom& random, std::span<float> values, float low, float high) {
  for (float& value : values) value = random.uniform(low, high);
}

void compare(CheckReport& report, const Guarded<float>& got, const Guarded<float>& expected,
             float tolerance, std::string_view where) {
  report.equal(got.guard_intact(), true, where, -1);
  for (int64_t i = 0; i < got.size(); ++i) report.near(got[i], expected[i], tolerance, where, i);
}

void same_bits(CheckReport& report, const Guarded<float>& got, const Guarded<float>& expected,
               std::string_view where) {
  for (int64_t i = 0; i < got.size(); ++i) {
    report.equal(std::bit_cast<int32_t>(got[i]), std::bit_cast<int32_t>(expected[i]), where, i);
  }
}

}  // namespace enm::kernels
