// What a hub says is in a model, and which of it is needed. Reads foreign JSON: limits, no network.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "enm/distribution/chunk_source.h"
#include "enm/net/hub_reference.h"

namespace enm::net {

inline constexpr uint64_t kMaxListingBytes = 16 << 20;
inline constexpr size_t kMaxListedFiles = 50'000;

struct HubListing {
  std::string commit;                           // 40 hexadecimal digits
  std::vector<distribution::RemoteFile> files;  // by name, each once; `path` is left to the source
};

/// The answer of /api/models/<id>/revision/<revision>?blobs=true: the commit, and the files that
/// it has the sizes and hashes of (a hub that does not know `blobs` tells none). Names that no
/// model may have are left out: nothing needs them. kCorrupt, kResourceExhausted.
Result<HubListing> parse_hub_revision(std::string_view text);

/// One page of /api/models/<id>/tree/<commit>?recursive=true, added to the listing.
Status add_hub_tree(std::string_view text, HubListing& listing);

/// Sorts the files by name; kCorrupt if one stands twice.
Status finish_hub_listing(HubListing& listing);

/// The files of the listing that running the model takes: configuration, tokenizer and weights, of
/// which there is one form (safetensors, else ONNX, else the one GGUF); or the file of `ref`, its
/// split set or external data, and for ONNX what stands beside it. kNotFound and kUnsupported say
/// what there is instead.
Result<std::vector<distribution::RemoteFile>> choose_hub_files(const HubListing& listing,
                                                               const HubRef& ref);

/// Which of the chosen files is the model; "" for a folder that says it itself.
std::string hub_model_file(const std::vector<std::string>& names, const HubRef& ref);

}  // namespace enm::net
