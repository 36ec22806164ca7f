#include "enm/kernels/attention/attention.h"

#include "enm/kernels/attention/variants.h"

namespace enm::kernels {

const AttentionKernels& attention_kernels(Isa isa) {
  static const KernelTable<AttentionKernels> table(kAttentionVariants);
  return table[isa];
}

int64_t attention_scratch_floats(int64_t head_dim) {
  constexpr int64_t kAlignment = 64 / sizeof(float);
  return kAlignment + sizeof(AttentionScratch) / sizeof(float) + kAttentionBlock * head_dim;
}

}  // namespace enm::kernels
