#include "enm/kernels/activation/variants.h"

namespace enm::kernels {

const ActivationKernels& activation_kernels(Isa isa) {
  static const KernelTable<ActivationKernels> table(kActivationVariants);
  return table[isa];
}

}  // namespace enm::kernels
