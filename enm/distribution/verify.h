// A folder held against its manifest.
#pragma once

#include <string>
#include <vector>

#include "enm/base/status.h"
#include "enm/distribution/trust.h"

namespace enm::distribution {

struct VerifyReport {
  /// Key id of the trusted signer; empty if the signature was not asked for or does not hold.
  std::string signed_by;
  /// What is wrong, each naming the file and, for changed bytes, the range of the first bad chunk.
  std::vector<std::string> problems;
  bool untrusted = false;  // some problem is one of trust, not of bytes

  bool ok() const { return problems.empty(); }
};

/// Reads manifest.json in `folder` and every file it names. With `trust`, manifest.sig must be a
/// trusted key's over the manifest's bytes. kNotFound if there is no manifest.
Result<VerifyReport> verify_folder(const std::string& folder, const TrustStore* trust);

}  // namespace enm::distribution
