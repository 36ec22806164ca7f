// Products, quantization, and attention.
#include "enm/ops/known_answers.h"

namespace enm::ops {
namespace {

constexpr const char* kAnswers[] = {
    R"(const %a: f32[2, 2] {1, 2, 3, 4}  const %b: f32[2, 3] {1, 0, 2, 0, 1, -1}
       %y: ? = MatMul "" (%a, %b)  const %y.is: f32[2, 3] {1, 2, 0, 3, 4, 2})",
    R"(const %a: f32[2, 1, 2] {1, 2, 3, 4}  const %b: f32[2, 2, 1] {1, 1, 10, 100}
       %y: ? = MatMul "" (%a, %b)  const %y.is: f32[2, 1, 1] {3, 430})",
    R"(const %a: f32[2, 0] {}  const %b: f32[0, 2] {}  %y: ? = MatMul "" (%a, %b)
       const %y.is: f32[2, 2] {0, 0, 0, 0})",
    R"(const %a: f32[2, 1] {1, 2}  const %b: f32[2, 2] {1, 0, 3, 1}  const %c: f32[2] {10, 20}
       %y: ? = Gemm "" (%a, %b, %c)
         {transA = int 1, transB = int 1, alpha = float 2, beta = float 0.5}
       const %y.is: f32[1, 2] {7, 20})",
    R"(const %a: f32[2, 2] {1, 2, 3, 4}  const %b: f32[2, 1] {1, 1}  const %c: f32[2, 1] {10, 20}
       %y: ? = Gemm "" (%a, %b, %c)  const %y.is: f32[2, 1] {13, 27})",

    // The specification's own numbers.
    R"(const %a: u8[4, 3] {11, 7, 3, 10, 6, 2, 9, 5, 1, 8, 4, 0}
       const %b: u8[3, 2] {1, 4, 2, 5, 3, 6}  const %az: u8[] {12}  const %bz: u8[] {0}
       %y: ? = MatMulInteger "" (%a, %b, %az, %bz)
       const %y.is: i32[4, 2] {-38, -83, -44, -98, -50, -113, -56, -128})",
    R"(const %a: u8[1, 2] {200, 255}  const %b: i8[2, 2] {-128, 127, 1, -1}
       const %bz: i8[2] {-1, 1}  const %az: u8[] {0}  %y: ? = MatMulInteger "" (%a, %b, %az, %bz)
       const %y.is: i32[1, 2] {-24890, 24690})",
    R"(const %a: u8[1, 2] {3, 5}  const %b: i8[2, 2] {1, -2, 4, 6}  const %as: f32[] {0.5}
       const %bs: f32[2] {1, 2}  const %az: u8[] {1}  const %bz: i8[2] {0, 1}
       const %bias: f32[2] {100, 200}
       %y: ? = com.microsoft.MatMulIntegerToFloat "" (%a, %b, %as, %bs, %az, %bz, %bias)
       const %y.is: f32[1, 2] {109, 214})",
    // From 0 to 255: the dynamic grid has the scale 1 and the zero point 0.
    R"(const %a: f32[1, 4] {0, 255, 10, 3}  const %b: u8[4, 2] {9, 9, 3, 1, 2, 4, 7, 0}
       const %bs: f32[2] {0.5, 1}  const %bz: u8[2] {2, 1}  const %bias: f32[2] {1, -1}
       %y: ? = com.microsoft.DynamicQuantizeMatMul "" (%a, %b, %bs, %bz, %bias)
       const %y.is: f32[1, 2] {136, 26})",

    // Blocks of 16: nibbles lie low ones first and stand for themselves less 8, bytes less 128,
    // or less the zero point given.
    R"(const %a: f32[1, 16] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
       const %b: u8[2, 1, 8] x"99999999999999997a7a7a7a7a7a7a7a"  const %s: f32[2] {0.5, 1}
       const %bias: f32[2] {1, -1}
       %y: ? = com.microsoft.MatMulNBits "" (%a, %b, %s, _, _, %bias)
         {K = int 16, N = int 2, block_size = int 16}
       const %y.is: f32[1, 2] {69, 55})",
    R"(const %a: f32[1, 17] {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2}
       const %b: u8[1, 2, 8] x"33333333333333330500000000000000"  const %s: f32[2] {1, 10}
       const %z: u8[1] x"42"  %y: ? = com.microsoft.MatMulNBits "" (%a, %b, %s, %z)
         {K = int 17, N = int 1, block_size = int 16}
       const %y.is: f32[1, 1] {36})",
    R"(const %a: f32[1, 16] {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2}
       const %b: u8[1, 1, 16] x"ff000000000000000000000000000081"  const %s: f32[1] {0.5}
       %y: ? = com.microsoft.MatMulNBits "" (%a, %b, %s)
         {K = int 16, N = int 1, block_size = int 16, bits = int 8}
       const %y.is: f32[1, 1] {64.5})",
    R"(const %t: u8[2, 8] x"000000000000000089abcdef01234567"  const %i: i64[1] {1}
       const %s: f32[2, 1] {1, 0.5}
       %y: ? = com.microsoft.GatherBlockQuantized "" (%t, %i, %s) {block_size = int 16}
       const %y.is: f32[1, 16]
         {0.5, 0, 1.5, 1, 2.5, 2, 3.5, 3, -3.5, -4, -2.5, -3, -1.5, -2, -0.5, -1})",
    R"(const %t: u8[2, 16] x"000102030405060708090a0b0c0d0e0ff0000000000000000000000000000001"
       const %i: i32[2] {-1, 0}  const %s: f32[2, 1] {1, 2}  const %z: u8[2, 1] {15, 1}
       %y: ? = com.microsoft.GatherBlockQuantized "" (%t, %i, %s, %z)
         {bits = int 8, block_size = int 16}
       const %y.is: f32[2, 16] {478, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, -2, 0,
         -15, -14, -13, -12, -11, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0})",

    // Halves go to the even number; the ends saturate.
    R"(const %x: f32[5] {-3, 0.5, 1.5, -0.5, 300}  const %s: f32[] {1}  const %z: u8[] {2}
       %y: ? = QuantizeLinear "" (%x, %s, %z)  const %y.is: u8[5] {0, 2, 4, 2, 255})",
    R"(const %x: f32[2, 2] {3, -9, -300, 5}  const %s: f32[2] {1, 2}  const %z: i8[2] {1, -1}
       %y: ? = QuantizeLinear "" (%x, %s, %z) {axis = int 0}
       const %y.is: i8[2, 2] {4, -8, -128, 1})",
    R"(const %x: u8[3] {0, 2, 255}  const %s: f32[] {0.5}  const %z: u8[] {2}
       %y: ? = DequantizeLinear "" (%x, %s, %z)  const %y.is: f32[3] {-1, 0, 126.5})",
    R"(const %x: i32[1, 2] {100000, -3}  const %s: f32[2] {2, 0.5}
       %y: ? = DequantizeLinear "" (%x, %s)  const %y.is: f32[1, 2] {200000, -1.5})",
    R"(const %x: f32[6] {0, 2, -3, -2.5, 1.34, 0.5}
       %y: ?, %s: ?, %z: ? = DynamicQuantizeLinear "" (%x)
       const %y.is: u8[6] {153, 255, 0, 26, 221, 179}
       const %s.is: f32[] {0.019607844}  const %z.is: u8[] {153})",

    // The first pair of the second position turns by a right angle, the second one not.
    R"(const %x: f32[1, 1, 1, 4] {1, 2, 3, 4}  const %c: f32[2, 2] {9, 9, 0, 1}
       const %s: f32[2, 2] {9, 9, 1, 0}  const %p: i64[1, 1] {1}
       %y: ? = RotaryEmbedding "" (%x, %c, %s, %p)
       const %y.is: f32[1, 1, 1, 4] {-3, 2, 1, 4})",
    R"(const %x: f32[1, 1, 8] {1, 2, 3, 4, 5, 6, 7, 8}  const %c: f32[1, 1, 2] {0, 1}
       const %s: f32[1, 1, 2] {1, 0}
       %y: ? = RotaryEmbedding "" (%x, %c, %s) {num_heads = int 2, interleaved = int 1}
       const %y.is: f32[1, 1, 8] {-2, 1, 3, 4, -6, 5, 7, 8})",
    R"(const %x: f32[1, 2, 4] {1, 2, 3, 4, 5, 6, 7, 8}  const %c: f32[2, 2] {1, 1, 0, 1}
       const %s: f32[2, 2] {0, 0, 1, 0}  const %p: i64[1] {0}
       %y: ? = com.microsoft.RotaryEmbedding "" (%x, %p, %c, %s)
       const %y.is: f32[1, 2, 4] {1, 2, 3, 4, -7, 6, 5, 8})",

    // A score of ln 3 against one of 0: weights of 3/4 and 1/4.
    R"(const %q: f32[1, 1, 2] {1.0986123, 0}  const %k: f32[1, 2, 2] {1, 0, 0, 5}
       const %v: f32[1, 2, 2] {4, 0, 0, 8}
       %y: ? = com.microsoft.MultiHeadAttention "" (%q, %k, %v)
         {num_heads = int 1, scale = float 1}
       const %y.is: f32[1, 1, 2] {3, 2})",
    R"(const %q: f32[1, 1, 2] {1.0986123, 0}  const %k: f32[1, 2, 2] {1, 0, 0, 5}
       const %v: f32[1, 2, 2] {4, 6, 0, 8}  const %mask: i32[1, 2] {0, 1}
       %y: ? = com.microsoft.MultiHeadAttention "" (%q, %k, %v, _, %mask)
         {num_heads = int 2, scale = float 1}
       const %y.is: f32[1, 1, 2] {0, 8})",
    // Two heads share keys and values; the first token sees itself alone.
    R"(const %q: f32[1, 2, 4] {7, 7, 7, 7, 1.0986123, 0, 0, 0}
       const %k: f32[1, 2, 2] {1, 0, 0, 5}  const %v: f32[1, 2, 2] {4, 0, 0, 8}
       const %last: i32[1] {1}  const %total: i32[] {2}
       %y: ?, %keys: ?, %values: ? = com.microsoft.GroupQueryAttention ""
         (%q, %k, %v, _, _, %last, %total)
         {num_heads = int 2, kv_num_heads = int 1, scale = float 1}
       const %y.is: f32[1, 2, 4] {4, 0, 4, 0, 3, 2, 2, 4}
       const %keys.is: f32[1, 1, 2, 2] {1, 0, 0, 5}
       const %values.is: f32[1, 1, 2, 2] {4, 0, 0, 8})",
    // One token after a past one; a sink of 0 takes one part of five.
    R"(const %q: f32[1, 1, 2] {1.0986123, 0}  const %k: f32[1, 1, 2] {0, 5}
       const %v: f32[1, 1, 2] {0, 8}  const %pk: f32[1, 1, 1, 2] {1, 0}
       const %pv: f32[1, 1, 1, 2] {4, 0}  const %last: i32[1] {1}  const %total: i32[] {2}
       const %sink: f32[1] {0}
       %y: ?, %keys: ?, %values: ? = com.microsoft.GroupQueryAttention ""
         (%q, %k, %v, %pk, %pv, %last, %total, _, _, _, _, %sink)
         {num_heads = int 1, kv_num_heads = int 1, scale = float 1}
       const %y.is: f32[1, 1, 2] {2.4, 1.6}
       const %keys.is: f32[1, 1, 2, 2] {1, 0, 0, 5}
       const %values.is: f32[1, 1, 2, 2] {4, 0, 0, 8})",
    // A window of one token, and keys that turn: position 1 by a right angle.
    R"(const %q: f32[1, 1, 2] {1, 0}  const %k: f32[1, 1, 2] {1, 2}  const %v: f32[1, 1, 2] {3, 8}
       const %pk: f32[1, 1, 1, 2] {1, 0}  const %pv: f32[1, 1, 1, 2] {4, 0}
       const %last: i32[1] {1}  const %total: i32[] {2}
       const %c: f32[2, 1] {1, 0}  const %s: f32[2, 1] {0, 1}
       %y: ?, %keys: ?, %values: ? = com.microsoft.GroupQueryAttention ""
         (%q, %k, %v, %pk, %pv, %last, %total, %c, %s)
         {num_heads = int 1, kv_num_heads = int 1, do_rotary = int 1, local_window_size = int 1}
       const %y.is: f32[1, 1, 2] {3, 8}
       const %keys.is: f32[1, 1, 2, 2] {1, 0, -2, 1}
       const %values.is: f32[1, 1, 2, 2] {4, 0, 3, 8})",
};

}  // namespace

KnownAnswers known_product_answers() { return kAnswers; }

}  // namespace enm::ops
