#include "enm/distribution/download.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace enm::distribution {
namespace {

class Download {
 public:
  Download(ChunkSource& source, const RemoteFile& file, const File& partial,
           const DownloadOptions& options)
      : source_(source),
        file_(file),
        partial_(partial),
        options_(options),
        noting_(file.chunks.empty()),
        known_(file.chunks) {}

  Status run() {
    if (noting_) ENM_RETURN_IF_ERROR(open_notes());
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
  uint64_t length(uint64_t chunk) const { return chunk_length(file_.size, chunk); }

  Status open_notes() {
    known_.resize(chunk_count(file_.size));
    ENM_ASSIGN_OR_RETURN(notes_, File::open_write(chunk_notes(partial_.path())));
    return notes_
        .read_at(0, {reinterpret_cast<uint8_t*>(known_.data()), known_.size() * sizeof(Digest)})
        .status();
  }

  // Hashes what is there. Holes were never written; the scan skips them.
  Status find_missing() {
    ENM_ASSIGN_OR_RETURN(const uint64_t size, partial_.size());
    if (size > file_.size) ENM_RETURN_IF_ERROR(partial_.resize(file_.size));
    std::vector<uint8_t> buffer(kChunkSize);
    for (uint64_t i = 0; i < known_.size(); ++i) {
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
        present = got == bytes.size() && sha256(bytes) == known_[i];
      }
      if (present) {
        here_ += bytes.size();
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
      if (status.ok()) status = keep(chunk, bytes);
      const std::lock_guard lock(mutex_);
      if (status.ok()) {
        here_ += bytes.size();
        report(bytes.size());
      } else if (failure_.ok()) {
        failure_ = status.in(file_.name);
        ended_ = true;
      }
    }
  }

  Status fetch(uint64_t chunk, MutableBytes bytes) {
    const uint64_t begin = chunk * kChunkSize;
    ENM_RETURN_IF_ERROR(source_.read(file_, begin, bytes));
    if (noting_) return Status();
    const Digest got = sha256(bytes);
    if (got == known_[chunk]) return Status();
    return Corrupt("bytes ", begin, " to ", begin + bytes.size() - 1, " from ", source_.name(),
                   " have SHA-256 ", to_hex(got), "; the manifest says ", to_hex(known_[chunk]));
  }

  // The note comes last: a chunk that was cut off has none that fits.
  Status keep(uint64_t chunk, Bytes bytes) {
    ENM_RETURN_IF_ERROR(partial_.write_at(chunk * kChunkSize, bytes));
    return noting_ ? notes_.write_at(chunk * sizeof(Digest), sha256(bytes)) : Status();
  }

  void report(uint64_t fetched) {
    fetched_ += fetched;
    if (options_.report) options_.report(here_, file_.size, fetched_);
  }

  ChunkSource& source_;
  const RemoteFile& file_;
  const File& partial_;
  const DownloadOptions& options_;
  const bool noting_;
  std::vector<Digest> known_;
  File notes_;
  std::vector<uint64_t> missing_;
  std::atomic<size_t> next_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;  // guards the rest
  Status failure_;
  uint64_t here_ = 0;
  uint64_t fetched_ = 0;
};

}  // namespace

std::string chunk_notes(const std::string& partial) { return partial + ".chunks"; }

Status download(ChunkSource& source, const RemoteFile& file, const File& partial,
                const DownloadOptions& options) {
  return Download(source, file, partial, options).run();
}

}  // namespace enm::distribution
