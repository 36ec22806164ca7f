#include "enm/kernels/norm/variants.h"

namespace enm::kernels {

const NormKernels& norm_kernels(Isa isa) {
  static const KernelTable<NormKernels> table(kNormVariants);
  return table[isa];
}

}  // namespace enm::kernels
