// Runs a part of a model on windows of text, several at a time.
#pragma once

#include <memory>
#include <span>

#include "enm/base/function_ref.h"
#include "enm/base/os_file.h"
#include "enm/quantize/stages.h"
#include "enm/quantize/statistics.h"
#include "enm/runtime/session.h"

namespace enm::quantize {

/// Token ids of each window.
using Windows = std::vector<std::vector<int32_t>>;

/// Windows of one length that run together.
struct Batch {
  size_t first = 0, count = 0;
  int64_t length = 0;       // of each
  int64_t first_token = 0;  // how many are in the windows before

  int64_t tokens() const { return static_cast<int64_t>(count) * length; }
};

std::vector<Batch> batches_of(const Windows& windows);

/// Vectors of every token, in files, because all of them may be more than memory has.
class Activations {
 public:
  /// Files `path`.<n>, one for each of the values of `widths` floats a token: new ones, or those
  /// that are there.
  static Result<Activations> create(const std::string& path, std::vector<int64_t> widths);
  static Result<Activations> open(const std::string& path, std::vector<int64_t> widths);

  const std::vector<int64_t>& widths() const { return widths_; }
  Status read(size_t value, const Batch& batch, float* out) const;
  /// Batches come in order; the digest grows with them.
  Status write(size_t value, const Batch& batch, const float* rows);
  /// Of everything that was written.
  uint64_t digest() const { return digest_; }
  /// What digest() was when these batches were written.
  Result<uint64_t> read_digest(std::span<const Batch> batches) const;
  /// Takes the files away.
  void remove();

 private:
  std::vector<File> files_;
  std::vector<int64_t> widths_;
  uint64_t digest_ = 0;
};

/// A digest that grows with bytes; no secret.
uint64_t mix(uint64_t digest, Bytes bytes);

/// Runs the part of a stage that makes the values `wanted` over all batches; `each` gets them,
/// [tokens, width] each. `handed` is null for the first stage.
using EachBatch = FunctionRef<Status(const Batch&, std::span<const std::span<const float>>)>;
Status run_stage(const graph::Graph& graph, const graph::ModelDescription& description,
                 const Stage& stage, const std::vector<graph::ValueId>& wanted,
                 const Windows& windows, std::span<const Batch> batches, const Activations* handed,
                 const Machine& machine, EachBatch each);

}  // namespace enm::quantize
