// block_runner TYPE COLUMNS ROWS.f32 OUT [IMPORTANCE.f32]: rows of floats as blocks of a GGUF file,
// as `optimize` writes them. What the tests hold beside ggml.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "enm/base/file_posix.h"
#include "enm/formats/gguf_quantize.h"

namespace {

std::vector<float> read_floats(const char* path) {
  const auto bytes = enm::read_file(path, uint64_t{1} << 32);
  if (!bytes.ok()) std::exit(2);
  std::vector<float> out(bytes->size() / sizeof(float));
  if (!out.empty()) std::memcpy(out.data(), bytes->data(), out.size() * sizeof(float));
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  const auto* type = enm::formats::find_ggml_type(static_cast<uint32_t>(std::atoi(argv[1])));
  const int64_t columns = std::atoll(argv[2]);
  const std::vector<float> values = read_floats(argv[3]);
  const std::vector<float> importance = argc > 5 ? read_floats(argv[5]) : std::vector<float>();
  if (type == nullptr || columns < 1 || columns % type->block != 0) return 2;
  const auto rows = static_cast<int64_t>(values.size()) / columns;
  std::vector<uint8_t> out(static_cast<size_t>(rows * type->row_bytes(columns)));
  for (int64_t row = 0; row < rows; ++row) {
    enm::formats::quantize_ggml_row(*type, values.data() + row * columns, columns,
                                    importance.empty() ? nullptr : importance.data(),
                                    out.data() + row * type->row_bytes(columns));
  }
  return enm::write_file_atomically(argv[4], out).ok() ? 0 : 1;
}
