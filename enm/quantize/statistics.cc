#include "enm/quantize/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "enm/kernels/outer_f32/outer_f32.h"

namespace enm::quantize {

using kernels::kPanel;

namespace {

constexpr int64_t kRowsAtOnce = 256;  // 16 KB a panel
constexpr int64_t kBlock = 128;       // of the factorization

// U of the block [begin, end) of a symmetric matrix whose upper triangle stands in `m`. False if it
// is not positive definite.
bool factor_diagonal(float* m, int64_t stride, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = m + i * stride;
    for (int64_t p = begin; p < i; ++p) {
      const float* before = m + p * stride;
      for (int64_t j = i; j < end; ++j) row[j] -= before[i] * before[j];
    }
    if (!(row[i] > 0) || !std::isfinite(row[i])) return false;
    const float inverse = 1.0f / std::sqrt(row[i]);
    for (int64_t j = i; j < end; ++j) row[j] *= inverse;
  }
  return true;
}

// Rows [begin, end) of U right of their diagonal block: columns [from, to).
void solve_rows(float* m, int64_t stride, int64_t begin, int64_t end, int64_t from, int64_t to) {
  for (int64_t i = begin; i < end; ++i) {
    float* row = m + i * stride;
    for (int64_t p = begin; p < i; ++p) {
      const float* before = m + p * stride;
      const float factor = before[i];
      for (int64_t j = from; j < to; ++j) row[j] -= factor * before[j];
    }
    const float inverse = 1.0f / row[i];
    for (int64_t j = from; j < to; ++j) row[j] *= inverse;
  }
}

// M = U^T U in place, upper triangle. Rows are `stride`, a multiple of 16, apart.
bool cholesky(float* m, int64_t n, int64_t stride, const Machine& machine) {
  const auto& kernels = kernels::outer_f32_kernels(machine.isa);
  std::vector<float> panels;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, n);
    if (!factor_diagonal(m, stride, begin, end)) return false;
    const int64_t rest = n - end;
    machine.pool.parallel_for(rest, kBlock, [&](int64_t from, int64_t to, int) {
      solve_rows(m, stride, begin, end, end + from, end + to);
    });
    if (rest == 0) break;
    const int64_t count = kernels::panel_count(rest);
    panels.resize(static_cast<size_t>(count * kPanel * (end - begin)));
    machine.pool.parallel_for(count, 4, [&](int64_t from, int64_t to, int) {
      kernels::pack_f32(m + begin * stride + end, rest, end - begin, 1, stride, from, to,
                        panels.data());
    });
    kernels::OuterF32Args args;
    args.a = args.b = panels.data();
    args.c = m + end * stride + end;
    args.k = end - begin;
    args.a_panels = args.b_panels = count;
    args.c_row = stride;
    args.subtract = args.triangle = true;
    kernels::outer_f32(kernels, machine.pool, args);
  }
  return true;
}

}  // namespace

Result<Statistics> Statistics::create(int64_t columns, const Machine& machine) {
  Statistics out(machine);
  out.columns_ = columns;
  out.stride_ = (columns + kPanel - 1) / kPanel * kPanel;
  const auto bytes = static_cast<uint64_t>(out.stride_ * out.stride_) * sizeof(float);
  ENM_ASSIGN_OR_RETURN(out.hessian_, AlignedMemory::allocate(bytes, "a Hessian"));
  out.magnitudes_.resize(static_cast<size_t>(columns));
  return out;
}

void Statistics::add(const float* rows, int64_t count) {
  const int64_t panels = kernels::panel_count(columns_);
  panels_.resize(static_cast<size_t>(panels * kPanel * kRowsAtOnce));
  for (int64_t first = 0; first < count; first += kRowsAtOnce) {
    const int64_t some = std::min(kRowsAtOnce, count - first);
    const float* from = rows + first * columns_;
    machine_.pool.parallel_for(panels, 4, [&](int64_t begin, int64_t end, int) {
      kernels::pack_f32(from, columns_, some, 1, columns_, begin, end, panels_.data());
      for (int64_t c = begin * kPanel; c < std::min(end * kPanel, columns_); ++c) {
        double total = 0;
        const float* column = panels_.data() + c / kPanel * kPanel * some + c % kPanel;
        for (int64_t i = 0; i < some; ++i) total += std::fabs(column[i * kPanel]);
        magnitudes_[static_cast<size_t>(c)] += total;
      }
    });
    kernels::OuterF32Args args;
    args.a = args.b = panels_.data();
    args.c = sums();
    args.k = some;
    args.a_panels = args.b_panels = panels;
    args.c_row = stride_;
    args.triangle = true;
    kernels::outer_f32(kernels::outer_f32_kernels(machine_.isa), machine_.pool, args);
  }
  tokens_ += count;
}

void Statistics::finish() {
  const float scale = 1.0f / static_cast<float>(std::max<int64_t>(tokens_, 1));
  float* h = sums();
  for (int64_t i = 0; i < columns_; ++i) {
    for (int64_t j = i; j < columns_; ++j) {
      h[j * stride_ + i] = h[i * stride_ + j] *= scale;
    }
  }
  for (double& magnitude : magnitudes_) magnitude *= scale;
  panels_ = std::vector<float>();
}

void Statistics::order_columns(ColumnOrder order, int64_t block) {
  std::vector<int64_t>& columns = factor_.order_;
  columns.resize(static_cast<size_t>(columns_));
  std::iota(columns.begin(), columns.end(), 0);
  const auto heavier = [&](int64_t a, int64_t b) { return energy(a) > energy(b); };
  if (order == ColumnOrder::kByEnergy) {
    std::stable_sort(columns.begin(), columns.end(), heavier);
  } else if (order == ColumnOrder::kBlocksByEnergy) {
    const int64_t blocks = (columns_ + block - 1) / block;
    std::vector<float> most(static_cast<size_t>(blocks));
    for (int64_t c = 0; c < columns_; ++c) {
      float& value = most[static_cast<size_t>(c / block)];
      value = std::max(value, energy(c));
    }
    std::stable_sort(columns.begin(), columns.end(), [&](int64_t a, int64_t b) {
      if (a / block == b / block) return heavier(a, b);
      const float of_a = most[static_cast<size_t>(a / block)];
      const float of_b = most[static_cast<size_t>(b / block)];
      return of_a != of_b ? of_a > of_b : a / block < b / block;
    });
  }
  std::reverse(columns.begin(), columns.end());
}

bool Statistics::try_damping(double damping, double mean) {
  const std::vector<int64_t>& order = factor_.order_;
  float* m = factor_.values_;
  machine_.pool.parallel_for(columns_, 16, [&](int64_t begin, int64_t end, int) {
    for (int64_t i = begin; i < end; ++i) {
      const float* h = hessian() + order[static_cast<size_t>(i)] * stride_;
      for (int64_t j = i; j < columns_; ++j) {
        m[i * stride_ + j] = h[order[static_cast<size_t>(j)]];
      }
      m[i * stride_ + i] += static_cast<float>(damping * mean);
    }
  });
  factor_.damping_ = damping;
  return cholesky(m, columns_, stride_, machine_);
}

Status Statistics::factorize(ColumnOrder order, int64_t block, double damping) {
  factor_.columns_ = columns_;
  factor_.stride_ = stride_;
  if (factor_.values_ == nullptr) {
    ENM_ASSIGN_OR_RETURN(factor_.memory_,
                         AlignedMemory::allocate(hessian_.size(), "a Hessian's factor"));
    factor_.values_ = reinterpret_cast<float*>(factor_.memory_.data());
  }
  order_columns(order, block);
  double mean = 0;
  for (int64_t c = 0; c < columns_; ++c) mean += energy(c);
  mean /= static_cast<double>(columns_);
  if (mean == 0) mean = 1;  // no input was ever anything but 0: any rounding is as good
  double part = damping;
  while (part <= 1) {
    if (try_damping(part, mean)) return {};
    part = std::max(part * 10, 1e-4);
  }
  return InvalidArgument("the inputs' Hessian is not positive definite, damped or not");
}

}  // namespace enm::quantize
