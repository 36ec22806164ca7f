#include <gtest/gtest.h>

#include "enm/kernels/check.h"

namespace enm::kernels {
namespace {

using Parameters = std::tuple<const Check*, Isa, int>;

class KernelCheck : public ::testing::TestWithParam<Parameters> {};

TEST_P(KernelCheck, AgreesWithTheReference) {
  const auto [check, isa, threads] = GetParam();
  if (!isa_available(isa)) GTEST_SKIP() << "this machine has no " << isa_name(isa);
  ThreadPool pool(threads);
  CheckReport report;
  check->run(isa, pool, report);
  EXPECT_TRUE(report.ok()) << report.failure();
  RecordProperty("worst_error", std::to_string(report.worst_error()));
}

std::string test_name(const ::testing::TestParamInfo<Parameters>& test) {
  const auto [check, isa, threads] = test.param;
  std::string name = cat(check->name, "_", isa_name(isa), "_", threads);
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

INSTANTIATE_TEST_SUITE_P(
    All, KernelCheck,
    ::testing::Combine(::testing::ValuesIn(all_checks().begin(), all_checks().end()),
                       ::testing::Values(Isa::kScalar, Isa::kAvx2, Isa::kAvx512Vnni),
                       ::testing::Values(1, 2, 4)),
    test_name);

}  // namespace
}  // namespace enm::kernels
