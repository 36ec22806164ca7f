#include "enm/kernels/error_feedback/error_feedback.h"

#include "enm/kernels/error_feedback/variants.h"

namespace enm::kernels {

const ErrorFeedbackKernels& error_feedback_kernels(Isa isa) {
  static const KernelTable<ErrorFeedbackKernels> table(kErrorFeedbackVariants);
  return table[isa];
}

}  // namespace enm::kernels
