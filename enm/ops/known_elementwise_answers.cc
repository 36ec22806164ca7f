// Operators whose elements are computed one by one, and those that fold rows of them.
#include "enm/ops/known_answers.h"

namespace enm::ops {
namespace {

constexpr const char* kAnswers[] = {
    // One variable.
    R"(const %x: f32[3] {-1.5, 0, 2}  %y: ? = Abs "" (%x)  const %y.is: f32[3] {1.5, 0, 2})",
    R"(const %x: f32[3] {-1.5, 0, 2}  %y: ? = Neg "" (%x)  const %y.is: f32[3] {1.5, 0, -2})",
    R"(const %x: f32[4] {0, 4, 2.25, -1}  %y: ? = Sqrt "" (%x)
       const %y.is: f32[4] {0, 2, 1.5, nan})",
    R"(const %x: f32[3] {2, -4, 0}  %y: ? = Reciprocal "" (%x)
       const %y.is: f32[3] {0.5, -0.25, inf})",
    R"(const %x: f32[4] {0, 1, -1, 100}  %y: ? = Exp "" (%x)
       const %y.is: f32[4] {1, 2.7182818, 0.36787944, inf})",
    R"(const %x: f32[4] {0, 0.5, -1, 3}  %y: ? = Erf "" (%x)
       const %y.is: f32[4] {0, 0.52049988, -0.84270079, 0.99997791})",
    R"(const %x: f32[4] {0, 0.5, -2, 100}  %y: ? = Tanh "" (%x)
       const %y.is: f32[4] {0, 0.46211716, -0.96402758, 1})",
    R"(const %x: f32[4] {0, 2, -3, -200}  %y: ? = Sigmoid "" (%x)
       const %y.is: f32[4] {0.5, 0.88079708, 0.047425873, 0})",
    R"(const %x: f32[4] {-1, 0, 2, nan}  %y: ? = Relu "" (%x)
       const %y.is: f32[4] {0, 0, 2, nan})",
    R"(const %x: f32[4] {0, 1, -1, 2}  %y: ? = Gelu "" (%x)
       const %y.is: f32[4] {0, 0.84134475, -0.15865525, 1.9544997})",
    R"(const %x: f32[2] {1, -1}  %y: ? = Gelu "" (%x) {approximate = string "tanh"}
       const %y.is: f32[2] {0.84119199, -0.15880801})",
    R"(const %x: f32[4] {0, 1, -1, 2}  %y: ? = com.microsoft.Gelu "" (%x)
       const %y.is: f32[4] {0, 0.84134475, -0.15865525, 1.9544997})",
    R"(const %x: f32[2, 2] {0.5, 0, -1.5, 3}  const %b: f32[2] {0.5, -1}
       %y: ? = com.microsoft.BiasGelu "" (%x, %b)
       const %y.is: f32[2, 2] {0.84134475, -0.15865525, -0.15865525, 1.9544997})",
    R"(const %x: f32[2, 2] {0.5, 0, -1.5, 2}  const %b: f32[2] {0.5, -1}
       %y: ? = com.microsoft.FastGelu "" (%x, %b)
       const %y.is: f32[2, 2] {0.84119199, -0.15880801, -0.15880801, 0.84119199})",
    R"(const %x: f32[2] {1, -1}  %y: ? = com.microsoft.QuickGelu "" (%x)
       const %y.is: f32[2] {0.84579577, -0.15420423})",
    R"(const %x: f32[3] {-2, 0.5, 3}  const %a: f32[] {-1}  const %b: f32[] {1}
       %y: ? = Clip "" (%x, %a, %b)  const %y.is: f32[3] {-1, 0.5, 1})",
    R"(const %x: i64[3] {-2, 5, 3}  const %b: i64[] {3}  %y: ? = Clip "" (%x, _, %b)
       const %y.is: i64[3] {-2, 3, 3})",

    // Cast: floats towards zero, to halves to the nearest even one, all but 0 to true.
    R"(const %x: f32[4] {-1.5, 2.9, 0, 7}  %y: ? = Cast "" (%x) {to = int 7}
       const %y.is: i64[4] {-1, 2, 0, 7})",
    R"(const %x: f32[3] {1.5, -2, 2049}  %y: ? = Cast "" (%x) {to = int 10}
       const %y.is: f16[3] x"003e00c00068")",
    R"(const %x: f16[3] x"003e00c0007c"  %y: ? = Cast "" (%x) {to = int 1}
       const %y.is: f32[3] {1.5, -2, inf})",
    R"(const %x: f32[3] {0, -2, 0.5}  %y: ? = Cast "" (%x) {to = int 9}
       const %y.is: bool[3] {0, 1, 1})",
    R"(const %x: i64[2] {-3, 4294967301}  %y: ? = Cast "" (%x) {to = int 6}
       const %y.is: i32[2] {-3, 5})",

    // Two or more, broadcast.
    R"(const %a: f32[2, 2] {1, 2, 3, 4}  const %b: f32[2] {10, 20}  %y: ? = Add "" (%a, %b)
       const %y.is: f32[2, 2] {11, 22, 13, 24})",
    R"(const %a: i64[2] {9223372036854775807, 2}  const %b: i64[] {1}  %y: ? = Add "" (%a, %b)
       const %y.is: i64[2] {-9223372036854775808, 3})",
    R"(const %a: f32[2, 1] {1, 2}  const %b: f32[1, 3] {1, 2, 3}  %y: ? = Sub "" (%a, %b)
       const %y.is: f32[2, 3] {0, -1, -2, 1, 0, -1})",
    R"(const %a: f32[2, 1, 2] {1, 2, 3, 4}  const %b: f32[2, 1] {10, 100}
       %y: ? = Mul "" (%a, %b)
       const %y.is: f32[2, 2, 2] {10, 20, 100, 200, 30, 40, 300, 400})",
    R"(const %a: f32[3] {1, -6, 1}  const %b: f32[3] {4, 3, 0}  %y: ? = Div "" (%a, %b)
       const %y.is: f32[3] {0.25, -2, inf})",
    R"(const %a: i64[2] {7, -7}  const %b: i64[] {2}  %y: ? = Div "" (%a, %b)
       const %y.is: i64[2] {3, -3})",
    R"(const %a: f32[3] {2, 9, 5}  const %b: f32[3] {3, 0.5, 0}  %y: ? = Pow "" (%a, %b)
       const %y.is: f32[3] {8, 3, 1})",
    R"(const %a: f32[2, 2] {1, 5, 3, 4}  const %b: f32[2] {2, 3}  const %c: f32[] {2.5}
       %y: ? = Max "" (%a, %b, %c)  const %y.is: f32[2, 2] {2.5, 5, 3, 4})",
    R"(const %a: i32[3] {1, 5, 3}  const %b: i32[3] {2, 3, -4}  %y: ? = Min "" (%a, %b)
       const %y.is: i32[3] {1, 3, -4})",
    R"(const %a: i64[3] {1, 2, 3}  const %b: i64[] {2}  %y: ? = Equal "" (%a, %b)
       const %y.is: bool[3] {0, 1, 0})",
    R"(const %a: f32[4] {1, 2, 3, nan}  const %b: f32[] {2}  %y: ? = Greater "" (%a, %b)
       const %y.is: bool[4] {0, 0, 1, 0})",
    R"(const %a: f32[4] {1, 2, 3, nan}  const %b: f32[] {2}  %y: ? = GreaterOrEqual "" (%a, %b)
       const %y.is: bool[4] {0, 1, 1, 0})",
    R"(const %a: f32[4] {1, 2, 3, nan}  const %b: f32[] {2}  %y: ? = Less "" (%a, %b)
       const %y.is: bool[4] {1, 0, 0, 0})",
    R"(const %a: f32[4] {1, 2, 3, nan}  const %b: f32[] {2}  %y: ? = LessOrEqual "" (%a, %b)
       const %y.is: bool[4] {1, 1, 0, 0})",
    R"(const %a: bool[2, 1] {0, 1}  const %b: bool[2] {0, 1}  %y: ? = And "" (%a, %b)
       const %y.is: bool[2, 2] {0, 0, 0, 1})",
    R"(const %a: bool[2, 1] {0, 1}  const %b: bool[2] {0, 1}  %y: ? = Or "" (%a, %b)
       const %y.is: bool[2, 2] {0, 1, 1, 1})",
    R"(const %a: bool[2] {0, 1}  %y: ? = Not "" (%a)  const %y.is: bool[2] {1, 0})",
    R"(const %c: bool[2, 1] {1, 0}  const %a: f32[2] {1, 2}  const %b: f32[] {9}
       %y: ? = Where "" (%c, %a, %b)  const %y.is: f32[2, 2] {1, 2, 9, 9})",
    R"(const %c: bool[2] {1, 0}  const %a: u8[2] {1, 2}  const %b: u8[2] {3, 4}
       %y: ? = Where "" (%c, %a, %b)  const %y.is: u8[2] {1, 4})",

    // Along an axis.
    R"(const %x: f32[2, 3] {1, 2, 3, 4, 5, 6}  const %a: i64[] {1}  %y: ? = CumSum "" (%x, %a)
       const %y.is: f32[2, 3] {1, 3, 6, 4, 9, 15})",
    R"(const %x: i64[3] {1, 2, 3}  const %a: i32[] {-1}
       %y: ? = CumSum "" (%x, %a) {exclusive = int 1, reverse = int 1}
       const %y.is: i64[3] {5, 3, 0})",
    R"(const %x: f32[2, 2, 2] {1, 2, 3, 4, 5, 6, 7, 8}  const %a: i64[2] {0, -1}
       %y: ? = ReduceSum "" (%x, %a) {keepdims = int 0}  const %y.is: f32[2] {14, 22})",
    R"(const %x: i64[2, 2] {1, 2, 3, 4}  %y: ? = ReduceSum "" (%x)
       const %y.is: i64[1, 1] {10})",
    R"(const %x: f32[2] {1, 2}  %y: ? = ReduceSum "" (%x) {noop_with_empty_axes = int 1}
       const %y.is: f32[2] {1, 2})",
    R"(const %x: f32[2, 2] {1, 2, 3, 4}  const %a: i64[1] {1}  %y: ? = ReduceMean "" (%x, %a)
       const %y.is: f32[2, 1] {1.5, 3.5})",
    R"(opset "" 13  const %x: f32[2, 2] {1, 2, 3, 4}
       %y: ? = ReduceMean "" (%x) {axes = ints [0], keepdims = int 0}
       const %y.is: f32[2] {2, 3})",
    R"(const %x: f32[0, 2] {}  const %a: i64[1] {0}  %y: ? = ReduceMean "" (%x, %a)
       const %y.is: f32[1, 2] {0, 0})",
    R"(const %x: i64[2, 2] {-9, 2, -3, -4}  const %a: i64[1] {0}  %y: ? = ReduceMax "" (%x, %a)
       const %y.is: i64[1, 2] {-3, 2})",
    R"(const %x: f32[0, 2] {}  const %a: i64[1] {0}  %y: ? = ReduceMax "" (%x, %a)
       const %y.is: f32[1, 2] {-inf, -inf})",
    R"(const %x: f32[2, 2] {3, 4, 0, 0}  %y: ? = LpNormalization "" (%x)
       const %y.is: f32[2, 2] {0.6, 0.8, 0, 0})",
    R"(const %x: f32[2, 2] {1, -3, 3, 1}  %y: ? = LpNormalization "" (%x) {axis = int 0, p = int 1}
       const %y.is: f32[2, 2] {0.25, -0.75, 0.75, 0.25})",
    R"(const %x: f32[2, 2] {1.0986123, 0, 1000, 1000}  %y: ? = Softmax "" (%x)
       const %y.is: f32[2, 2] {0.75, 0.25, 0.5, 0.5})",
    R"(const %x: f32[2, 2] {1.0986123, 5, 0, 5}  %y: ? = Softmax "" (%x) {axis = int 0}
       const %y.is: f32[2, 2] {0.75, 0.5, 0.25, 0.5})",
    // Before opset 13 all axes from this one on were one row.
    R"(opset "" 12  const %x: f32[1, 2, 2] {1.0986123, 0, 0, 0}
       %y: ? = Softmax "" (%x) {axis = int 1}
       const %y.is: f32[1, 2, 2] {0.5, 0.16666667, 0.16666667, 0.16666667})",

    // Norms: of {1, 3} the mean is 2, the variance 1, the mean square 5.
    R"(const %x: f32[1, 2] {1, 3}  const %g: f32[2] {2, 10}  const %b: f32[2] {0.5, 1}
       %y: ?, %m: ?, %d: ? = LayerNormalization "" (%x, %g, %b) {epsilon = float 0}
       const %y.is: f32[1, 2] {-1.5, 11}  const %m.is: f32[1, 1] {2}
       const %d.is: f32[1, 1] {1})",
    R"(const %x: f32[1, 2, 2] {1, 3, 1, 3}  const %g: f32[2, 2] {1, 2, 3, 4}
       %y: ? = LayerNormalization "" (%x, %g) {axis = int 1, epsilon = float 3}
       const %y.is: f32[1, 2, 2] {-0.5, 1, -1.5, 2})",
    R"(const %x: f32[1, 2] {1, 3}  const %g: f32[2] {2, 10}
       %y: ?, %d: ? = SimplifiedLayerNormalization "" (%x, %g) {epsilon = float 11}
       const %y.is: f32[1, 2] {0.5, 7.5}  const %d.is: f32[1, 1] {0.25})",
    R"(const %x: f32[1, 1, 2] {0, 1}  const %s: f32[1, 1, 2] {0.5, 1.5}  const %g: f32[2] {2, 10}
       const %b: f32[2] {0.5, 1}  const %c: f32[2] {0.5, 0.5}
       %y: ?, _, _, %sum: ? = com.microsoft.SkipLayerNormalization ""
         (%x, %s, %g, %b, %c) {epsilon = float 0}
       const %y.is: f32[1, 1, 2] {-1.5, 11}  const %sum.is: f32[1, 1, 2] {1, 3})",
    R"(const %x: f32[1, 1, 2] {0, 1}  const %s: f32[1, 1, 2] {1, 2}  const %g: f32[2] {2, 10}
       %y: ?, _, _, %sum: ? = com.microsoft.SkipSimplifiedLayerNormalization "" (%x, %s, %g)
         {epsilon = float 11}
       const %y.is: f32[1, 1, 2] {0.5, 7.5}  const %sum.is: f32[1, 1, 2] {1, 3})",
};

}  // namespace

KnownAnswers known_elementwise_answers() { return kAnswers; }

}  // namespace enm::ops
