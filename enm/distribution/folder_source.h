// Models in folders: <root>/<id>/<version>/ with manifest.json, manifest.sig and the files. What a
// cache's models/ folder is, so that a disk carries models where no network goes.
#pragma once

#include "enm/distribution/source.h"

namespace enm::distribution {

class FolderSource final : public Source {
 public:
  explicit FolderSource(std::string root) : root_(std::move(root)) {}

  const std::string& name() const override { return root_; }
  Result<SignedManifest> manifest(const ModelRef& ref) override;
  Status read(const RemoteFile& file, uint64_t offset, MutableBytes out) override;

 private:
  std::string root_;
};

/// Versions of a model below `root`, the newest first.
std::vector<std::string> list_versions(const std::string& root, std::string_view id);

}  // namespace enm::distribution
