#include "enm/distribution/verify.h"

#include "enm/base/file_posix.h"
#include "enm/distribution/manifest.h"

namespace enm::distribution {
namespace {

void check_file(const std::string& folder, const Artifact& artifact, VerifyReport& report) {
  const auto got = hash_file(cat(folder, "/", artifact.filename));
  const FileDigest& expected = artifact.digest;
  if (!got.ok()) {
    report.problems.emplace_back(got.status().message());
    return;
  }
  if (*got == expected) return;
  if (got->size != expected.size) {
    report.problems.push_back(
        cat(artifact.filename, ": ", got->size, " bytes; expected ", expected.size));
    return;
  }
  for (size_t i = 0; i < expected.chunks.size(); ++i) {
    if (got->chunks[i] == expected.chunks[i]) continue;
    const uint64_t begin = i * kChunkSize;
    report.problems.push_back(cat(artifact.filename, ": bytes ", begin, " to ",
                                  begin + chunk_length(expected.size, i) - 1, " were changed"));
    return;
  }
  report.problems.push_back(cat(artifact.filename, ": its SHA-256 is not the manifest's"));
}

void check_signature(const std::string& folder, std::string_view manifest, const TrustStore& trust,
                     VerifyReport& report) {
  const auto signature = read_file(cat(folder, "/", kSignatureFile), kMaxSignatureBytes);
  if (!signature.ok()) {
    report.untrusted = true;
    report.problems.push_back(cat("not signed: ", signature.status().message()));
    return;
  }
  const auto key = trust.verify(manifest, as_text(*signature));
  if (key.ok()) {
    report.signed_by = key->key_id;
    return;
  }
  report.untrusted = true;
  report.problems.emplace_back(key.status().message());
}

}  // namespace

Result<VerifyReport> verify_folder(const std::string& folder, const TrustStore* trust) {
  ENM_ASSIGN_OR_RETURN(const auto bytes,
                       read_file(cat(folder, "/", kManifestFile), kMaxManifestBytes));
  VerifyReport report;
  if (trust != nullptr) check_signature(folder, as_text(bytes), *trust, report);
  const auto manifest = parse_manifest(as_text(bytes));
  if (!manifest.ok()) {
    report.problems.emplace_back(manifest.status().message());
    return report;
  }
  for (const Artifact& artifact : manifest->artifacts) check_file(folder, artifact, report);
  return report;
}

}  // namespace enm::distribution
