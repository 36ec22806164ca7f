// What a valid node of each operator looks like: where makers of graphs begin before they damage
// it.
#pragma once

#include <string_view>

namespace enm::fuzz {

/// Inputs: words `type[*]:dims[=values]`, or `_` for one that is not given.
///   type    f, i, j, u, c, b: f32, i64, i32, u8, i8, bool
///   *       a constant; without it the maker chooses
///   dims    a letter or digit each: letters are sizes that the maker draws, the same everywhere in
///           a graph; `?` alone stands for the dims of some earlier value, or any
///   values  letters or digits with commas; otherwise the maker draws them
/// Attributes: words `name=value` (letters and digits again, lists with commas).
struct Recipe {
  std::string_view op;
  std::string_view domain;
  std::string_view inputs;
  std::string_view attributes = "";
};

inline constexpr std::string_view kMs = "com.microsoft";

/// Letters: b batch, s tokens, k depth (a multiple of 32), q = k / 32, o = k / 2, n width, h = 2
/// heads, d head size, e = d / 2, H = h d, G = d (one head of keys), A = H + 2 G, p past tokens,
/// P = p + s, Q = P - 1, m = 16 positions, w = 2 n, x = 16, y = 32, z = k / 16.
inline constexpr Recipe kRecipes[] = {
    {"Abs", "", "f:?"},
    {"Add", "", "f:bsn f:n"},
    {"Add", "", "i:bs i:1"},
    {"And", "", "b:bs b:s"},
    {"BiasGelu", kMs, "f:bsn f:n"},
    {"Cast", "", "f:?", "to=7"},
    {"Cast", "", "f:?", "to=10"},
    {"Cast", "", "i:?", "to=1"},
    {"Cast", "", "f:?", "to=1"},
    {"Clip", "", "f:? f*: f*:"},
    {"Concat", "", "f:bsn f:bpn", "axis=1"},
    {"Concat", "", "i*:1 i*:2 i:1", "axis=0"},
    {"Constant", "", "", "value_ints=1,s,n"},
    {"ConstantOfShape", "", "i*:2=s,n"},
    {"CumSum", "", "f:bsn i*:=1"},
    {"DequantizeLinear", "", "u:sn f: u:"},
    {"DequantizeLinear", "", "c:sn f:n c:n", "axis=1"},
    {"Div", "", "f:bsn f:sn"},
    {"Div", "", "i:s i:s"},
    {"DynamicQuantizeLinear", "", "f:sn"},
    {"DynamicQuantizeMatMul", kMs, "f:sk u*:kn f*:n u*:n f*:n"},
    {"DynamicQuantizeMatMul", kMs, "f:sk c:kn f:"},
    {"Equal", "", "i:bs i:s"},
    {"Erf", "", "f:?"},
    {"Exp", "", "f:?"},
    {"Expand", "", "f:1n i*:3=b,s,n"},
    {"FastGelu", kMs, "f:bsn f:n"},
    {"FastGelu", kMs, "f:bsn"},
    {"Flatten", "", "f:bsn", "axis=2"},
    {"Gather", "", "f:mn i:bs"},
    {"Gather", "", "f:bsn i*:=0", "axis=1"},
    {"GatherBlockQuantized", kMs, "u*:mo i:bs f*:mq", "block_size=32 quantize_axis=1"},
    {"GatherBlockQuantized", kMs, "u:mk i:s f:mq u:mq", "bits=8 block_size=32 quantize_axis=1"},
    {"Gelu", "", "f:?"},
    {"Gelu", kMs, "f:?"},
    {"Gemm", "", "f:sk f*:kn f:n"},
    {"Gemm", "", "f:ks f:nk", "transA=1 transB=1"},
    {"Greater", "", "f:bs f:s"},
    {"GreaterOrEqual", "", "f:bs f:1"},
    {"GroupQueryAttention", kMs, "f:bsH f:bsG f:bsG f:b1pd f:b1pd j:b=Q,Q j*:=P f:me f:me",
     "num_heads=h kv_num_heads=1 do_rotary=1"},
    {"GroupQueryAttention", kMs, "f:bsA _ _ _ _ j:b=Q,Q j*:=P", "num_heads=h kv_num_heads=1"},
    {"GroupQueryAttention", kMs,
     "f:bsH f:bsG f:bsG f:b1pd f:b1pd j:b=Q,Q j*:=P _ _ i:bs f:b1sP f:h",
     "num_heads=h kv_num_heads=1 local_window_size=2"},
    {"Identity", "", "f:?"},
    {"LayerNormalization", "", "f:bsn f:n f:n"},
    {"LayerNormalization", "", "f:bsn f:sn f:sn", "axis=1"},
    {"Less", "", "f:bs f:bs"},
    {"LessOrEqual", "", "i:bs i:bs"},
    {"LpNormalization", "", "f:bsn"},
    {"MatMul", "", "f:bsk f*:kn"},
    {"MatMul", "", "f:bsk f:bkn"},
    {"MatMulInteger", "", "u:bsk c*:kn u: c:"},
    {"MatMulInteger", "", "u:sk u:kn"},
    {"MatMulIntegerToFloat", kMs, "u:sk c*:kn f: f*:n u: c*:n f*:n"},
    {"MatMulNBits", kMs, "f:bsk u*:nz8 f*:nz", "K=k N=n block_size=16"},
    {"MatMulNBits", kMs, "f:bsk u*:nqx f*:nq _ _ f:n", "K=k N=n block_size=32"},
    {"MatMulNBits", kMs, "f:sk u*:nqy f*:nq u*:nq", "K=k N=n block_size=32 bits=8"},
    {"Max", "", "f:bsn f:n f:1"},
    {"Min", "", "f:bsn f:sn"},
    {"Mul", "", "f:? f:1"},
    {"Mul", "", "f:bsn f:bs1"},
    {"MultiHeadAttention", kMs, "f:bsH f:bsH f:bsH", "num_heads=h"},
    {"MultiHeadAttention", kMs, "f:bsH f:bPH f:bPH f:H _ f:b1sP", "num_heads=h"},
    {"MultiHeadAttention", kMs, "f:bsH f:bPH f:bPH _ _ f:b1sP", "num_heads=h"},
    {"Neg", "", "f:?"},
    {"NonZero", "", "i:bs"},
    {"Not", "", "b:bs"},
    {"Or", "", "b:bs b:1"},
    {"Pow", "", "f:? f*:=2"},
    {"QuantizeLinear", "", "f:sn f: u:"},
    {"QuantizeLinear", "", "f:sn f:n c:n"},
    {"QuickGelu", kMs, "f:?"},
    {"Range", "", "i*:=0 i*:=n i*:=1"},
    {"Reciprocal", "", "f:?"},
    {"ReduceMax", "", "f:bsn i*:1=1"},
    {"ReduceMean", "", "f:bsn i*:1=2"},
    {"ReduceMean", "", "i:bsn"},
    {"ReduceSum", "", "f:bsn i*:2=0,2", "keepdims=0"},
    {"Relu", "", "f:?"},
    {"Reshape", "", "f:bsn i*:2=-,n"},
    {"Reshape", "", "f:bsH i*:4=0,0,h,d"},
    {"RotaryEmbedding", "", "f:bhsd f:me f:me i:bs"},
    {"RotaryEmbedding", "", "f:bsH f:bse f:bse", "num_heads=h"},
    {"RotaryEmbedding", kMs, "f:bsH i:bs f:me f:me", "num_heads=h"},
    {"RotaryEmbedding", kMs, "f:bhsd i:1 f:me f:me"},
    {"Shape", "", "f:?"},
    {"Sigmoid", "", "f:?"},
    {"SimplifiedLayerNormalization", "", "f:bsn f:n"},
    {"SkipLayerNormalization", kMs, "f:bsn f:bsn f:n f:n f:n"},
    {"SkipLayerNormalization", kMs, "f:bsn f:sn f:n"},
    {"SkipSimplifiedLayerNormalization", kMs, "f:bsn f:bsn f:n"},
    {"Slice", "", "f:bsn i*:1=0 i*:1=1 i*:1=1"},
    {"Slice", "", "f:bsn j*:2 j*:2 j*:2=0,1 j*:2=1,1"},
    {"Softmax", "", "f:bsn"},
    {"Softmax", "", "f:bsn", "axis=1"},
    {"Split", "", "f:bsw i*:2=n,n", "axis=2"},
    {"Split", "", "f:bsn", "axis=0"},
    {"Sqrt", "", "f:?"},
    {"Squeeze", "", "f:1sn i*:1=0"},
    {"Squeeze", "", "f:1sn"},
    {"Sub", "", "f:bsn f:bsn"},
    {"Tanh", "", "f:?"},
    {"Transpose", "", "f:bsn", "perm=2,0,1"},
    {"Transpose", "", "f:?"},
    {"Unsqueeze", "", "f:sn i*:1=0"},
    {"Where", "", "b:bs f:bs f:"},
    {"Where", "", "b:s i:bs i:bs"},
};

}  // namespace enm::fuzz
