// Operators that make, move and measure.
#include "enm/ops/known_answers.h"

namespace enm::ops {
namespace {

constexpr const char* kAnswers[] = {
    R"(%y: ? = Constant "" () {value_ints = ints [3, -1]}  const %y.is: i64[2] {3, -1})",
    R"(%y: ? = Constant "" () {value_float = float 0.5}  const %y.is: f32[] {0.5})",
    R"(%y: ? = Constant "" () {value = tensor u8[1, 2] {7, 8}}  const %y.is: u8[1, 2] {7, 8})",
    R"(const %s: i64[2] {2, 1}  %y: ? = ConstantOfShape "" (%s)  const %y.is: f32[2, 1] {0, 0})",
    R"(const %s: i64[1] {3}  %y: ? = ConstantOfShape "" (%s) {value = tensor i32[1] {-7}}
       const %y.is: i32[3] {-7, -7, -7})",
    R"(const %s: i64[0] {}  %y: ? = ConstantOfShape "" (%s)  const %y.is: f32[] {0})",
    R"(const %a: i64[] {5}  const %b: i64[] {-2}  const %c: i64[] {-3}
       %y: ? = Range "" (%a, %b, %c)  const %y.is: i64[3] {5, 2, -1})",
    R"(const %a: f32[] {0}  const %b: f32[] {1.25}  const %c: f32[] {0.5}
       %y: ? = Range "" (%a, %b, %c)  const %y.is: f32[3] {0, 0.5, 1})",
    R"(const %a: i64[] {2}  const %b: i64[] {1}  const %c: i64[] {1}
       %y: ? = Range "" (%a, %b, %c)  const %y.is: i64[0] {})",

    R"(const %x: f32[2, 3, 1] {1, 2, 3, 4, 5, 6}  %y: ? = Shape "" (%x)
       const %y.is: i64[3] {2, 3, 1})",
    R"(const %x: f32[2, 3, 1] {1, 2, 3, 4, 5, 6}
       %y: ? = Shape "" (%x) {start = int -2, end = int -1}  const %y.is: i64[1] {3})",
    R"(const %x: f32[2, 2] {0, 1, -2, 3}  %y: ? = NonZero "" (%x)
       const %y.is: i64[2, 3] {0, 1, 1, 1, 0, 1})",
    R"(const %x: bool[2] {0, 0}  %y: ? = NonZero "" (%x)  const %y.is: i64[1, 0] {})",
    R"(const %x: i32[2] {1, 2}  %y: ? = Identity "" (%x)  const %y.is: i32[2] {1, 2})",

    R"(const %x: f32[2, 3] {1, 2, 3, 4, 5, 6}  const %s: i64[3] {-1, 0, 2}
       %y: ? = Reshape "" (%x, %s)  const %y.is: f32[1, 3, 2] {1, 2, 3, 4, 5, 6})",
    R"(const %x: f32[0, 4] {}  const %s: i64[2] {3, 0}
       %y: ? = Reshape "" (%x, %s) {allowzero = int 1}  const %y.is: f32[3, 0] {})",
    R"(const %x: u8[2, 1, 3] {1, 2, 3, 4, 5, 6}  %y: ? = Flatten "" (%x) {axis = int 2}
       const %y.is: u8[2, 3] {1, 2, 3, 4, 5, 6})",
    R"(const %x: u8[2, 3] {1, 2, 3, 4, 5, 6}  %y: ? = Flatten "" (%x) {axis = int 0}
       const %y.is: u8[1, 6] {1, 2, 3, 4, 5, 6})",
    R"(const %x: f32[1, 2, 1] {1, 2}  const %a: i64[1] {-1}  %y: ? = Squeeze "" (%x, %a)
       const %y.is: f32[1, 2] {1, 2})",
    R"(const %x: f32[1, 2, 1] {1, 2}  %y: ? = Squeeze "" (%x)  const %y.is: f32[2] {1, 2})",
    R"(opset "" 11  const %x: f32[1, 2, 1] {1, 2}  %y: ? = Squeeze "" (%x) {axes = ints [0]}
       const %y.is: f32[2, 1] {1, 2})",
    R"(const %x: f32[2] {1, 2}  const %a: i64[2] {2, 0}  %y: ? = Unsqueeze "" (%x, %a)
       const %y.is: f32[1, 2, 1] {1, 2})",

    R"(const %x: f32[2, 3] {1, 2, 3, 4, 5, 6}  %y: ? = Transpose "" (%x)
       const %y.is: f32[3, 2] {1, 4, 2, 5, 3, 6})",
    R"(const %x: u8[1, 2, 3] {1, 2, 3, 4, 5, 6}
       %y: ? = Transpose "" (%x) {perm = ints [1, 2, 0]}
       const %y.is: u8[2, 3, 1] {1, 2, 3, 4, 5, 6})",
    R"(const %x: i64[2, 1, 2] {1, 2, 3, 4}  %y: ? = Transpose "" (%x) {perm = ints [2, 1, 0]}
       const %y.is: i64[2, 1, 2] {1, 3, 2, 4})",
    R"(const %a: f32[2, 1] {1, 2}  const %b: f32[2, 2] {3, 4, 5, 6}
       %y: ? = Concat "" (%a, %b) {axis = int -1}
       const %y.is: f32[2, 3] {1, 3, 4, 2, 5, 6})",
    R"(const %a: i64[1] {1}  const %b: i64[0] {}  const %c: i64[1] {3}
       %y: ? = Concat "" (%a, %b, %c) {axis = int 0}  const %y.is: i64[2] {1, 3})",
    R"(const %x: f32[2, 3] {1, 2, 3, 4, 5, 6}  const %s: i64[2] {1, 2}
       %y: ?, %z: ? = Split "" (%x, %s) {axis = int 1}
       const %y.is: f32[2, 1] {1, 4}  const %z.is: f32[2, 2] {2, 3, 5, 6})",
    R"(const %x: f32[3] {1, 2, 3}  %y: ?, %z: ? = Split "" (%x) {num_outputs = int 2}
       const %y.is: f32[2] {1, 2}  const %z.is: f32[1] {3})",
    R"(const %x: f32[2, 4] {1, 2, 3, 4, 5, 6, 7, 8}  const %a: i64[2] {0, -1}
       const %b: i64[2] {1, -9}  const %axes: i64[2] {0, 1}  const %steps: i64[2] {1, -2}
       %y: ? = Slice "" (%x, %a, %b, %axes, %steps)  const %y.is: f32[1, 2] {4, 2})",
    R"(const %x: u8[4] {1, 2, 3, 4}  const %a: i32[1] {-3}  const %b: i32[1] {2147483647}
       %y: ? = Slice "" (%x, %a, %b)  const %y.is: u8[3] {2, 3, 4})",
    R"(const %x: f32[3, 2] {1, 2, 3, 4, 5, 6}  const %i: i64[2, 1] {2, -3}
       %y: ? = Gather "" (%x, %i)  const %y.is: f32[2, 1, 2] {5, 6, 1, 2})",
    R"(const %x: f32[2, 3] {1, 2, 3, 4, 5, 6}  const %i: i32[] {1}
       %y: ? = Gather "" (%x, %i) {axis = int 1}  const %y.is: f32[2] {2, 5})",
    R"(const %x: f32[2, 1] {1, 2}  const %s: i64[3] {2, 1, 3}  %y: ? = Expand "" (%x, %s)
       const %y.is: f32[2, 2, 3] {1, 1, 1, 2, 2, 2, 1, 1, 1, 2, 2, 2})",
};

}  // namespace

KnownAnswers known_layout_answers() { return kAnswers; }

}  // namespace enm::ops
