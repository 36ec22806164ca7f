#include "enm/ops/support.h"

#include <algorithm>

namespace enm::ops {

Status broadcast_dims(const TensorView& a, const TensorView& b, TensorView& out) {
  out.rank = std::max(a.rank, b.rank);
  for (int i = 1; i <= out.rank; ++i) {
    const int64_t da = i <= a.rank ? a.dim(a.rank - i) : 1;
    const int64_t db = i <= b.rank ? b.dim(b.rank - i) : 1;
    if (da != db && da != 1 && db != 1) {
      return InvalidArgument(view_str(a), " and ", view_str(b), " do not broadcast");
    }
    out.dims[static_cast<size_t>(out.rank - i)] = da == 1 ? db : da;
  }
  return {};
}

}  // namespace enm::ops
