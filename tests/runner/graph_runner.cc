// graph_runner MODEL.onnx INPUTS.onnx OUTPUTS.onnx: runs a graph on the initializers of the second
// file and writes its outputs as initializers of the third. Exit code 9 where an operator or a type
// is not supported, 1 for any other failure, whose message goes to stderr.
// graph_runner --list FILE: the same for each line "MODEL INPUTS OUTPUTS" of a file; a line of
// output each: the code, a blank, and the message.
// graph_runner --rows: the rows of all operators as JSON.
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include "enm/base/file_posix.h"
#include "enm/base/half.h"
#include "enm/base/json.h"
#include "enm/formats/onnx_reader.h"
#include "enm/formats/onnx_writer.h"
#include "enm/runtime/session.h"

namespace {

using enm::graph::DType;
using enm::ops::TensorView;

enm::Result<enm::graph::Graph> read(const std::string& path) {
  const std::filesystem::path file(path);
  const enm::DirectoryFiles files(file.parent_path().string());
  return enm::formats::read_onnx(files, file.filename().string());
}

std::vector<uint8_t> widened(const std::vector<uint8_t>& halves, int64_t count) {
  std::vector<uint8_t> floats(static_cast<size_t>(count) * sizeof(float) + 1);
  for (int64_t i = 0; i < count; ++i) {
    uint16_t half;
    std::memcpy(&half, halves.data() + i * 2, sizeof half);
    const float value = enm::half_to_float(half);
    std::memcpy(floats.data() + i * 4, &value, sizeof value);
  }
  return floats;
}

enm::Status bind_inputs(enm::runtime::Session& session, const enm::graph::Graph& inputs,
                        std::vector<std::vector<uint8_t>>& memory) {
  for (enm::graph::ValueId id : session.program().graph().inputs) {
    const std::string& name = session.program().graph().value(id).name;
    const enm::graph::Tensor* tensor = inputs.constant(inputs.find_value(name));
    if (tensor == nullptr) return enm::NotFound("no input ", name);
    // A copy: the file need not align its numbers.
    std::vector<uint8_t>& bytes = memory.emplace_back(tensor->data.size() + 1);
    ENM_RETURN_IF_ERROR(tensor->data.load_into({bytes.data(), bytes.size() - 1}));
    TensorView view;
    view.dtype = tensor->dtype;
    view.set_dims(tensor->dims);
    if (view.dtype == DType::kFloat16) {  // programs compute floats
      view.dtype = DType::kFloat32;
      bytes = widened(bytes, view.count());
    }
    view.data = bytes.data();
    session.bind(id, view);
  }
  return {};
}

enm::Status run(const std::string& model, const std::string& inputs_path,
                const std::string& outputs_path) {
  ENM_ASSIGN_OR_RETURN(enm::graph::Graph graph, read(model));
  ENM_ASSIGN_OR_RETURN(const enm::graph::Graph inputs, read(inputs_path));
  ENM_ASSIGN_OR_RETURN(const enm::Isa isa, enm::select_isa());
  enm::ThreadPool pool(2);
  enm::MemoryBudget budget;
  enm::ops::Weights weights(budget);
  ENM_ASSIGN_OR_RETURN(auto program,
                       enm::runtime::Program::compile(std::move(graph), isa, pool, weights));
  weights.forget_sources();
  enm::runtime::Session session(std::move(program), pool, budget);
  const enm::graph::Graph& compiled = session.program().graph();
  std::vector<std::vector<uint8_t>> memory;
  ENM_RETURN_IF_ERROR(bind_inputs(session, inputs, memory));
  ENM_RETURN_IF_ERROR(session.plan());
  ENM_RETURN_IF_ERROR(session.run());
  enm::graph::Graph outputs;
  outputs.opsets[""] = 17;
  for (enm::graph::ValueId id : compiled.outputs) {
    const TensorView& view = session.view(id);
    const auto* bytes = view.as<uint8_t>();
    enm::graph::Tensor tensor{view.dtype, {view.dims.begin(), view.dims.begin() + view.rank}, {}};
    tensor.data = enm::graph::TensorData::inline_bytes({bytes, bytes + view.bytes()});
    outputs.outputs.push_back(outputs.add_constant(compiled.value(id).name, std::move(tensor)));
  }
  enm::formats::MemorySink sink;
  ENM_RETURN_IF_ERROR(enm::formats::write_onnx(outputs, sink));
  return enm::write_file_atomically(outputs_path, sink.bytes());
}

int code_of(const enm::Status& status) {
  if (status.ok()) return 0;
  return status.code() == enm::Code::kUnsupported ? 9 : 1;
}

int run_list(const char* path) {
  std::ifstream list(path);
  for (std::string model, inputs, outputs; list >> model >> inputs >> outputs;) {
    const enm::Status status = run(model, inputs, outputs);
    std::cout << code_of(status) << " " << status.message() << std::endl;
  }
  return 0;
}

std::string operands_json(std::span<const enm::ops::Operand> operands) {
  using enm::ops::Operand;
  std::vector<std::string> all;
  for (const Operand& operand : operands) {
    std::string text = enm::cat("{\"name\":", enm::json_quote(operand.name),
                                ",\"types\":", enm::json_quote(operand.types.str()));
    for (const auto& [flag, name] : {std::pair(Operand::kOptional, "optional"),
                                     {Operand::kVariadic, "variadic"},
                                     {Operand::kConstant, "constant"},
                                     {Operand::kDecidesShape, "decides_shape"},
                                     {Operand::kCache, "cache"}}) {
      if (operand.is(flag)) text += enm::cat(",\"", name, "\":true");
    }
    all.push_back(text + "}");
  }
  return enm::cat("[", enm::join(all, ","), "]");
}

std::string row_json(const enm::ops::Op& op) {
  std::vector<std::string> traits;
  for (const auto& [trait, name] : {std::pair(enm::ops::kShapeOnly, "shape-only"),
                                    {enm::ops::kElementwise, "elementwise"},
                                    {enm::ops::kRowWise, "row-wise"},
                                    {enm::ops::kHalfSafe, "half-safe"},
                                    {enm::ops::kWholeTensor, "whole-tensor"},
                                    {enm::ops::kDataSized, "data-sized"}}) {
    if (op.has(trait)) traits.push_back(enm::json_quote(name));
  }
  if (op.alias != 0) traits.push_back("\"in-place\"");
  const std::string until = op.until < 1 << 30 ? enm::cat(op.until) : "null";
  return enm::cat(
      "{\"name\":", enm::json_quote(op.name), ",\"domain\":", enm::json_quote(op.domain),
      ",\"since\":", op.since, ",\"until\":", until, ",\"inputs\":", operands_json(op.inputs),
      ",\"outputs\":", operands_json(op.outputs), ",\"traits\":[", enm::join(traits, ","),
      "],\"gradient\":", op.gradient != nullptr ? "true" : "false",
      ",\"gpu\":", op.gpu != nullptr ? "true" : "false", "}");
}

int print_rows() {
  std::vector<std::string> rows;
  for (const enm::ops::Op* op : enm::ops::all_ops()) rows.push_back(row_json(*op));
  std::cout << "[" << enm::join(rows, ",\n ") << "]\n";
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (argc == 2 && mode == "--rows") return print_rows();
  if (argc == 3 && mode == "--list") return run_list(argv[2]);
  if (argc != 4) {
    std::fputs("usage: graph_runner MODEL.onnx INPUTS.onnx OUTPUTS.onnx | --list FILE | --rows\n",
               stderr);
    return 2;
  }
  const enm::Status status = run(argv[1], argv[2], argv[3]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return code_of(status);
}
