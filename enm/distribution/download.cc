#include "enm/distribution/download.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace enm::distribution {
namespace {

class Download {
 public:
  Download(Source& source, const Manifest& model, const Artifact& artifact, const File& partial,
           const DownloadOptions& options)
      : source_(source), model_(model), artifact_(artifact), partial_(partial), options_(options) {}

  Status run() {
    ENM_RETURN_IF_ERROR(find_missing());
    report(0);
    const size_t threads =
        std::min(missing_.size(), static_cast<size_t>(std::max(options_.parallel, 1)));
    std::vector<std::thread> others;
    for (size_t i = 1; i < threads; ++i) others.emplace_back([this] { fetch_chunks(); });
    if (threads > 0) fetch_chunks();
    for (std::thread& other : others) other.join();
    return failure_;
  }

 private:
  uint64_t length(uint64_t chunk) const { return chunk_length(artifact_.digest.size, chunk); }

  // Hashes what is there. Holes were never written; the scan skips them.
  Status find_missing() {
    const FileDigest& digest = artifact_.digest;
    ENM_ASSIGN_OR_RETURN(const uint64_t size, partial_.size());
    if (size > digest.size) ENM_RETURN_IF_ERROR(partial_.resize(digest.size));
    std::vector<uint8_t> buffer(kChunkSize);
    for (uint64_t i = 0; i < digest.chunks.size(); ++i) {
      if (options_.stop && options_.stop()) return Cancelled("interrupted");
      const uint64_t begin = i * kChunkSize;
      const MutableBytes bytes(buffer.data(), length(i));
      bool present = begin + bytes.size() <= size;
      if (present) {
        ENM_ASSIGN_OR_RETURN(const uint64_t data, partial_.next_data(begin));
        present = data < begin + bytes.size();
      }
      if (present) {
        ENM_ASSIGN_OR_RETURN(const size_t got, partial_.read_at(begin, bytes));
        present = got == bytes.size() && sha256(bytes) == digest.chunks[i];
      }
      if (present) {
        verified_ += bytes.size();
      } else {
        missing_.push_back(i);
      }
    }
    return Status();
  }

  void fetch_chunks() {
    std::vector<uint8_t> buffer(kChunkSize);
    while (!ended_) {
      const size_t turn = next_++;
      if (turn >= missing_.size()) return;
      const uint64_t chunk = missing_[turn];
      const MutableBytes bytes(buffer.data(), length(chunk));
      Status status = retry(
          options_.retry, [this] { return ended_ || (options_.stop && options_.stop()); },
          [&] { return fetch(chunk, bytes); });
      if (status.ok()) status = partial_.write_at(chunk * kChunkSize, bytes);
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        verified_ += bytes.size();
        report(bytes.size());
      } else if (failure_.ok()) {
        failure_ = status.in(artifact_.filename);
        ended_ = true;
      }
    }
  }

  Status fetch(uint64_t chunk, MutableBytes bytes) {
    const uint64_t begin = chunk * kChunkSize;
    ENM_RETURN_IF_ERROR(source_.read(model_, artifact_, begin, bytes));
    const Digest got = sha256(bytes);
    const Digest& expected = artifact_.digest.chunks[chunk];
    if (got == expected) return Status();
    return Corrupt("bytes ", begin, " to ", begin + bytes.size() - 1, " from ", source_.name(),
                   " have SHA-256 ", to_hex(got), "; the manifest says ", to_hex(expected));
  }

  void report(uint64_t fetched) {
    fetched_ += fetched;
    if (options_.report) options_.report(verified_, fetched_);
  }

  Source& source_;
  const Manifest& model_;
  const Artifact& artifact_;
  const File& partial_;
  const DownloadOptions& options_;
  std::vector<uint64_t> missing_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;  // guards the rest
  Status failure_;
  uint64_t verified_ = 0;
  uint64_t fetched_ = 0;
};

}  // namespace

Status download(Source& source, const Manifest& model, const Artifact& artifact,
                const File& partial, const DownloadOptions& options) {
  return Download(source, model, artifact, partial, options).run();
}

}  // namespace enm::distribution
