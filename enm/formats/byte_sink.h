// Where a writer puts its bytes: a file or memory.
#pragma once

#include <vector>

#include "enm/base/bytes.h"

namespace enm::formats {

class ByteSink {
 public:
  virtual ~ByteSink() = default;
  virtual Status write(Bytes bytes) = 0;
};

class MemorySink final : public ByteSink {
 public:
  Status write(Bytes bytes) override {
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
    return {};
  }
  const std::vector<uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<uint8_t> bytes_;
};

}  // namespace enm::formats
