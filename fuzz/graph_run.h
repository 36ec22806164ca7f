// Runs a made graph in every way that the runtime offers and holds the ways against each other.
#pragma once

#include <cmath>

#include "enm/runtime/session.h"
#include "fuzz/graph_maker.h"

namespace enm::fuzz {

inline constexpr uint64_t kMemory = 64 << 20;

/// What became of one graph.
struct Outcome {
  Status status;        // of the first run
  std::string differs;  // why two ways that must agree did not; empty if they did
};

/// One program with memory of its own. Inputs lie in blocks of exactly their size, so that a
/// sanitizer sees a step beyond.
class Run {
 public:
  Run(const graph::Graph& graph, Isa isa, ThreadPool& pool)
      : pool_(pool), budget_(kMemory), weights_(budget_) {
    auto program = runtime::Program::compile(graph, isa, pool, weights_);
    status_ = program.status();
    if (program.ok()) session_ = std::make_unique<runtime::Session>(*program, pool_, budget_);
  }

  const Status& status() const { return status_; }

  Status run(std::span<const Feed> feeds, bool plans) {
    if (session_ == nullptr) return status_;
    memory_.clear();
    for (const Feed& feed : feeds) {
      ops::TensorView view;
      view.dtype = feed.dtype;
      if (feed.dims.size() > ops::kMaxRank) return Unsupported("[fuzz] too many dimensions");
      view.set_dims(feed.dims);
      // malloc aligns for every type.
      uint8_t* copy = memory_.emplace_back(new uint8_t[feed.data.size()]).get();
      std::copy(feed.data.begin(), feed.data.end(), copy);
      view.data = copy;
      session_->bind(feed.id, view);
    }
    if (plans) ENM_RETURN_IF_ERROR(session_->plan());
    return session_->run();
  }

  /// Type, dims and data of the outputs; NaNs are one value.
  std::vector<std::string> results(const std::vector<graph::ValueId>& outputs) const {
    std::vector<std::string> all;
    for (graph::ValueId id : outputs) {
      const ops::TensorView& view = session_->view(id);
      std::string text(view_str(view));
      for (uint64_t i = 0; i < view.bytes(); ++i) text += view.as<char>()[i];
      if (view.dtype == graph::DType::kFloat32) {
        const size_t begin = text.size() - view.bytes();
        for (int64_t i = 0; i < view.count(); ++i) {
          if (std::isnan(view.as<float>()[i])) text.replace(begin + i * 4, 4, "NaN!");
        }
      }
      all.push_back(std::move(text));
    }
    return all;
  }

 private:
  ThreadPool& pool_;
  MemoryBudget budget_;
  ops::Weights weights_;
  Status status_;
  std::unique_ptr<runtime::Session> session_;
  std::vector<std::unique_ptr<uint8_t[]>> memory_;
};

/// The feeds with one size of theirs another, everywhere.
inline std::vector<Feed> resized(const std::vector<Feed>& feeds, Choices& choices) {
  std::vector<Feed> out = feeds;
  std::vector<int64_t> sizes;
  for (const Feed& feed : feeds) sizes.insert(sizes.end(), feed.dims.begin(), feed.dims.end());
  if (sizes.empty()) return out;
  const int64_t from = sizes[choices.below(sizes.size())];
  static constexpr int64_t kTo[] = {1, 2, 0, 3, 7, 40};
  const int64_t to = choices.of(kTo);
  for (Feed& feed : out) {
    const size_t only = choices.chance(20) ? choices.below(8) : SIZE_MAX;
    for (size_t i = 0; i < feed.dims.size(); ++i) {
      if (feed.dims[i] == from && (only == SIZE_MAX || only == i)) feed.dims[i] = to;
    }
    const auto count = graph::checked_element_count(feed.dims);
    if (!count.ok() || *count > 1 << 16) return feeds;
    feed.data = GraphMaker::fill(choices, feed.dtype, *count);
  }
  return out;
}

/// A graph whose every value is an output: nothing is computed in the place of something else.
inline graph::Graph all_kept(const graph::Graph& graph) {
  graph::Graph kept = graph;
  for (const graph::Node& node : graph.nodes) {
    for (graph::ValueId id : node.outputs) {
      if (id != graph::kNoValue) kept.outputs.push_back(id);
    }
  }
  return kept;
}

/// Runs with the scalar kernels: once, with every value kept, and with other dims without planning
/// anew; then with the machine's best kernels.
inline Outcome run_made(const MadeGraph& made, Choices& choices, ThreadPool& pool) {
  const graph::Graph& graph = made.graph;
  Outcome out;
  Run first(graph, Isa::kScalar, pool);
  out.status = first.run(made.feeds, true);
  if (out.status.ok()) {
    const auto results = first.results(graph.outputs);
    Run kept(all_kept(graph), Isa::kScalar, pool);
    if (kept.run(made.feeds, true).ok() && kept.results(graph.outputs) != results) {
      out.differs = "values computed in the place of others";
    }
    const std::vector<Feed> others = resized(made.feeds, choices);
    if (first.run(others, false).ok()) {
      Run fresh(graph, Isa::kScalar, pool);
      const Status status = fresh.run(others, true);
      if (!status.ok()) {
        out.differs = cat("other dims without a plan: with one ", status.message());
      } else if (fresh.results(graph.outputs) != first.results(graph.outputs)) {
        out.differs = "other dims without a plan";
      }
    }
  }
  const auto best = select_isa();
  if (!best.ok()) return out;
  Run fast(graph, *best, pool);
  if (fast.run(made.feeds, true).ok() != out.status.ok()) out.differs = "kernels of another kind";
  return out;
}

}  // namespace enm::fuzz
