#include "enm/quantize/stage_run.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace enm::quantize {

using graph::kNoValue;
using graph::ValueId;
using ops::TensorView;

namespace {

constexpr int64_t kTokensAtOnce = 2048;  // of a batch

TensorView view_of(graph::DType dtype, std::initializer_list<int64_t> dims, void* data) {
  TensorView view;
  view.dtype = dtype;
  view.set_dims({dims.begin(), dims.size()});
  view.data = data;
  return view;
}

std::string file_name(const std::string& path, size_t value) { return cat(path, ".", value); }

}  // namespace

std::vector<Batch> batches_of(const Windows& windows) {
  std::vector<Batch> out;
  int64_t token = 0;
  for (size_t w = 0; w < windows.size(); ++w) {
    const auto length = static_cast<int64_t>(windows[w].size());
    const bool joins = !out.empty() && out.back().length == length &&
                       out.back().tokens() + length <= kTokensAtOnce;
    if (joins) {
      ++out.back().count;
    } else {
      out.push_back({w, 1, length, token});
    }
    token += length;
  }
  return out;
}

uint64_t mix(uint64_t digest, Bytes bytes) {
  constexpr uint64_t kPrime = 0x9e3779b97f4a7c15;
  while (!bytes.empty()) {
    uint64_t word = bytes.size();
    const size_t count = std::min(bytes.size(), sizeof word);
    std::memcpy(&word, bytes.data(), count);
    digest = (digest ^ word) * kPrime;
    digest ^= digest >> 29;
    bytes = bytes.subspan(count);
  }
  return digest;
}

Result<Activations> Activations::create(const std::string& path, std::vector<int64_t> widths) {
  Activations out;
  for (size_t i = 0; i < widths.size(); ++i) {
    ENM_ASSIGN_OR_RETURN(File file,
                         File::open(file_name(path, i), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC));
    out.files_.push_back(std::move(file));
  }
  out.widths_ = std::move(widths);
  return out;
}

Result<Activations> Activations::open(const std::string& path, std::vector<int64_t> widths) {
  Activations out;
  for (size_t i = 0; i < widths.size(); ++i) {
    ENM_ASSIGN_OR_RETURN(File file, File::open_read(file_name(path, i)));
    out.files_.push_back(std::move(file));
  }
  out.widths_ = std::move(widths);
  return out;
}

Status Activations::read(size_t value, const Batch& batch, float* out) const {
  const auto token = static_cast<uint64_t>(widths_[value]) * sizeof(float);
  const uint64_t size = token * static_cast<uint64_t>(batch.tokens());
  ENM_ASSIGN_OR_RETURN(const size_t got,
                       files_[value].read_at(token * static_cast<uint64_t>(batch.first_token),
                                             {reinterpret_cast<uint8_t*>(out), size}));
  if (got == size) return {};
  return Corrupt("[quantize] ", files_[value].path(), " is shorter than it was");
}

Status Activations::write(size_t value, const Batch& batch, const float* rows) {
  const auto token = static_cast<uint64_t>(widths_[value]) * sizeof(float);
  const Bytes bytes = {reinterpret_cast<const uint8_t*>(rows),
                       token * static_cast<uint64_t>(batch.tokens())};
  digest_ = mix(digest_, bytes);
  return files_[value].write_at(token * static_cast<uint64_t>(batch.first_token), bytes);
}

Result<uint64_t> Activations::read_digest(std::span<const Batch> batches) const {
  uint64_t digest = 0;
  std::vector<float> rows;
  for (const Batch& batch : batches) {
    for (size_t i = 0; i < widths_.size(); ++i) {
      rows.resize(static_cast<size_t>(batch.tokens() * widths_[i]));
      ENM_RETURN_IF_ERROR(read(i, batch, rows.data()));
      digest = mix(digest, {reinterpret_cast<const uint8_t*>(rows.data()), rows.size() * 4});
    }
  }
  return digest;
}

void Activations::remove() {
  for (const File& file : files_) ::unlink(file.path().c_str());
  files_.clear();
}

namespace {

class StageRun {
 public:
  /// `weights` holds what programs of one stage share.
  static Result<std::unique_ptr<StageRun>> compile(graph::Graph part,
                                                   const graph::ModelDescription& description,
                                                   const Machine& machine, ops::Weights& weights,
                                                   MemoryBudget& budget);

  /// Runs a batch; `handed` are the values that the stage before handed over, named `names`; null
  /// for the first.
  Status run(const Windows& windows, const Batch& batch, const Activations* handed,
             const std::vector<std::string>& names);

  /// Output `at` of the last run: [tokens, width].
  std::span<const float> output(size_t at) const;

 private:
  StageRun(std::shared_ptr<const runtime::Program> program, ThreadPool& pool, MemoryBudget& budget)
      : program_(std::move(program)), session_(program_, pool, budget) {}
  void bind_ids(const std::string& name, const Batch& batch, std::vector<int64_t>& ids);

  std::shared_ptr<const runtime::Program> program_;
  runtime::Session session_;
  std::string input_ids_, attention_mask_, position_ids_;
  std::vector<int64_t> ids_, mask_, positions_;
  std::vector<std::vector<float>> handed_;
  std::vector<std::pair<size_t, int64_t>> planned_;
};

Result<std::unique_ptr<StageRun>> StageRun::compile(graph::Graph part,
                                                    const graph::ModelDescription& description,
                                                    const Machine& machine, ops::Weights& weights,
                                                    MemoryBudget& budget) {
  ENM_ASSIGN_OR_RETURN(
      auto program, runtime::Program::compile(std::move(part), machine.isa, machine.pool, weights));
  std::unique_ptr<StageRun> out(new StageRun(std::move(program), machine.pool, budget));
  out->input_ids_ = description.input_ids;
  out->attention_mask_ = description.attention_mask;
  out->position_ids_ = description.position_ids;
  return out;
}

void StageRun::bind_ids(const std::string& name, const Batch& batch, std::vector<int64_t>& ids) {
  const ValueId id = program_->graph().find_value(name);
  if (id == kNoValue || name.empty()) return;
  session_.bind(id, view_of(graph::DType::kInt64, {static_cast<int64_t>(batch.count), batch.length},
                            ids.data()));
}

Status StageRun::run(const Windows& windows, const Batch& batch, const Activations* handed,
                     const std::vector<std::string>& names) {
  ids_.clear();
  positions_.clear();
  for (size_t w = batch.first; w < batch.first + batch.count; ++w) {
    ids_.insert(ids_.end(), windows[w].begin(), windows[w].end());
    for (int64_t t = 0; t < batch.length; ++t) positions_.push_back(t);
  }
  mask_.assign(ids_.size(), 1);
  bind_ids(input_ids_, batch, ids_);
  bind_ids(attention_mask_, batch, mask_);
  bind_ids(position_ids_, batch, positions_);
  handed_.resize(names.size());
  for (size_t i = 0; i < names.size() && handed != nullptr; ++i) {
    const ValueId id = program_->graph().find_value(names[i]);
    if (id == kNoValue) continue;
    const int64_t width = handed->widths()[i];
    handed_[i].resize(static_cast<size_t>(batch.tokens() * width));
    ENM_RETURN_IF_ERROR(handed->read(i, batch, handed_[i].data()));
    session_.bind(
        id, view_of(graph::DType::kFloat32,
                    {static_cast<int64_t>(batch.count), batch.length, width}, handed_[i].data()));
  }
  const std::pair<size_t, int64_t> shape(batch.count, batch.length);
  if (std::find(planned_.begin(), planned_.end(), shape) == planned_.end()) {
    ENM_RETURN_IF_ERROR(session_.plan());
    planned_.push_back(shape);
  }
  return session_.run();
}

std::span<const float> StageRun::output(size_t at) const {
  const TensorView& view = session_.view(program_->graph().outputs[at]);
  return {view.as<float>(), static_cast<size_t>(view.count())};
}

}  // namespace

Status run_stage(const graph::Graph& graph, const graph::ModelDescription& description,
                 const Stage& stage, const std::vector<ValueId>& wanted, const Windows& windows,
                 std::span<const Batch> batches, const Activations* handed, const Machine& machine,
                 EachBatch each) {
  MemoryBudget budget;
  ops::Weights weights(budget);
  std::vector<ValueId> given;
  std::vector<std::string> names;
  if (handed != nullptr) given = stage.inputs;
  for (ValueId id : given) names.push_back(graph.value(id).name);
  ENM_ASSIGN_OR_RETURN(const auto run, StageRun::compile(extract(graph, description, given, wanted),
                                                         description, machine, weights, budget));
  std::vector<std::span<const float>> outputs(wanted.size());
  for (const Batch& batch : batches) {
    ENM_RETURN_IF_ERROR(run->run(windows, batch, handed, names));
    for (size_t i = 0; i < wanted.size(); ++i) outputs[i] = run->output(i);
    ENM_RETURN_IF_ERROR(each(batch, outputs));
  }
  return {};
}

}  // namespace enm::quantize
