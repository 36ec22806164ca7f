#include <gtest/gtest.h>

#include "enm/kernels/check.h"

namespace enm::kernels {
namespace {

class KernelCheck : public ::testing::TestWithParam<std::tuple<size_t, Isa>> {};

TEST_P(KernelCheck, AgreesWithTheReference) {
  const auto [index, isa] = GetParam();
  if (!isa_available(isa)) GTEST_SKIP() << "this machine has no " << isa_name(isa);
  CheckReport report;
  all_checks()[index].run(isa, report);
  EXPECT_TRUE(report.ok()) << report.failure();
  RecordProperty("worst_error", std::to_string(report.worst_error()));
}

INSTANTIATE_TEST_SUITE_P(All, KernelCheck,
                         ::testing::Combine(::testing::Range<size_t>(0, all_checks().size()),
                                            ::testing::Values(Isa::kScalar, Isa::kAvx2,
                                                              Isa::kAvx512Vnni)),
                         [](const auto& test) {
                           std::string name = cat(all_checks()[std::get<0>(test.param)].name, "_",
                                                  isa_name(std::get<1>(test.param)));
                           for (char& c : name) {
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           }
                           return name;
                         });

}  // namespace
}  // namespace enm::kernels
