#include "enm/kernels/attention/variants.h"

namespace enm::kernels {

const AttentionKernels& attention_kernels(Isa isa) {
  static const KernelTable<AttentionKernels> table(kAttentionVariants);
  return table[isa];
}

}  // namespace enm::kernels
