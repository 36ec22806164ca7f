// What calibration saw of a product's inputs: sums of x x^T, and their Cholesky factor.
#pragma once

#include <vector>

#include "enm/base/aligned_memory.h"
#include "enm/base/cpu.h"
#include "enm/base/threads.h"

namespace enm::quantize {

/// Threads and instruction set of the heavy loops.
struct Machine {
  ThreadPool& pool;
  Isa isa;
};

/// The order in which error feedback goes through columns.
enum class ColumnOrder : uint8_t {
  kAsTheyAre,
  kByEnergy,  // of their Hessian's diagonal, largest first; blocks' grids must be chosen before
  kBlocksByEnergy  // blocks of columns by their largest, and so the columns in each
};

/// M = U^T U for the damped Hessian M with its columns reordered: column c of the factor is column
/// order()[c] of the weight, and the LAST column comes first in error feedback. Then
///   tr(E H E^T) = sum over c of (U[c][c] E_c + sum over j > c of U[c][j] E_j)^2
/// so that the best that column c can do, once those behind it are rounded, is to round
///   w_c + (sum over j > c of U[c][j] E_j) / U[c][c],   E = weight - rounded weight.
/// This is GPTQ (its U is the inverse of this one's transpose) without an inverse. Source of the
/// equivalence: arXiv 2307.13304, section 4.
class Factor {
 public:
  const float* row(int64_t c) const { return values_ + c * stride_; }
  int64_t columns() const { return columns_; }
  int64_t stride() const { return stride_; }
  const std::vector<int64_t>& order() const { return order_; }
  double damping() const { return damping_; }

 private:
  friend class Statistics;
  AlignedMemory memory_;
  float* values_ = nullptr;
  int64_t columns_ = 0, stride_ = 0;
  std::vector<int64_t> order_;
  double damping_ = 0;  // of the mean of the diagonal
};

class Statistics {
 public:
  /// kResourceExhausted where there is no room for columns^2 floats.
  static Result<Statistics> create(int64_t columns, const Machine& machine);

  /// Inputs of the product, [count, columns].
  void add(const float* rows, int64_t count);
  /// Once all inputs were added: means instead of sums, both triangles.
  void finish();

  int64_t columns() const { return columns_; }
  int64_t tokens() const { return tokens_; }
  /// Mean of x_i x_j over tokens; rows stride() apart.
  const float* hessian() const { return reinterpret_cast<const float*>(hessian_.data()); }
  int64_t stride() const { return stride_; }
  float energy(int64_t column) const { return hessian()[column * (stride_ + 1)]; }
  /// Mean of |x| of each column.
  const std::vector<double>& magnitudes() const { return magnitudes_; }

  /// Adds `damping` of the diagonal's mean to the diagonal, ten times as much where that does not
  /// make it positive definite, at most all of it. kInvalidArgument if nothing helps: inputs that
  /// are not finite.
  Status factorize(ColumnOrder order, int64_t block, double damping);
  /// factorize() came before.
  const Factor& factor() const { return factor_; }

  const Machine& machine() const { return machine_; }

 private:
  explicit Statistics(const Machine& machine) : machine_(machine) {}
  float* sums() { return reinterpret_cast<float*>(hessian_.data()); }
  void order_columns(ColumnOrder order, int64_t block);
  bool try_damping(double damping, double mean);

  Machine machine_;
  int64_t columns_ = 0, stride_ = 0, tokens_ = 0;
  AlignedMemory hessian_;
  std::vector<float> panels_;  // of the rows being added
  std::vector<double> magnitudes_;
  Factor factor_;
};

}  // namespace enm::quantize
