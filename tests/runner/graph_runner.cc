// graph_runner MODEL.onnx INPUTS.onnx OUTPUTS.onnx: runs a graph on the initializers of the second
// file and writes its outputs as initializers of the third. Exit code 9 where an operator or a type
// is not supported, 1 for any other failure, whose message goes to stderr.
#include <cstdio>
#include <filesystem>
#include <string>

#include "enm/base/file_posix.h"
#include "enm/formats/onnx_reader.h"
#include "enm/formats/onnx_writer.h"
#include "enm/runtime/session.h"

namespace {

using enm::ops::TensorView;

enm::Result<enm::graph::Graph> read(const std::string& path) {
  const std::filesystem::path file(path);
  const enm::DirectoryFiles files(file.parent_path().string());
  return enm::formats::read_onnx(files, file.filename().string());
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
    outputs.outputs.push_back(
        outputs.add_constant(compiled.value(id).name, std::move(tensor)));
  }
  enm::formats::MemorySink sink;
  ENM_RETURN_IF_ERROR(enm::formats::write_onnx(outputs, sink));
  return enm::write_file_atomically(outputs_path, sink.bytes());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fputs("usage: graph_runner MODEL.onnx INPUTS.onnx OUTPUTS.onnx\n", stderr);
    return 2;
  }
  const enm::Status status = run(argv[1], argv[2], argv[3]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", std::string(status.message()).c_str());
  return status.code() == enm::Code::kUnsupported ? 9 : 1;
}
