// The model's files as the host holds them: read part by part while the model is opened, so that
// the module's memory never holds a weight twice.
#pragma once

#include "enm/base/file.h"

namespace enm::wasm {

class HostFiles final : public FileSource {
 public:
  Result<Blob> open(std::string_view name) const override;
  bool contains(std::string_view name) const override;
  bool reads_on_demand() const override { return true; }
  Result<uint64_t> size(std::string_view name) const override;
  Status read(std::string_view name, uint64_t offset, MutableBytes out) const override;
};

}  // namespace enm::wasm
