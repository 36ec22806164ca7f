#include "registry/uploads.h"

#include <fcntl.h>

#include <charconv>
#include <filesystem>
#include <optional>

#include "enm/distribution/integrity.h"
#include "registry/http.h"

namespace enm::registry {
namespace {

constexpr size_t kHashStep = 1 << 20;

struct Name {
  std::string sha256;
  uint64_t size = 0;
};

std::string name_of(const std::string& sha256, uint64_t size) { return cat(sha256, ".", size); }

// The one spelling that name_of writes; so an id from outside never leaves the folder.
std::optional<Name> parse_name(const std::string& id) {
  Name name;
  if (id.size() < 66 || id.size() > 85 || id[64] != '.') return std::nullopt;
  name.sha256 = id.substr(0, 64);
  std::from_chars(id.data() + 65, id.data() + id.size(), name.size);
  if (!is_sha256(name.sha256) || name_of(name.sha256, name.size) != id) return std::nullopt;
  return name;
}

Result<std::string> hash(const File& file) {
  distribution::Sha256 hasher;
  std::vector<uint8_t> step(kHashStep);
  for (uint64_t offset = 0;;) {
    ENM_ASSIGN_OR_RETURN(const size_t got, file.read_at(offset, step));
    if (got == 0) break;
    hasher.update(Bytes(step).first(got));
    offset += got;
  }
  return distribution::to_hex(hasher.finish());
}

Status no_such_upload(const std::string& id) {
  return NotFound("no upload ", enm::quoted(id), ": it is finished, expired or was never begun");
}

}  // namespace

UploadWriter::~UploadWriter() { uploads_.release(id_); }

Status UploadWriter::write(Bytes bytes) {
  Status status = file_.write_at(offset_, bytes);
  if (status.ok()) {
    offset_ += bytes.size();
    return {};
  }
  ENM_ASSIGN_OR_RETURN(offset_, file_.size());
  return status;
}

Status UploadWriter::sync() { return file_.sync(); }

Status UploadWriter::finish() {
  const std::string path = uploads_.path_of(id_);
  const std::string expected = id_.substr(0, 64);
  ENM_ASSIGN_OR_RETURN(const std::string got, hash(file_));
  if (got != expected) {
    (void)remove_file(path);
    return Corrupt("the bytes have SHA-256 ", got, "; expected ", expected);
  }
  return uploads_.blobs_.adopt(path, file_, expected);
}

Result<Uploads::Begun> Uploads::begin(const std::string& sha256, uint64_t size) {
  Begun begun{.id = name_of(sha256, size)};
  const std::string path = path_of(begun.id);
  const std::lock_guard lock(mutex_);
  const auto before = file_info(path);
  begun.is_new = !before.ok();
  if (before.ok()) begun.offset = before->size;
  ENM_RETURN_IF_ERROR(File::open(path, O_WRONLY | O_CREAT).status());
  ENM_RETURN_IF_ERROR(touch_file(path));
  begun.expires_at = now_seconds() + limits_.expiry_seconds;
  return begun;
}

Result<std::shared_ptr<UploadWriter>> Uploads::writer(const std::string& id) {
  const auto name = parse_name(id);
  if (!name) return no_such_upload(id);
  const std::lock_guard lock(mutex_);
  if (writing_.contains(id)) return Conflict("another client writes this upload now");
  Result<File> file = File::open(path_of(id), O_RDWR);
  if (file.status().code() == Code::kNotFound) return no_such_upload(id);
  if (!file.ok()) return file.status();
  ENM_ASSIGN_OR_RETURN(const uint64_t offset, file->size());
  writing_.insert(id);
  return std::shared_ptr<UploadWriter>(
      new UploadWriter(*this, id, *std::move(file), offset, name->size));
}

void Uploads::release(const std::string& id) {
  const std::lock_guard lock(mutex_);
  writing_.erase(id);
}

Result<uint64_t> Uploads::offset(const std::string& id) const {
  if (!parse_name(id)) return no_such_upload(id);
  const auto info = file_info(path_of(id));
  if (info.status().code() == Code::kNotFound) return no_such_upload(id);
  if (!info.ok()) return info.status();
  return info->size;
}

Status Uploads::remove(const std::string& id) {
  if (!parse_name(id)) return no_such_upload(id);
  const std::lock_guard lock(mutex_);
  if (writing_.contains(id)) return Conflict("another client writes this upload now");
  const Status status = remove_file(path_of(id));
  return status.code() == Code::kNotFound ? no_such_upload(id) : status;
}

void Uploads::sweep(int64_t cutoff) {
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string path = entry->path().string();
    const std::lock_guard lock(mutex_);
    if (writing_.contains(entry->path().filename().string())) continue;
    const auto info = file_info(path);
    if (info.ok() && info->modified < cutoff) (void)remove_file(path);
  }
}

}  // namespace enm::registry
