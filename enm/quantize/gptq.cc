#include "enm/quantize/gptq.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "enm/kernels/error_feedback/error_feedback.h"
#include "enm/kernels/outer_f32/outer_f32.h"

namespace enm::quantize {
namespace {

using kernels::kPanel;

constexpr int64_t kLazy = 128;  // columns between updates of all that follow

/// Rows of a weight by panels of 16: [panel][column of the factor][16]. Room for whole panels of
/// columns, too, because products are made of those.
class Panels {
 public:
  Panels(int64_t rows, int64_t columns)
      : columns_(columns),
        size_(kernels::panel_count(columns) * kPanel * kPanel),
        count_(kernels::panel_count(rows)),
        values_(static_cast<size_t>(count_ * size_)) {}

  void load(const float* rows, int64_t count, const std::vector<int64_t>& order, ThreadPool& pool) {
    pool.parallel_for(count_, 1, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin * kPanel; row < std::min(end * kPanel, count); ++row) {
        const float* from = rows + row * columns_;
        float* to = panel(row / kPanel) + row % kPanel;
        for (int64_t c = 0; c < columns_; ++c) to[c * kPanel] = from[order[static_cast<size_t>(c)]];
      }
    });
  }
  float* panel(int64_t p) { return values_.data() + p * size_; }
  int64_t size() const { return size_; }
  int64_t count() const { return count_; }

 private:
  int64_t columns_, size_, count_;
  std::vector<float> values_;
};

/// Columns [begin, end) of the factor, which are gone through together.
class Block {
 public:
  Block(const Factor& factor, int64_t begin, int64_t end)
      : factor_(factor), begin_(begin), end_(end) {
    const int64_t n = end - begin;
    diagonal_.resize(static_cast<size_t>(n * n));
    for (int64_t j = 0; j < n; ++j) {
      const float* row = factor.row(begin + j) + begin;
      for (int64_t c = j; c < n; ++c) diagonal_[static_cast<size_t>(c * n + j)] = row[c];
    }
  }

  int64_t begin() const { return begin_; }
  int64_t count() const { return end_ - begin_; }
  /// u[j][c] of the block at [c * count() + j].
  const float* diagonal() const { return diagonal_.data(); }

  /// sums[c] += u[c][j] * differences[j] for the columns c before the block and j of it;
  /// differences are [panel][count()][16].
  void feed_back(const float* differences, Panels& sums, const Machine& machine) {
    if (begin_ == 0) return;
    const int64_t across = kernels::panel_count(begin_);
    packed_.resize(static_cast<size_t>(across * kPanel * count()));
    machine.pool.parallel_for(across, 4, [&](int64_t from, int64_t to, int) {
      kernels::pack_f32(factor_.row(0) + begin_, begin_, count(), factor_.stride(), 1, from, to,
                        packed_.data());
    });
    kernels::OuterF32Args args;
    args.a = packed_.data();
    args.b = differences;
    args.c = sums.panel(0);
    args.k = count();
    args.a_panels = across;
    args.b_panels = sums.count();
    args.c_row = kPanel;
    args.c_panel = sums.size();
    kernels::outer_f32(kernels::outer_f32_kernels(machine.isa), machine.pool, args);
  }

 private:
  const Factor& factor_;
  const int64_t begin_, end_;
  std::vector<float> diagonal_, packed_;
};

class Solver {
 public:
  Solver(const Problem& problem, bool grids_first)
      : problem_(problem),
        factor_(problem.statistics->factor()),
        machine_(problem.statistics->machine()),
        grids_first_(grids_first),
        groups_(problem.format.blocks_of(problem.columns)),
        weights_(problem.rows, problem.columns),
        sums_(problem.rows, problem.columns),
        quants_(static_cast<size_t>(weights_.count() * problem.columns * kPanel)),
        scales_(static_cast<size_t>(weights_.count() * groups_ * kPanel)),
        zeros_(scales_.size()),
        costs_(static_cast<size_t>(weights_.count() * kPanel)) {
    for (int64_t column : factor_.order()) {
      group_.push_back(static_cast<int32_t>(column / problem.format.block));
    }
  }

  void run() {
    weights_.load(problem_.weights, problem_.rows, factor_.order(), machine_.pool);
    if (grids_first_) choose_grids();
    for (int64_t end = problem_.columns; end > 0;) {
      int64_t begin = std::max<int64_t>(0, end - kLazy);
      // A grid is chosen for all of its columns: they are in one block.
      while (!grids_first_ && begin > 0 && group(begin) == group(begin - 1)) --begin;
      round(begin, end);
      end = begin;
    }
  }

  void write(Solution& out) const {
    const BlockFormat& format = problem_.format;
    const int64_t columns = problem_.columns;
    std::vector<int64_t> place(static_cast<size_t>(columns));
    for (int64_t c = 0; c < columns; ++c) {
      place[static_cast<size_t>(factor_.order()[static_cast<size_t>(c)])] = c;
    }
    std::memset(out.quants, 0, static_cast<size_t>(problem_.rows * format.row_bytes(columns)));
    if (out.zero_points != nullptr) {
      std::memset(out.zero_points, 0,
                  static_cast<size_t>(problem_.rows * format.row_zero_point_bytes(columns)));
    }
    machine_.pool.parallel_for(problem_.rows, 16, [&](int64_t begin, int64_t end, int) {
      for (int64_t row = begin; row < end; ++row) write_row(row, place, out);
    });
    for (int64_t row = 0; row < problem_.rows; ++row) {
      out.error += static_cast<double>(costs_[static_cast<size_t>(row)]);
    }
  }

 private:
  int32_t group(int64_t column) const { return group_[static_cast<size_t>(column)]; }

  void choose_grids() {
    const auto& kernels = kernels::error_feedback_kernels(machine_.isa);
    std::vector<int64_t> first(static_cast<size_t>(groups_ + 1), 0);
    std::vector<int64_t> members(static_cast<size_t>(problem_.columns));
    for (int32_t g : group_) ++first[static_cast<size_t>(g) + 1];
    for (size_t g = 0; g < static_cast<size_t>(groups_); ++g) first[g + 1] += first[g];
    std::vector<int64_t> next = first;
    for (int64_t c = 0; c < problem_.columns; ++c) {
      members[static_cast<size_t>(next[static_cast<size_t>(group(c))]++)] = c;
    }
    machine_.pool.parallel_for(weights_.count(), 1, [&](int64_t begin, int64_t end, int) {
      float values[kernels::kMostGroup * kPanel];
      float importance[kernels::kMostGroup];
      for (int64_t p = begin; p < end; ++p) {
        for (int64_t g = 0; g < groups_; ++g) {
          const int64_t from = first[static_cast<size_t>(g)];
          const int64_t count = first[static_cast<size_t>(g) + 1] - from;
          for (int64_t i = 0; i < count; ++i) {
            const int64_t c = members[static_cast<size_t>(from + i)];
            std::copy_n(weights_.panel(p) + c * kPanel, kPanel, values + i * kPanel);
            // Not its square: what the column is to be when its turn comes is not known yet.
            importance[i] = factor_.row(c)[c];
          }
          kernels.choose(values, importance, count, 1 << problem_.format.bits,
                         !problem_.format.has_zero_points(), scales(p) + g * kPanel,
                         zeros(p) + g * kPanel);
        }
      }
    });
  }

  void round(int64_t begin, int64_t end) {
    Block block(factor_, begin, end);
    const auto& kernels = kernels::error_feedback_kernels(machine_.isa);
    differences_.resize(static_cast<size_t>(weights_.count() * block.count() * kPanel));
    machine_.pool.parallel_for(weights_.count(), 1, [&](int64_t first, int64_t last, int) {
      for (int64_t p = first; p < last; ++p) {
        kernels::ErrorFeedbackArgs args;
        args.count = block.count();
        args.w = weights_.panel(p) + begin * kPanel;
        args.s = sums_.panel(p) + begin * kPanel;
        args.e = differences_.data() + p * block.count() * kPanel;
        args.q = quants_.data() + (p * problem_.columns + begin) * kPanel;
        args.factor = block.diagonal();
        args.group = group_.data() + begin;
        args.scales = scales(p);
        args.zeros = zeros(p);
        args.levels = 1 << problem_.format.bits;
        args.symmetric = !problem_.format.has_zero_points();
        args.choose = !grids_first_;
        args.cost = costs_.data() + p * kPanel;
        kernels.round(args);
      }
    });
    block.feed_back(differences_.data(), sums_, machine_);
  }

  void write_row(int64_t row, const std::vector<int64_t>& place, Solution& out) const {
    const BlockFormat& format = problem_.format;
    const int64_t columns = problem_.columns;
    const int64_t panel = row / kPanel;
    const int64_t lane = row % kPanel;
    uint8_t* quants = out.quants + row * format.row_bytes(columns);
    const auto zero_of = [&](int64_t g) {
      return static_cast<int>(zeros_[static_cast<size_t>((panel * groups_ + g) * kPanel + lane)]);
    };
    for (int64_t i = 0; i < groups_ * format.block; ++i) {
      const int quant =
          i < columns ? quants_[static_cast<size_t>(
                            (panel * columns + place[static_cast<size_t>(i)]) * kPanel + lane)]
                      : zero_of(i / format.block);
      put_bits(quants, format.bits, i, quant);
    }
    for (int64_t g = 0; g < groups_; ++g) {
      out.scales[row * groups_ + g] =
          scales_[static_cast<size_t>((panel * groups_ + g) * kPanel + lane)];
      if (out.zero_points == nullptr) continue;
      put_bits(out.zero_points + row * format.row_zero_point_bytes(columns), format.bits, g,
               zero_of(g));
    }
  }

  float* scales(int64_t panel) { return scales_.data() + panel * groups_ * kPanel; }
  float* zeros(int64_t panel) { return zeros_.data() + panel * groups_ * kPanel; }

  const Problem& problem_;
  const Factor& factor_;
  const Machine& machine_;
  const bool grids_first_;
  const int64_t groups_;
  Panels weights_, sums_;
  std::vector<uint8_t> quants_;
  std::vector<float> scales_, zeros_;  // [panel][group][16]
  std::vector<float> costs_, differences_;
  std::vector<int32_t> group_;  // of the factor's columns
};

}  // namespace

Status Gptq::solve(const Problem& problem, Solution& out) const {
  const double norm = output_energy(*problem.statistics, problem.weights, problem.rows);
  if (!std::isfinite(norm)) return Corrupt("weights are infinite or no numbers");
  out.norm += norm;
  Solver solver(problem, grids_first_);
  solver.run();
  solver.write(out);
  return {};
}

double output_energy(const Statistics& statistics, const float* differences, int64_t rows) {
  const Factor& factor = statistics.factor();
  const Machine& machine = statistics.machine();
  const int64_t columns = factor.columns();
  Panels values(rows, columns), sums(rows, columns);
  values.load(differences, rows, factor.order(), machine.pool);
  std::vector<float> some;
  std::vector<double> totals(static_cast<size_t>(values.count()));
  for (int64_t end = columns; end > 0;) {
    const int64_t begin = std::max<int64_t>(0, end - kLazy);
    Block block(factor, begin, end);
    const int64_t n = block.count();
    some.resize(static_cast<size_t>(values.count() * n * kPanel));
    machine.pool.parallel_for(values.count(), 1, [&](int64_t first, int64_t last, int) {
      for (int64_t p = first; p < last; ++p) {
        const float* from = values.panel(p) + begin * kPanel;
        std::copy_n(from, n * kPanel, some.data() + p * n * kPanel);
        float* sum = sums.panel(p) + begin * kPanel;
        for (int64_t c = n - 1; c >= 0; --c) {
          const float* u = block.diagonal() + c * n;
          for (int64_t j = 0; j <= c; ++j) {
            for (int64_t lane = 0; lane < kPanel; ++lane) {
              sum[j * kPanel + lane] += u[j] * from[c * kPanel + lane];
            }
          }
          for (int64_t lane = 0; lane < kPanel; ++lane) {
            const double x = sum[c * kPanel + lane];
            totals[static_cast<size_t>(p)] += x * x;
          }
        }
      }
    });
    block.feed_back(some.data(), sums, machine);
    end = begin;
  }
  double total = 0;
  for (double part : totals) total += part;
  return total;
}

}  // namespace enm::quantize
