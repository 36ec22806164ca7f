#include "wasm/host_files.h"

#include "enm/base/aligned_memory.h"

#define ENM_IMPORT(name) extern "C" __attribute__((import_module("host"), import_name(#name)))

/// Bytes of the named file, or -1 if there is none.
ENM_IMPORT(file_size) double file_size(const char* name, uint32_t name_size);
/// Fills [out, out + size) from `offset` on; 0 if that fails.
ENM_IMPORT(file_read)
uint32_t file_read(const char* name, uint32_t name_size, double offset, uint8_t* out,
                   uint32_t size);

namespace enm::wasm {

bool HostFiles::contains(std::string_view name) const {
  return file_size(name.data(), static_cast<uint32_t>(name.size())) >= 0;
}

Result<uint64_t> HostFiles::size(std::string_view name) const {
  const double size = file_size(name.data(), static_cast<uint32_t>(name.size()));
  if (size < 0) return NotFound("no file ", quoted(name));
  return static_cast<uint64_t>(size);
}

Result<Blob> HostFiles::open(std::string_view name) const {
  ENM_ASSIGN_OR_RETURN(const uint64_t bytes, size(name));
  constexpr uint64_t kMost = uint64_t{1} << 31;  // what a module of 4 GiB can hold beside the rest
  if (bytes > kMost) {
    return ResourceExhausted(name, " has ", bytes, " bytes; at most ", kMost,
                             " fit without external data");
  }
  ENM_ASSIGN_OR_RETURN(AlignedMemory data, AlignedMemory::allocate(bytes, name));
  ENM_RETURN_IF_ERROR(read(name, 0, data.bytes()));
  return AlignedMemory::as_blob(std::move(data));
}

Status HostFiles::read(std::string_view name, uint64_t offset, MutableBytes out) const {
  if (out.empty()) return Status();
  const uint32_t done =
      file_read(name.data(), static_cast<uint32_t>(name.size()), static_cast<double>(offset),
                out.data(), static_cast<uint32_t>(out.size()));
  if (done == 0) return Unavailable("the host could not read ", out.size(), " bytes of ", name);
  return Status();
}

}  // namespace enm::wasm
