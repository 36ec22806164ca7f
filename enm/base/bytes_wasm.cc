#include "enm/base/bytes.h"

namespace enm {

void Blob::discard_pages(size_t, size_t) const {}

}  // namespace enm
