#include "enm/distribution/fetch.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

namespace enm::distribution {
namespace {

class Fetch {
 public:
  Fetch(ChunkSource& source, const std::vector<RemoteFile>& files, const Cache& cache,
        const DownloadOptions& options)
      : source_(source), files_(files), cache_(cache), options_(options), progress_(files.size()) {
    out_.digests.resize(files.size());
    for (const RemoteFile& file : files) total_ += file.size;
  }

  // Files of one chunk go side by side, larger ones one after the other, their chunks side by side:
  // never are more than options.parallel chunks on their way.
  Result<Fetched> run() {
    std::vector<size_t> small;
    for (size_t i = 0; i < files_.size(); ++i) {
      if (chunk_count(files_[i].size) <= 1) small.push_back(i);
    }
    std::atomic<size_t> next{0};
    const auto fetch_small = [&] {
      for (size_t turn; !ended_ && (turn = next++) < small.size();) fetch(small[turn], 1);
    };
    const size_t threads =
        std::min(small.size(), static_cast<size_t>(std::max(options_.parallel, 1)));
    std::vector<std::thread> others;
    for (size_t i = 1; i < threads; ++i) others.emplace_back(fetch_small);
    if (threads > 0) fetch_small();
    for (std::thread& other : others) other.join();
    for (size_t i = 0; i < files_.size() && !ended_; ++i) {
      if (chunk_count(files_[i].size) > 1) fetch(i, options_.parallel);
    }
    if (!failure_.ok()) return failure_;
    return std::move(out_);
  }

 private:
  struct Progress {
    uint64_t here = 0;
    uint64_t fetched = 0;
  };

  void fetch(size_t index, int parallel) {
    auto digest = fetch_one(index, parallel);
    const std::lock_guard lock(mutex_);
    if (digest.ok()) {
      out_.digests[index] = *std::move(digest);
    } else if (failure_.ok()) {
      failure_ = digest.status();
      ended_ = true;
    }
  }

  Result<FileDigest> fetch_one(size_t index, int parallel) {
    const RemoteFile& file = files_[index];
    const DownloadOptions options{
        parallel, options_.retry, [this] { return ended_ || (options_.stop && options_.stop()); },
        [&](uint64_t here, uint64_t, uint64_t fetched) { report(index, {here, fetched}); }};
    ENM_ASSIGN_OR_RETURN(auto begun, cache_.begin(file, options.stop));
    if (auto* digest = std::get_if<FileDigest>(&begun)) {
      report(index, {file.size, 0});
      return std::move(*digest);
    }
    const auto& incoming = std::get<Cache::Incoming>(begun);
    ENM_RETURN_IF_ERROR(download(source_, file, incoming.file(), options));
    auto digest = cache_.commit(incoming, file);
    if (!digest.ok()) return digest.status().in(cat(file.name, " from ", source_.name()));
    return digest;
  }

  void report(size_t index, Progress now) {
    const std::lock_guard lock(mutex_);
    here_ += now.here - progress_[index].here;
    out_.bytes += now.fetched - progress_[index].fetched;
    progress_[index] = now;
    if (options_.report) options_.report(here_, total_, out_.bytes);
  }

  ChunkSource& source_;
  const std::vector<RemoteFile>& files_;
  const Cache& cache_;
  const DownloadOptions& options_;
  std::atomic<bool> ended_{false};
  std::mutex mutex_;  // guards the rest
  std::vector<Progress> progress_;
  uint64_t here_ = 0;
  uint64_t total_ = 0;
  Fetched out_;
  Status failure_;
};

}  // namespace

Result<Fetched> fetch_files(ChunkSource& source, const std::vector<RemoteFile>& files,
                            const Cache& cache, const DownloadOptions& options) {
  return Fetch(source, files, cache, options).run();
}

}  // namespace enm::distribution
