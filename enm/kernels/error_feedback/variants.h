// The list of the family: one row an instruction set, best first.
#pragma once

#include <array>

#include "enm/kernels/dispatch.h"
#include "enm/kernels/error_feedback/error_feedback.h"

namespace enm::kernels {

extern const ErrorFeedbackKernels kErrorFeedbackScalar;
extern const ErrorFeedbackKernels kErrorFeedbackAvx2;
extern const ErrorFeedbackKernels kErrorFeedbackAvx512Vnni;

inline constexpr std::array kErrorFeedbackVariants = {
#if defined(__x86_64__)
    IsaVariant<ErrorFeedbackKernels>{Isa::kAvx512Vnni, &kErrorFeedbackAvx512Vnni},
    IsaVariant<ErrorFeedbackKernels>{Isa::kAvx2, &kErrorFeedbackAvx2},
#endif
    IsaVariant<ErrorFeedbackKernels>{Isa::kScalar, &kErrorFeedbackScalar},
};

}  // namespace enm::kernels
