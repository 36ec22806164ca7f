// Products of bytes: MatMulInteger (A, B, a_zero?, b_zero?) -> i32; com.microsoft
// MatMulIntegerToFloat (A, B, a_scale, b_scale, a_zero?, b_zero?, bias?) -> f32; com.microsoft
// DynamicQuantizeMatMul (A f32, B, b_scale, b_zero?, bias?) -> f32, which quantizes A by itself.
// A [..., K], B [K, N]; a constant B is packed once. Zero points and scales: one for A, one or N
// for B. Source: ONNX MatMulInteger-10; ONNX Runtime, docs/ContribOperators.md
#include <algorithm>
#include <cstring>

#include "enm/kernels/matmul_int8/matmul_int8.h"
#include "enm/ops/quantize_support.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;
using kernels::PackedInt8;

// Which input is what; -1 where the operator has none of it.
struct Slots {
  int a_scale, b_scale, a_zero, b_zero, bias;
  bool quantizes;

  bool makes_floats() const { return b_scale >= 0; }
};
constexpr Slots kPlain = {-1, -1, 2, 3, -1, false};
constexpr Slots kToFloat = {2, 3, 4, 5, 6, false};
constexpr Slots kDynamic = {-1, 2, -1, 3, 4, true};

const TensorView* given(Inputs in, int slot) {
  if (slot < 0 || static_cast<size_t>(slot) >= in.size()) return nullptr;
  const TensorView& view = in[static_cast<size_t>(slot)];
  return view.given() ? &view : nullptr;
}

size_t align64(size_t bytes) { return (bytes + 63) / 64 * 64; }

// Cuts pieces off scratch memory; over null it only counts.
class Cutter {
 public:
  explicit Cutter(uint8_t* memory) : memory_(memory) {}
  template <typename T>
  T* take(int64_t count) {
    auto* piece = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + size_);
    size_ += align64(static_cast<size_t>(count) * sizeof(T));
    return piece;
  }
  size_t size() const { return size_; }

 private:
  uint8_t* memory_;
  size_t size_ = 0;
};

PackedInt8 take_packed(Cutter& cutter, int64_t n, int64_t k) {
  PackedInt8 packed{n, k, nullptr, nullptr, nullptr};
  packed.quants = cutter.take<int8_t>(packed.tiles() * kernels::int8_tile_bytes(k));
  packed.sums = cutter.take<int32_t>(packed.padded_n());
  packed.zeros = cutter.take<int32_t>(packed.padded_n());
  return packed;
}

bool is_byte(DType type) { return type == DType::kUint8 || type == DType::kInt8; }

Status expect_count(const TensorView* view, DType type, int64_t count, std::string_view what) {
  if (view == nullptr) return {};
  ENM_RETURN_IF_ERROR(expect_dtype(*view, type, what));
  if (view->rank <= 1 && (view->count() == 1 || view->count() == count)) return {};
  return Unsupported(what, " is ", view_str(*view), "; expected 1 or ", count, " elements");
}

class IntegerProduct final : public PreparedOp {
 public:
  IntegerProduct(const Slots& slots, Isa isa)
      : slots_(slots),
        kernels_(kernels::matmul_int8_kernels(isa)),
        quantize_(kernels::quantize_linear_kernels(isa)) {}

  void pack(const graph::Tensor& b, const Blob& bytes, const Blob& zeros, ThreadPool& pool) {
    const int64_t k = b.dims[0];
    const int64_t n = b.dims[1];
    Cutter counter(nullptr);
    take_packed(counter, n, k);
    memory_ = AlignedBytes(counter.size());
    Cutter cutter(memory_.data());
    weight_ = take_packed(cutter, n, k);
    pack_into(
        weight_,
        {bytes.data(), b.dtype == DType::kInt8, zeros.data(), static_cast<int64_t>(zeros.size())},
        pool);
    bytes.discard_pages();
    packed_ = true;
  }

  Status infer(Inputs in, Outputs out) const override {
    const TensorView& a = in[0];
    const TensorView& b = in[1];
    if (slots_.quantizes) {
      ENM_RETURN_IF_ERROR(expect_dtype(a, DType::kFloat32, "A"));
    }
    if ((!slots_.quantizes && !is_byte(a.dtype)) || !is_byte(b.dtype) || b.rank != 2 ||
        a.rank < 1 || a.last_dim() != b.dim(0)) {
      return Unsupported(view_str(a), " times ", view_str(b),
                         "; expected bytes [..., K] times bytes [K, N]");
    }
    const int64_t n = b.dim(1);
    ENM_RETURN_IF_ERROR(expect_count(given(in, slots_.a_scale), DType::kFloat32, 1, "a_scale"));
    ENM_RETURN_IF_ERROR(expect_count(given(in, slots_.b_scale), DType::kFloat32, n, "b_scale"));
    ENM_RETURN_IF_ERROR(expect_count(given(in, slots_.a_zero), a.dtype, 1, "a_zero_point"));
    ENM_RETURN_IF_ERROR(expect_count(given(in, slots_.b_zero), b.dtype, n, "b_zero_point"));
    ENM_RETURN_IF_ERROR(expect_count(given(in, slots_.bias), DType::kFloat32, n, "bias"));
    out[0] = a;
    out[0].capacity = 0;
    out[0].dtype = slots_.makes_floats() ? DType::kFloat32 : DType::kInt32;
    out[0].dims[static_cast<size_t>(a.rank - 1)] = n;
    return {};
  }

  size_t scratch_bytes(Inputs in, const ThreadPool&) const override {
    Cutter counter(nullptr);
    take_room(counter, in);
    return counter.size();
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    Cutter cutter(context.scratch);
    const Room room = take_room(cutter, in);
    kernels::MatmulInt8Args args;
    args.weight = room.weight;
    if (!packed_) pack_computed(in, room.weight, *context.pool);
    args.m = rows_of(in);
    args.row_sums = room.row_sums;
    const float a_scale = prepare_a(context, in, room, args);
    if (slots_.makes_floats()) {
      const TensorView& scales = *given(in, slots_.b_scale);
      const bool one = scales.count() == 1;
      for (int64_t i = 0; i < args.weight.padded_n(); ++i) {
        const bool known = one || i < args.weight.n;
        room.scales[i] = known ? a_scale * scales.as<float>()[one ? 0 : i] : 0.0f;
      }
      args.scales = room.scales;
      const TensorView* bias = given(in, slots_.bias);
      args.bias = bias == nullptr ? nullptr : bias->as<float>();
      args.y = out[0].as<float>();
    } else {
      args.sums = out[0].as<int32_t>();
    }
    kernels::matmul_int8(kernels_, *context.pool, args);
    return {};
  }

  bool owns_input(size_t index) const override {
    return packed_ && (index == 1 || static_cast<int>(index) == slots_.b_zero);
  }
  uint64_t weight_bytes() const override { return memory_.size(); }

 private:
  struct Room {
    PackedInt8 weight;
    float* scales;
    int32_t* row_sums;
    uint8_t* a;
    float* range;
  };

  static int64_t rows_of(Inputs in) {
    return in[0].last_dim() == 0 ? 0 : in[0].count() / in[0].last_dim();
  }

  Room take_room(Cutter& cutter, Inputs in) const {
    Room room;
    room.weight = packed_ ? weight_ : take_packed(cutter, in[1].dim(1), in[1].dim(0));
    room.scales = cutter.take<float>(room.weight.padded_n());
    room.row_sums = cutter.take<int32_t>(rows_of(in));
    room.a = cutter.take<uint8_t>(in[0].dtype == DType::kUint8 ? 0 : in[0].count());
    room.range = cutter.take<float>(
        slots_.quantizes ? static_cast<int64_t>(dynamic_range_scratch(in[0].count()) / 4) : 0);
    return room;
  }

  static void pack_into(PackedInt8& weight, const kernels::Int8Source& source, ThreadPool& pool) {
    if (source.is_signed && source.zero_count == 0) weight.zeros = nullptr;
    pool.parallel_for(weight.tiles(), 4, [&](int64_t begin, int64_t end, int) {
      kernels::pack_int8(source, begin, end, weight);
    });
  }

  void pack_computed(Inputs in, const PackedInt8& weight, ThreadPool& pool) const {
    const TensorView* zeros = given(in, slots_.b_zero);
    kernels::Int8Source source = {in[1].as<uint8_t>(), in[1].dtype == DType::kInt8, nullptr, 0};
    if (zeros != nullptr) {
      source.zeros = zeros->as<uint8_t>();
      source.zero_count = zeros->count();
    }
    PackedInt8 into = weight;  // its zeros stay, as 0 where there are none
    pool.parallel_for(into.tiles(), 4, [&](int64_t begin, int64_t end, int) {
      kernels::pack_int8(source, begin, end, into);
    });
  }

  // The unsigned bytes of A and their zero point; returns their scale.
  float prepare_a(const RunContext& context, Inputs in, const Room& room,
                  kernels::MatmulInt8Args& args) const {
    const int64_t count = in[0].count();
    if (slots_.quantizes) {
      const auto* x = in[0].as<float>();
      const auto grid = dynamic_range(quantize_, *context.pool, x, count, room.range);
      quantize_all(quantize_, *context.pool, x, count, grid, room.a);
      args.a = room.a;
      args.a_zero = grid.zero;
      return grid.scale;
    }
    const bool is_signed = in[0].dtype == DType::kInt8;
    const TensorView* zero = given(in, slots_.a_zero);
    args.a = in[0].as<uint8_t>();
    args.a_zero = zero == nullptr ? 0 : *zero->as<uint8_t>();
    if (is_signed) {  // 128 higher, zero point and all
      for (int64_t i = 0; i < count; ++i) room.a[i] = in[0].as<uint8_t>()[i] ^ 0x80;
      args.a = room.a;
      args.a_zero ^= 0x80;
    }
    const TensorView* scale = given(in, slots_.a_scale);
    return scale == nullptr ? 1.0f : *scale->as<float>();
  }

  const Slots slots_;
  const kernels::MatmulInt8Kernels& kernels_;
  const kernels::QuantizeLinearKernels& quantize_;
  AlignedBytes memory_;
  PackedInt8 weight_;
  bool packed_ = false;
};

template <const Slots& kSlots>
Result<std::unique_ptr<PreparedOp>> prepare_product(const PrepareContext& context) {
  auto op = std::make_unique<IntegerProduct>(kSlots, context.isa);
  const graph::Tensor* b = context.constant(1);
  const auto zero_slot = static_cast<size_t>(kSlots.b_zero);
  const graph::Tensor* zeros = context.constant(zero_slot);
  const bool zeros_computed = zeros == nullptr && context.node.input(zero_slot) != graph::kNoValue;
  if (b != nullptr && b->dims.size() == 2 && is_byte(b->dtype) && !zeros_computed) {
    ENM_ASSIGN_OR_RETURN(const Blob bytes, b->data.load());
    Blob zero_bytes;
    if (zeros != nullptr) {
      ENM_ASSIGN_OR_RETURN(zero_bytes, zeros->data.load());
      if (zeros->dtype != b->dtype ||
          (zero_bytes.size() != 1 && zero_bytes.size() != static_cast<size_t>(b->dims[1]))) {
        return Unsupported("b_zero_point is ", type_str(zeros->type()), " for B ",
                           type_str(b->type()));
      }
    }
    op->pack(*b, bytes, zero_bytes, *context.pool);
  }
  return std::unique_ptr<PreparedOp>(std::move(op));
}

}  // namespace

const Op kMatMulInteger = {"MatMulInteger", "", 2, 4, 1, prepare_product<kPlain>};
const Op kMatMulIntegerToFloat = {"MatMulIntegerToFloat",   graph::kMicrosoft, 4, 7, 1,
                                  prepare_product<kToFloat>};
const Op kDynamicQuantizeMatMul = {"DynamicQuantizeMatMul",  graph::kMicrosoft, 3, 5, 1,
                                   prepare_product<kDynamic>};

}  // namespace enm::ops
