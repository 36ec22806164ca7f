#include "cli/export.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "cli/output/json_writer.h"
#include "enm/base/os_file.h"
#include "enm/formats/onnx_writer.h"

namespace cli {
namespace {

namespace fs = std::filesystem;

// What a model's folder says beside the graph: how its texts are cut, ended, asked and pooled.
constexpr const char* kCompanions[] = {"tokenizer.json",
                                       "tokenizer_config.json",
                                       "special_tokens_map.json",
                                       "tokenizer.model",
                                       "spiece.model",
                                       "sentencepiece.bpe.model",
                                       "vocab.txt",
                                       "vocab.json",
                                       "merges.txt",
                                       "chat_template.jinja",
                                       "config.json",
                                       "generation_config.json",
                                       "modules.json",
                                       "sentence_bert_config.json",
                                       "1_Pooling/config.json",
                                       "config_sentence_transformers.json"};

fs::path folder_of(const fs::path& file) {
  return file.parent_path().empty() ? fs::path(".") : file.parent_path();
}

// A file under a temporary name that commit() moves to the final one.
class PendingFile final : public enm::formats::ByteSink {
 public:
  explicit PendingFile(std::string path) : path_(std::move(path)), temporary_(path_ + ".partial") {
    fd_ = ::open(temporary_.c_str(), O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0644);
  }
  ~PendingFile() override {
    if (fd_ >= 0) ::close(fd_);
    if (!committed_) ::unlink(temporary_.c_str());
  }
  PendingFile(const PendingFile&) = delete;
  PendingFile& operator=(const PendingFile&) = delete;

  enm::Status write(enm::Bytes bytes) override {
    size_ += bytes.size();
    while (!bytes.empty()) {
      const ssize_t written = fd_ < 0 ? -1 : ::write(fd_, bytes.data(), bytes.size());
      if (written < 0 && fd_ >= 0 && errno == EINTR) continue;
      if (written < 0) return failed();
      bytes = bytes.subspan(static_cast<size_t>(written));
    }
    return {};
  }
  /// Once the bytes are on the disk.
  enm::Status sync() { return fd_ < 0 || ::fsync(fd_) != 0 ? failed() : enm::Status(); }
  enm::Status commit() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) return failed();
    committed_ = true;
    return enm::sync_folder(folder_of(path_).string());
  }
  uint64_t size() const { return size_; }

 private:
  enm::Status failed() const {
    const enm::Code code = errno == ENOSPC ? enm::Code::kResourceExhausted : enm::Code::kIo;
    return enm::Status(code, enm::cat("cannot write ", temporary_, ": ", std::strerror(errno)));
  }

  const std::string path_;
  const std::string temporary_;
  int fd_ = -1;
  uint64_t size_ = 0;
  bool committed_ = false;
};

std::string json_text(const enm::Json& json) {
  switch (json.type()) {
    case enm::Json::Type::kNull:
      return "null";
    case enm::Json::Type::kBool:
      return to_json(json.boolean());
    case enm::Json::Type::kInt:
      return to_json(json.integer());
    case enm::Json::Type::kDouble:
      return to_json(json.number());
    case enm::Json::Type::kString:
      return to_json(json.string());
    case enm::Json::Type::kArray: {
      std::vector<RawJson> items;
      for (const enm::Json& item : json.items()) items.push_back({json_text(item)});
      return to_json(items);
    }
    case enm::Json::Type::kObject:
      break;
  }
  JsonObject out;
  for (const auto& [key, value] : json.members()) out.add(key, RawJson{json_text(value)});
  return out.str();
}

// config.json with what transformers.js has to know of the files.
enm::Result<std::string> with_transformers_js(std::string_view config,
                                              const ExportOptions& options) {
  constexpr std::string_view kKey = "transformers.js_config";
  ENM_ASSIGN_OR_RETURN(const enm::Json json, enm::Json::parse(config));
  JsonObject out;
  for (const auto& [key, value] : json.members()) {
    if (key != kKey) out.add(key, RawJson{json_text(value)});
  }
  const JsonObject known =
      JsonObject().add("dtype", options.dtype).add("use_external_data_format", true);
  return out.add(kKey, known.raw()).str();
}

enm::Status copy_companions(const ModelArgument& source, const fs::path& folder,
                            const ExportOptions& options) {
  std::error_code error;
  const ModelFiles files = source.files();
  for (const char* name : kCompanions) {
    if (!files.contains(name)) continue;
    ENM_ASSIGN_OR_RETURN(const enm::Blob blob, files.open(name));
    enm::Bytes bytes = blob.bytes();
    std::string changed;
    if (options.layout == Layout::kTransformersJs && name == std::string_view("config.json")) {
      ENM_ASSIGN_OR_RETURN(changed, with_transformers_js(enm::as_text(bytes), options));
      bytes = enm::as_bytes(changed);
    }
    fs::create_directories((folder / name).parent_path(), error);
    ENM_RETURN_IF_ERROR(enm::write_file_atomically((folder / name).string(), bytes));
  }
  return {};
}

// The old model goes first and the new one comes last: at no moment, a power cut included, does a
// model stand beside another's data or tokenizer.
enm::Status put_in_place(const ModelArgument& source, const fs::path& path,
                         const ExportOptions& options, PendingFile& model, PendingFile* data) {
  const fs::path folder = folder_of(path);
  std::error_code error;
  const bool is_nested = options.layout == Layout::kTransformersJs;
  const fs::path companions = is_nested ? folder_of(folder) : folder;
  const bool at_home = fs::equivalent(source.folder, companions, error) && !is_nested;
  ENM_RETURN_IF_ERROR(model.sync());
  if (data != nullptr) ENM_RETURN_IF_ERROR(data->sync());
  if (data != nullptr || !at_home) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      return enm::system_error("replace", path.string(), errno);
    }
    ENM_RETURN_IF_ERROR(enm::sync_folder(folder.string()));
  }
  if (!at_home) ENM_RETURN_IF_ERROR(copy_companions(source, companions, options));
  if (data != nullptr) ENM_RETURN_IF_ERROR(data->commit());
  return model.commit();
}

// The file, or <name><extension> in the folder, which is made if it is not there.
enm::Result<fs::path> output_path(const fs::path& given, const std::string& name,
                                  const std::string& extension) {
  fs::path path = given.extension() == extension ? given : given / (name + extension);
  const fs::path folder = folder_of(path);
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return enm::IoError("cannot make folder ", folder.string(), ": ", error.message());
  return path;
}

// A runtime in WebAssembly reads external data tensor by tensor, a single file it must hold whole.
constexpr uint64_t kMostInlineBytes = uint64_t{256} << 20;
static_assert(kMostInlineBytes <= enm::formats::kMostInlineBytes);

}  // namespace

enm::Result<Exported> export_model(const enm::graph::Graph& graph, const ModelArgument& source,
                                   const std::string& output, const ExportOptions& given,
                                   const Context& context) {
  const bool is_nested = given.layout == Layout::kTransformersJs;
  ENM_ASSIGN_OR_RETURN(
      const fs::path path,
      output_path(is_nested ? fs::path(output) / "onnx" : fs::path(output), given.name, ".onnx"));
  Progress progress =
      context.progress("writing", enm::formats::constant_bytes(graph), Unit::kBytes);
  enm::formats::OnnxWriteOptions options;
  options.progress = [&](uint64_t done, uint64_t) -> enm::Status {
    progress.update(done);
    return interrupted() ? enm::Cancelled("interrupted; nothing was written") : enm::Status();
  };
  Exported exported{path.string(), 0};
  PendingFile model(path.string());
  if (!is_nested && !given.external_data &&
      enm::formats::constant_bytes(graph) <= kMostInlineBytes) {
    ENM_RETURN_IF_ERROR(enm::formats::write_onnx(graph, model, options));
    ENM_RETURN_IF_ERROR(put_in_place(source, path, given, model, nullptr));
  } else {
    PendingFile data(path.string() + "_data");
    ENM_RETURN_IF_ERROR(enm::formats::write_onnx_external(
        graph, model, data, path.filename().string() + "_data", options));
    ENM_RETURN_IF_ERROR(put_in_place(source, path, given, model, &data));
    exported.bytes = data.size();
  }
  exported.bytes += model.size();
  return exported;
}

enm::Result<Exported> export_gguf(const enm::formats::GgufWriter& writer, const std::string& output,
                                  const Context& context) {
  ENM_ASSIGN_OR_RETURN(const fs::path path, output_path(output, "model", ".gguf"));
  Progress progress = context.progress("writing", writer.tensor_bytes(), Unit::kBytes);
  PendingFile file(path.string());
  ENM_RETURN_IF_ERROR(writer.write(file, [&](uint64_t done) -> enm::Status {
    progress.update(done);
    return interrupted() ? enm::Cancelled("interrupted; nothing was written") : enm::Status();
  }));
  ENM_RETURN_IF_ERROR(file.sync());
  ENM_RETURN_IF_ERROR(file.commit());
  return Exported{path.string(), file.size()};
}

}  // namespace cli
