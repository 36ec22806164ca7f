#include "enm/ops/op.h"

#include <algorithm>

namespace enm::ops {

using graph::DType;

int64_t TensorView::count() const {
  int64_t product = 1;
  for (int axis = 0; axis < rank; ++axis) product *= dim(axis);
  return product;
}

void TensorView::set_dims(std::span<const int64_t> new_dims) {
  rank = static_cast<int>(new_dims.size());
  std::copy(new_dims.begin(), new_dims.end(), dims.begin());
}

bool TensorView::same_dims(const TensorView& other) const {
  return rank == other.rank && std::equal(dims.begin(), dims.begin() + rank, other.dims.begin());
}

std::string view_str(const TensorView& view) {
  std::vector<std::string> dims;
  for (int axis = 0; axis < view.rank; ++axis) dims.push_back(cat(view.dim(axis)));
  return cat(graph::dtype_name(view.dtype), "[", join(dims, ", "), "]");
}

Result<const Op*> find_op(const graph::Node& node) {
  for (const Op& op : all_ops()) {
    if (op.name == node.op_type && op.domain == node.domain) return &op;
  }
  return Unsupported("[ops] ", node.label(), ": this operator cannot be run");
}

Result<std::unique_ptr<PreparedOp>> prepare(const PrepareContext& context) {
  const graph::Node& node = context.node;
  ENM_ASSIGN_OR_RETURN(const Op* op, find_op(node));
  const auto inputs = static_cast<int>(node.inputs.size());
  const auto outputs = static_cast<int>(node.outputs.size());
  if (inputs < op->min_inputs || inputs > op->max_inputs) {
    return Corrupt("[ops] ", node.label(), " has ", inputs, " inputs; expected ", op->min_inputs,
                   " to ", op->max_inputs);
  }
  for (int i = 0; i < op->min_inputs; ++i) {
    if (node.input(static_cast<size_t>(i)) == graph::kNoValue) {
      return Corrupt("[ops] ", node.label(), ": input ", i, " is missing");
    }
  }
  if (outputs < 1 || outputs > op->max_outputs) {
    return Corrupt("[ops] ", node.label(), " has ", outputs, " outputs; expected 1 to ",
                   op->max_outputs);
  }
  auto prepared = op->prepare(context);
  if (!prepared.ok()) return prepared.status().in(cat("[ops] ", node.label()));
  return prepared;
}

Result<std::vector<graph::Tensor>> evaluate(const graph::Graph& graph, const graph::Node& node,
                                            std::span<const graph::Tensor> inputs) {
  ThreadPool pool(1);
  const auto found = graph.opsets.find(node.domain);
  const int64_t opset = found == graph.opsets.end() ? 1 : found->second;
  ENM_ASSIGN_OR_RETURN(const auto op, prepare({graph, node, opset, Isa::kScalar, &pool}));
  std::vector<Blob> blobs;
  std::vector<TensorView> in;
  for (const graph::Tensor& tensor : inputs) {
    TensorView view;
    if (tensor.dims.size() > kMaxRank) return Unsupported("rank ", tensor.dims.size());
    if (tensor.dtype != DType::kUndefined) {
      ENM_ASSIGN_OR_RETURN(Blob loaded, tensor.data.load());
      Blob blob = aligned_elements(std::move(loaded), tensor.dtype);
      view.dtype = tensor.dtype;
      view.set_dims(tensor.dims);
      view.data = const_cast<uint8_t*>(blob.data());
      blobs.push_back(std::move(blob));
    }
    in.push_back(view);
  }
  std::vector<TensorView> out(node.outputs.size());
  ENM_RETURN_IF_ERROR(op->infer(in, out).in(node.label()));
  std::vector<std::vector<uint8_t>> memory;
  for (TensorView& view : out) {
    memory.emplace_back(view.bytes());
    view.data = memory.back().data();
  }
  std::vector<uint8_t> scratch(op->scratch_bytes(in, pool) + 64);
  const auto aligned = (reinterpret_cast<uintptr_t>(scratch.data()) + 63) / 64 * 64;
  ENM_RETURN_IF_ERROR(
      op->run({&pool, reinterpret_cast<uint8_t*>(aligned)}, in, out).in(node.label()));
  for (const Blob& blob : blobs) blob.discard_pages();
  std::vector<graph::Tensor> results;
  for (size_t i = 0; i < out.size(); ++i) {
    const TensorView& view = out[i];
    results.push_back({view.dtype,
                       {view.dims.begin(), view.dims.begin() + view.rank},
                       graph::TensorData::inline_bytes(std::move(memory[i]))});
  }
  return results;
}

Blob aligned_elements(Blob bytes, DType dtype) {
  const auto unit = static_cast<uintptr_t>(std::max(graph::dtype_bits(dtype) / 8, 1));
  if (reinterpret_cast<uintptr_t>(bytes.data()) % unit == 0) return bytes;
  return Blob::own({bytes.data(), bytes.data() + bytes.size()});
}

Status expect_dtype(const TensorView& view, DType dtype, std::string_view what) {
  if (view.dtype == dtype) return {};
  return InvalidArgument(what, " has type ", graph::dtype_name(view.dtype), "; expected ",
                         graph::dtype_name(dtype));
}

Status expect_rank(const TensorView& view, int rank, std::string_view what) {
  if (view.rank == rank) return {};
  return InvalidArgument(what, " is ", view_str(view), "; expected ", rank, " dimensions");
}

Result<int> normalize_axis(int64_t axis, int rank) {
  if (axis < -rank || axis >= rank) {
    return InvalidArgument("axis ", axis, " is outside of ", rank, " dimensions");
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Result<SmallInts> read_small_ints(const TensorView& view, std::string_view what) {
  if (view.data == nullptr && view.count() > 0) {
    return InvalidArgument(what, " is not known before the graph runs");
  }
  if (view.count() > kMaxRank) return InvalidArgument(what, " has ", view.count(), " elements");
  SmallInts out;
  out.count = static_cast<int>(view.count());
  for (int i = 0; i < out.count; ++i) {
    const auto at = static_cast<size_t>(i);
    if (view.dtype == DType::kInt64) {
      out.values[at] = view.as<int64_t>()[i];
    } else if (view.dtype == DType::kInt32) {
      out.values[at] = view.as<int32_t>()[i];
    } else {
      return expect_dtype(view, DType::kInt64, what);
    }
  }
  return out;
}

}  // namespace enm::ops
