// Rotary position embedding of one head, in place. With c and s the row of the position:
//   halves:      (x[i], x[i + d/2])  -> (x[i] c[i] - x[i + d/2] s[i], x[i + d/2] c[i] + x[i] s[i])
//   interleaved: (x[2i], x[2i + 1])  likewise
// Only the first d = 2 * half_dim elements of the head turn. Source: arXiv 2104.09864.
#pragma once

#include <cstdint>

namespace enm::kernels {

inline void rotate_head(float* x, const float* cos, const float* sin, int64_t half_dim,
                        bool interleaved) {
  const int64_t step = interleaved ? 2 : 1;
  const int64_t apart = interleaved ? 1 : half_dim;
  for (int64_t i = 0; i < half_dim; ++i) {
    float* a = x + i * step;
    float* b = a + apart;
    const float turned = *a * cos[i] - *b * sin[i];
    *b = *b * cos[i] + *a * sin[i];
    *a = turned;
  }
}

}  // namespace enm::kernels
