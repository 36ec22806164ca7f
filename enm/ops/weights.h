// Constants in the forms that operators read, made once and shared by every program that reads
// them.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/aligned_memory.h"
#include "enm/base/function_ref.h"
#include "enm/base/mutex.h"
#include "enm/graph/tensor.h"

namespace enm::ops {

/// A constant packed for the products of one backend. What it serves (x W^T, rows, dy W) is its
/// type's to say.
class PackedWeight {
 public:
  virtual ~PackedWeight() = default;
  virtual uint64_t bytes() const = 0;
};

/// The store of one model's weights. Safe to use from several threads.
class Weights {
 public:
  explicit Weights(MemoryBudget& budget) : budget_(budget) {}

  /// The packed form of the constants `sources`, made by `make` if nobody has asked for it before.
  /// `form` names backend and layout ("cpu/nbits"): it decides the type. Constants are the same if
  /// they are copies of one handle.
  using Make = FunctionRef<Result<std::unique_ptr<PackedWeight>>(MemoryBudget& budget)>;
  Result<std::shared_ptr<const PackedWeight>> packed(
      std::string_view form, std::initializer_list<const graph::Tensor*> sources, Make make);

  /// The bytes as they are, aligned for their type. Small parts of a larger buffer are copied, so
  /// that the buffer can go.
  Result<Blob> plain(const graph::Tensor& tensor);

  MemoryBudget& budget() { return budget_; }
  /// Bytes of everything made so far.
  uint64_t bytes() const;
  /// Lets go of the sources' bytes: what was made of them stays, new forms of them cannot be made.
  void forget_sources();

 private:
  struct Key {
    std::string form;
    std::vector<const void*> sources;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    std::vector<graph::TensorData> sources;  // keeps their identities taken
    std::shared_ptr<const PackedWeight> packed;
    Blob plain;
  };

  MemoryBudget& budget_;
  mutable Mutex mutex_;
  std::map<Key, Entry> entries_;
  uint64_t bytes_ = 0;
};

}  // namespace enm::ops
