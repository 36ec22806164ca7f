// Products of bytes: MatMulInteger (A, B, a_zero?, b_zero?) -> i32; com.microsoft
// MatMulIntegerToFloat (A, B, a_scale, b_scale, a_zero?, b_zero?, bias?) -> f32; com.microsoft
// DynamicQuantizeMatMul (A f32, B, b_scale, b_zero?, bias?) -> f32, which quantizes A by itself.
// A [..., K], B [K, N]; a constant B is packed once. Zero points and scales: one for A, one or N
// for B. Source: ONNX MatMulInteger-10; ONNX Runtime, docs/ContribOperators.md
#include "enm/kernels/matmul_int8/matmul_int8.h"
#include "enm/ops/quantize_support.h"
#include "enm/ops/support.h"
#include "enm/ops/table.h"

namespace enm::ops {
namespace {

using graph::DType;
using kernels::PackedInt8;

constexpr size_t kNone = kMaxInputs;

// Which input is what; kNone where the operator has none of it.
struct Slots {
  size_t a_scale, b_scale, a_zero, b_zero, bias;
  bool quantizes;

  bool makes_floats() const { return b_scale != kNone; }
};
constexpr Slots kPlain = {kNone, kNone, 2, 3, kNone, false};
constexpr Slots kToFloat = {2, 3, 4, 5, 6, false};
constexpr Slots kDynamic = {kNone, 2, kNone, 3, 4, true};

Status expect_count(const TensorView* view, int64_t count, std::string_view what) {
  if (view == nullptr || (view->rank <= 1 && (view->count() == 1 || view->count() == count))) {
    return {};
  }
  return Unsupported(what, " is ", view_str(*view), "; expected one number",
                     count == 1 ? "" : cat(" or ", count));
}

Status product_shape(const Slots& slots, const Attributes& attributes, Inputs in, Outputs out) {
  const TensorView& a = in[0];
  const TensorView& b = in[1];
  if (a.rank < 1 || a.last_dim() != b.dim(0)) {
    return InvalidArgument(view_str(a), " times ", view_str(b), "; expected [..., K] and [K, N]");
  }
  const int64_t n = b.dim(1);
  ENM_RETURN_IF_ERROR(expect_count(operand(in, slots.a_scale), 1, "a_scale"));
  ENM_RETURN_IF_ERROR(expect_count(operand(in, slots.b_scale), n, "b_scale"));
  ENM_RETURN_IF_ERROR(expect_count(operand(in, slots.a_zero), 1, "a_zero_point"));
  ENM_RETURN_IF_ERROR(expect_count(operand(in, slots.b_zero), n, "b_zero_point"));
  const TensorView* bias = operand(in, slots.bias);
  if (bias != nullptr && bias->dim(0) != n) {
    return InvalidArgument("bias is ", view_str(*bias), "; expected f32[", n, "]");
  }
  ENM_RETURN_IF_ERROR(like_first(attributes, in, out));
  out[0].dims[static_cast<size_t>(a.rank - 1)] = n;
  return {};
}

template <const Slots& kSlots>
Status shape_of(const Attributes& attributes, Inputs in, Outputs out) {
  return product_shape(kSlots, attributes, in, out);
}

// Cuts pieces off scratch memory; over null it only counts.
class Cutter {
 public:
  explicit Cutter(uint8_t* memory) : memory_(memory) {}
  template <typename T>
  T* take(int64_t count) {
    auto* piece = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + size_);
    size_ += (static_cast<uint64_t>(count) * sizeof(T) + 63) / 64 * 64;
    return piece;
  }
  uint64_t size() const { return size_; }

 private:
  uint8_t* memory_;
  uint64_t size_ = 0;
};

PackedInt8 take_packed(Cutter& cutter, int64_t n, int64_t k, bool has_zeros) {
  PackedInt8 packed{n, k, nullptr, nullptr, nullptr};
  packed.quants = cutter.take<int8_t>(packed.tiles() * kernels::int8_tile_bytes(k));
  packed.sums = cutter.take<int32_t>(packed.padded_n());
  if (has_zeros) packed.zeros = cutter.take<int32_t>(packed.padded_n());
  return packed;
}

// Unsigned bytes always have zeros: they are packed as signed ones, 128 lower.
bool has_zeros(DType b, bool given) { return given || b == DType::kUint8; }

void pack(const kernels::Int8Source& source, const PackedInt8& packed, ThreadPool& pool) {
  pool.parallel_for(packed.tiles(), 4, [&](int64_t begin, int64_t end, int) {
    kernels::pack_int8(source, begin, end, packed);
  });
}

class PackedBytes final : public PackedWeight {
 public:
  PackedBytes(AlignedMemory memory, int64_t n, int64_t k, bool has_zeros)
      : memory_(std::move(memory)) {
    Cutter cutter(memory_.data());
    packed_ = take_packed(cutter, n, k, has_zeros);
  }

  uint64_t bytes() const override { return memory_.size(); }
  const PackedInt8& packed() const { return packed_; }

 private:
  AlignedMemory memory_;
  PackedInt8 packed_;
};

class IntegerProduct final : public PreparedOp {
 public:
  IntegerProduct(const Slots& slots, Isa isa, std::shared_ptr<const PackedBytes> weight)
      : slots_(slots),
        kernels_(kernels::matmul_int8_kernels(isa)),
        quantize_(kernels::quantize_linear_kernels(isa)),
        weight_(std::move(weight)) {}

  uint64_t scratch_bytes(Inputs in, int) const override {
    Cutter counter(nullptr);
    take_room(counter, in);
    return counter.size();
  }

  Status run(const RunContext& context, Inputs in, Outputs out) const override {
    if (out[0].count() == 0) return {};
    Cutter cutter(context.scratch);
    const Room room = take_room(cutter, in);
    kernels::MatmulInt8Args args;
    args.weight = room.weight;
    if (weight_ == nullptr) pack_computed(in, room.weight, *context.pool);
    args.m = rows_of(in);
    args.row_sums = room.row_sums;
    const float a_scale = prepare_a(context, in, room, args);
    if (slots_.makes_floats()) {
      const TensorView& scales = in[slots_.b_scale];
      const bool one = scales.count() == 1;
      for (int64_t i = 0; i < args.weight.padded_n(); ++i) {
        const bool known = one || i < args.weight.n;
        room.scales[i] = known ? a_scale * scales.as<float>()[one ? 0 : i] : 0.0f;
      }
      args.scales = room.scales;
      const TensorView* bias = operand(in, slots_.bias);
      args.bias = bias == nullptr ? nullptr : bias->as<float>();
      args.y = out[0].as<float>();
    } else {
      args.sums = out[0].as<int32_t>();
    }
    kernels::matmul_int8(kernels_, *context.pool, args);
    return {};
  }

  bool packs(size_t index) const override {
    return weight_ != nullptr && (index == 1 || index == slots_.b_zero);
  }

 private:
  struct Room {
    PackedInt8 weight;
    float* scales;
    int32_t* row_sums;
    uint8_t* a;
    float* range;
  };

  static int64_t rows_of(Inputs in) { return dims_product(in[0], 0, in[0].rank - 1); }

  Room take_room(Cutter& cutter, Inputs in) const {
    const TensorView& a = in[0];
    const TensorView& b = in[1];
    const bool zeros = has_zeros(b.dtype, operand(in, slots_.b_zero) != nullptr);
    Room room;
    room.weight =
        weight_ != nullptr ? weight_->packed() : take_packed(cutter, b.dim(1), b.dim(0), zeros);
    room.scales = cutter.take<float>(slots_.makes_floats() ? room.weight.padded_n() : 0);
    room.row_sums = cutter.take<int32_t>(rows_of(in));
    room.a = cutter.take<uint8_t>(a.dtype == DType::kUint8 ? 0 : a.count());
    room.range = cutter.take<float>(slots_.quantizes ? dynamic_range_floats(a.count()) : 0);
    return room;
  }

  void pack_computed(Inputs in, const PackedInt8& weight, ThreadPool& pool) const {
    const TensorView* zeros = operand(in, slots_.b_zero);
    kernels::Int8Source source = {in[1].as<uint8_t>(), in[1].dtype == DType::kInt8, nullptr, 0};
    if (zeros != nullptr) {
      source.zeros = zeros->as<uint8_t>();
      source.zero_count = zeros->count();
    }
    pack(source, weight, pool);
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
    const TensorView* zero = operand(in, slots_.a_zero);
    args.a = in[0].as<uint8_t>();
    args.a_zero = zero == nullptr ? 0 : *zero->as<uint8_t>();
    if (in[0].dtype == DType::kInt8) {  // 128 higher, zero point and all
      for (int64_t i = 0; i < count; ++i) room.a[i] = in[0].as<uint8_t>()[i] ^ 0x80;
      args.a = room.a;
      args.a_zero ^= 0x80;
    }
    const TensorView* scale = operand(in, slots_.a_scale);
    return scale == nullptr ? 1.0f : *scale->as<float>();
  }

  const Slots& slots_;
  const kernels::MatmulInt8Kernels& kernels_;
  const kernels::QuantizeLinearKernels& quantize_;
  const std::shared_ptr<const PackedBytes> weight_;
};

Result<std::unique_ptr<PackedWeight>> pack_constant(const graph::Tensor& b,
                                                    const graph::Tensor* zeros, ThreadPool& pool,
                                                    MemoryBudget& budget) {
  const int64_t k = b.dims[0];
  const int64_t n = b.dims[1];
  const bool with_zeros = has_zeros(b.dtype, zeros != nullptr);
  Cutter counter(nullptr);
  take_packed(counter, n, k, with_zeros);
  ENM_ASSIGN_OR_RETURN(AlignedMemory memory,
                       AlignedMemory::allocate(counter.size(), budget, "weights"));
  ENM_ASSIGN_OR_RETURN(const Blob bytes, b.data.load());
  Blob zero_bytes;
  if (zeros != nullptr) {
    ENM_ASSIGN_OR_RETURN(zero_bytes, zeros->data.load());
  }
  auto weight = std::make_unique<PackedBytes>(std::move(memory), n, k, with_zeros);
  pack({bytes.data(), b.dtype == DType::kInt8, zero_bytes.data(),
        static_cast<int64_t>(zero_bytes.size())},
       weight->packed(), pool);
  bytes.discard_pages();
  return std::unique_ptr<PackedWeight>(std::move(weight));
}

// Whether B and its zero points, if it has any, can be packed: are constants, and of a form that
// the row and the shape rule do not refuse.
bool is_packable(const graph::Tensor* b, const graph::Tensor* zeros) {
  if (b == nullptr || !kByteTypes.contains(b->dtype) || b->dims.size() != 2) return false;
  if (zeros == nullptr) return true;
  const int64_t count = zeros->element_count();
  return zeros->dtype == b->dtype && (count == 1 || count == b->dims[1]);
}

Result<std::unique_ptr<PreparedOp>> prepare_product(const Slots& slots,
                                                    const PrepareContext& context) {
  const graph::Tensor* b = context.constant(1);
  const graph::Tensor* zeros = context.constant(slots.b_zero);
  const bool computed = zeros == nullptr && context.node().input(slots.b_zero) != graph::kNoValue;
  std::shared_ptr<const PackedBytes> weight;
  if (is_packable(b, zeros) && !computed) {
    const auto make = [&](MemoryBudget& budget) {
      return pack_constant(*b, zeros, context.pool, budget);
    };
    ENM_ASSIGN_OR_RETURN(
        const auto packed,
        context.weights.packed(cat("cpu/int8 ", type_str(b->type())), {b, zeros}, make));
    weight = std::static_pointer_cast<const PackedBytes>(packed);
  }
  return make_prepared<IntegerProduct>(slots, context.isa, std::move(weight));
}

template <const Slots& kSlots>
Result<std::unique_ptr<PreparedOp>> prepare_with(const PrepareContext& context) {
  return prepare_product(kSlots, context);
}

constexpr Operand kPlainInputs[] = {Operand("A", kByteTypes).as('A'),
                                    Operand("B", kByteTypes).as('B').of_rank(2),
                                    Operand("a_zero_point", kByteTypes).as('A').optional(),
                                    Operand("b_zero_point", kByteTypes).as('B').optional()};
constexpr Operand kPlainOutputs[] = {Operand("Y", DType::kInt32)};

constexpr Operand kToFloatInputs[] = {Operand("A", kByteTypes).as('A'),
                                      Operand("B", kByteTypes).as('B').of_rank(2),
                                      Operand("a_scale", kF32).as('T'),
                                      Operand("b_scale", kF32).as('T'),
                                      Operand("a_zero_point", kByteTypes).as('A').optional(),
                                      Operand("b_zero_point", kByteTypes).as('B').optional(),
                                      Operand("bias", kF32).as('T').of_rank(1).optional()};
constexpr Operand kDynamicInputs[] = {
    Operand("A", kF32).as('T'), Operand("B", kByteTypes).as('B').of_rank(2),
    Operand("b_scale", kF32).as('T'), Operand("b_zero_point", kByteTypes).as('B').optional(),
    Operand("bias", kF32).as('T').of_rank(1).optional()};
constexpr Operand kFloats[] = {Operand("Y", kF32).as('T')};

}  // namespace

constexpr Op kMatMulInteger = {.name = "MatMulInteger",
                               .since = 10,
                               .inputs = kPlainInputs,
                               .outputs = kPlainOutputs,
                               .shape = shape_of<kPlain>,
                               .traits = kRowWise,
                               .cpu = prepare_with<kPlain>};
constexpr Op kMatMulIntegerToFloat = {.name = "MatMulIntegerToFloat",
                                      .domain = graph::kMicrosoft,
                                      .inputs = kToFloatInputs,
                                      .outputs = kFloats,
                                      .shape = shape_of<kToFloat>,
                                      .traits = kRowWise,
                                      .cpu = prepare_with<kToFloat>};
// All of A decides its grid: no row stands alone.
constexpr Op kDynamicQuantizeMatMul = {.name = "DynamicQuantizeMatMul",
                                       .domain = graph::kMicrosoft,
                                       .inputs = kDynamicInputs,
                                       .outputs = kFloats,
                                       .shape = shape_of<kDynamic>,
                                       .traits = kWholeTensor,
                                       .cpu = prepare_with<kDynamic>};

}  // namespace enm::ops
