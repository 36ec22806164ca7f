// Uploads on their way to be blobs. An upload is one file and nothing else,
// DATA/uploads/<sha256>.<size>: its name says what it shall become, its length how far it came, its
// time of modification when it was last touched. So there is nothing that a crash could set against
// something else.
#pragma once

#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "registry/blobs.h"
#include "registry/file.h"

namespace enm::registry {

struct UploadLimits {
  uint64_t max_blob_size = uint64_t{16} << 30;
  int64_t expiry_seconds = 24 * 3600;
};

class Uploads;

/// The one who may write an upload; others are refused until it goes.
class UploadWriter {
 public:
  ~UploadWriter();
  UploadWriter(const UploadWriter&) = delete;

  const std::string& id() const { return id_; }
  uint64_t offset() const { return offset_; }  // bytes there
  uint64_t size() const { return size_; }      // bytes there shall be
  bool is_full() const { return offset_ == size_; }

  /// Appends; the caller keeps offset() + bytes.size() <= size(). kResourceExhausted when the disk
  /// is full: what was written until then counts.
  Status write(Bytes bytes);
  /// Returns once all bytes before offset() outlive a kill or a power cut.
  Status sync();
  /// Hashes the full upload and makes it a blob. kCorrupt if the bytes are others; either way the
  /// upload is gone.
  Status finish();

 private:
  friend class Uploads;
  UploadWriter(Uploads& uploads, std::string id, File file, uint64_t offset, uint64_t size)
      : uploads_(uploads),
        id_(std::move(id)),
        file_(std::move(file)),
        offset_(offset),
        size_(size) {}

  Uploads& uploads_;
  const std::string id_;
  File file_;
  uint64_t offset_;
  const uint64_t size_;
};

class Uploads {
 public:
  Uploads(const std::string& data, Blobs& blobs, UploadLimits limits)
      : folder_(data + "/uploads"), blobs_(blobs), limits_(limits) {}

  const UploadLimits& limits() const { return limits_; }

  struct Begun {
    std::string id;
    uint64_t offset = 0;
    bool is_new = false;
    int64_t expires_at = 0;
  };
  /// Goes on with the upload of these bytes, or begins one. kResourceExhausted when the disk is
  /// full. The caller has checked both against the limits.
  Result<Begun> begin(const std::string& sha256, uint64_t size);

  /// kNotFound if there is none of that id, kConflict if another writes it now.
  Result<std::shared_ptr<UploadWriter>> writer(const std::string& id);
  /// Bytes that are there.
  Result<uint64_t> offset(const std::string& id) const;
  /// kConflict if somebody writes it now.
  Status remove(const std::string& id);

  /// Removes what was last touched before `cutoff`.
  void sweep(int64_t cutoff);

 private:
  friend class UploadWriter;
  std::string path_of(std::string_view id) const { return cat(folder_, "/", id); }
  void release(const std::string& id);

  const std::string folder_;
  Blobs& blobs_;
  const UploadLimits limits_;
  std::mutex mutex_;  // files come and go, and writers with them, only under it
  std::set<std::string, std::less<>> writing_;
};

}  // namespace enm::registry
