// What a calibration has done so far, in a folder, so that one that was killed goes on where it
// was.
//
//   journal.json        the stages that are done: solutions, digests; replaced by a rename
//   <stage>.blocks      quants, scales and zero points of a stage's products
//   <stage>.values.<n>  what the stage hands over; only of the last one that is done
#pragma once

#include <string>
#include <vector>

#include "enm/base/json.h"
#include "enm/quantize/quantized_weight.h"

namespace enm::quantize {

/// A product's solution in memory, or in the mapped file of its stage.
struct BlockSolution {
  std::string node;
  std::string method;
  std::string reason;
  BlockFormat format;
  int64_t rows = 0, columns = 0;
  double error = 0;
  Blob quants, scales, zero_points;

  QuantizedWeight weight() const;
};

/// What a value was divided by, and the columns of the products that read it multiplied with.
struct Fold {
  std::string input;
  std::vector<float> scales;
};

class Journal {
 public:
  /// The folder is made if it is missing. Stages of another `fingerprint`, or whose files are not
  /// what they were, are forgotten.
  static Result<Journal> open(const std::string& folder, uint64_t fingerprint);

  struct Stage {
    std::vector<BlockSolution> products;
    std::vector<Fold> folds;
    std::vector<int64_t> widths;  // of what it hands over
    uint64_t digest = 0;          // of that
    uint64_t blocks_digest = 0;
  };
  const std::vector<Stage>& stages() const { return stages_; }
  /// Writes the stage's blocks, then that it is done; its products are mapped from then on.
  Status add(Stage stage);
  void forget(size_t from_stage) { stages_.resize(std::min(from_stage, stages_.size())); }

  std::string values_path(size_t stage) const;
  /// Takes the folder's files away, and the folder.
  void remove();

 private:
  std::string blocks_path(size_t stage) const;
  Status map(size_t at);
  Status write() const;
  Status read(uint64_t fingerprint);

  std::string folder_;
  uint64_t fingerprint_ = 0;
  std::vector<Stage> stages_;
};

}  // namespace enm::quantize
