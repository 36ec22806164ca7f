#include "enm/kernels/matmul_nbits/matmul_nbits.h"

#include <algorithm>
#include <cstring>

#include "enm/kernels/matmul_nbits/variants.h"

namespace enm::kernels {
namespace {

uint64_t align64(uint64_t bytes) { return (bytes + 63) / 64 * 64; }

// The parts of the scratch memory for m rows.
struct Scratch {
  float* sums;
  float* scales;
  float* floats;
  int8_t* quants;
};

Scratch divide(uint8_t* memory, int64_t m, int64_t steps) {
  Scratch out;
  out.sums = reinterpret_cast<float*>(memory);
  memory += align64(static_cast<size_t>(m * steps * 2) * sizeof(float));
  out.scales = reinterpret_cast<float*>(memory);
  memory += align64(static_cast<size_t>(m * steps) * sizeof(float));
  out.floats = reinterpret_cast<float*>(memory);
  out.quants = reinterpret_cast<int8_t*>(memory);
  return out;
}

void pad_row(const float* a, int64_t k, int64_t steps, float* out, float* sums) {
  std::memcpy(out, a, static_cast<size_t>(k) * sizeof(float));
  std::fill(out + k, out + steps * kNbitsStep, 0.0f);
  for (int64_t half = 0; half < steps * 2; ++half) {
    float sum = 0;
    for (int64_t i = 0; i < 16; ++i) sum += out[half * 16 + i];
    sums[half] = sum;
  }
}

}  // namespace

const MatmulNbitsKernels& matmul_nbits_kernels(Isa isa) {
  static const KernelTable<MatmulNbitsKernels> table(kMatmulNbitsVariants);
  return table[isa];
}

uint64_t nbits_scratch_bytes(const NbitsShape& shape, int64_t m) {
  const auto steps = static_cast<uint64_t>(shape.steps());
  const auto rows = static_cast<uint64_t>(m);
  return align64(rows * steps * 2 * sizeof(float)) + align64(rows * steps * sizeof(float)) +
         align64(rows * steps * kNbitsStep * sizeof(float));
}

void matmul_nbits(const MatmulNbitsKernels& kernels, ThreadPool& pool, const NbitsArgs& args) {
  const NbitsShape& shape = args.weight->shape;
  const int64_t steps = shape.steps();
  const Scratch scratch = divide(args.scratch, args.m, steps);
  const bool int8 = args.mode == NbitsMode::kInt8;
  pool.parallel_for(args.m, 4, [&](int64_t begin, int64_t end, int) {
    for (int64_t row = begin; row < end; ++row) {
      const float* a = args.a + row * args.lda;
      float* sums = scratch.sums + row * steps * 2;
      if (int8) {
        kernels.quantize_row(a, shape.k, steps, scratch.quants + row * steps * kNbitsStep,
                             scratch.scales + row * steps, sums);
      } else {
        pad_row(a, shape.k, steps, scratch.floats + row * steps * kNbitsStep, sums);
      }
    }
  });
  const NbitsActivations activations = {scratch.floats, scratch.quants, scratch.scales,
                                        scratch.sums};
  // About eight ranges a thread: small enough to even out a slow core, large enough to stream.
  const int64_t grain = std::max<int64_t>(1, shape.tiles() / (8 * pool.size()));
  pool.parallel_for(shape.tiles(), grain, [&](int64_t begin, int64_t end, int) {
    (int8 ? kernels.int8_tiles : kernels.float_tiles)(args, activations, begin, end);
  });
}

}  // namespace enm::kernels
