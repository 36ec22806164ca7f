// Every operator's row, by the file that defines it.
#pragma once

#include "enm/ops/op.h"

namespace enm::ops {

#define ENM_OP(name) extern const Op name;
#include "enm/ops/ops.inc"
#undef ENM_OP

}  // namespace enm::ops
