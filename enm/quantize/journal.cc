#include "enm/quantize/journal.h"

#include <charconv>
#include <filesystem>

#include "enm/base/file_posix.h"
#include "enm/base/os_file.h"
#include "enm/quantize/stage_run.h"

namespace enm::quantize {

namespace fs = std::filesystem;

namespace {

constexpr uint64_t kMostJournal = uint64_t{64} << 20;

graph::TensorData data_of(const Blob& blob) {
  return blob.size() == 0 ? graph::TensorData() : graph::TensorData::mapped(blob);
}

Json number(int64_t value) { return Json(value); }
// All 64 bits; a JSON number has 53.
Json digest_text(uint64_t value) { return Json(cat(value)); }

Json write_product(const BlockSolution& product) {
  return Json(std::vector<Json::Member>{{"node", Json(product.node)},
                                        {"method", Json(product.method)},
                                        {"reason", Json(product.reason)},
                                        {"bits", number(product.format.bits)},
                                        {"block", number(product.format.block)},
                                        {"zero_points", Json(product.format.has_zero_points())},
                                        {"rows", number(product.rows)},
                                        {"columns", number(product.columns)},
                                        {"error", Json(product.error)}});
}

Result<BlockSolution> read_product(const Json& json) {
  BlockSolution out;
  ENM_ASSIGN_OR_RETURN(out.node, json.get_string("node"));
  ENM_ASSIGN_OR_RETURN(out.method, json.get_string("method"));
  ENM_ASSIGN_OR_RETURN(out.reason, json.get_string("reason"));
  ENM_ASSIGN_OR_RETURN(const int64_t bits, json.get_int("bits"));
  ENM_ASSIGN_OR_RETURN(out.format.block, json.get_int("block"));
  ENM_ASSIGN_OR_RETURN(const bool zero_points, json.get_bool("zero_points"));
  ENM_ASSIGN_OR_RETURN(out.rows, json.get_int("rows"));
  ENM_ASSIGN_OR_RETURN(out.columns, json.get_int("columns"));
  ENM_ASSIGN_OR_RETURN(out.error, json.get_double("error"));
  out.format.bits = static_cast<int>(bits);
  if (zero_points) out.format.zero_points = BlockFormat::ZeroPoints::kInteger;
  return out;
}

// The three parts of a product, one after the other from `offset` on, which moves behind them.
void cut(const Blob& file, uint64_t& offset, BlockSolution& product) {
  const BlockFormat& format = product.format;
  const auto take = [&](int64_t a_row) {
    const auto size = static_cast<size_t>(product.rows * a_row);
    const bool fits = offset <= file.size() && size <= file.size() - offset;
    Blob part = fits ? file.slice(offset, size) : Blob();
    offset += (size + 3) / 4 * 4;  // scales are floats
    return part;
  };
  product.quants = take(format.row_bytes(product.columns));
  product.scales = take(format.blocks_of(product.columns) * 4);
  if (format.has_zero_points()) {
    product.zero_points = take(format.row_zero_point_bytes(product.columns));
  }
}

}  // namespace

QuantizedWeight BlockSolution::weight() const {
  return {format, rows, columns, data_of(quants), data_of(scales), data_of(zero_points), error};
}

std::string Journal::blocks_path(size_t stage) const { return cat(folder_, "/", stage, ".blocks"); }
std::string Journal::values_path(size_t stage) const { return cat(folder_, "/", stage, ".values"); }

Result<Journal> Journal::open(const std::string& folder, uint64_t fingerprint) {
  ENM_RETURN_IF_ERROR(make_folders(folder));
  Journal out;
  out.folder_ = folder;
  out.fingerprint_ = fingerprint;
  // Whatever is wrong with the files, starting anew is right.
  if (!out.read(fingerprint).ok()) out.stages_.clear();
  return out;
}

Status Journal::read(uint64_t fingerprint) {
  ENM_ASSIGN_OR_RETURN(const auto bytes, read_file(folder_ + "/journal.json", kMostJournal));
  ENM_ASSIGN_OR_RETURN(const Json json, Json::parse(as_text(bytes)));
  ENM_ASSIGN_OR_RETURN(const std::string known, json.get_string("fingerprint"));
  if (known != digest_text(fingerprint).string()) return NotFound("another calibration's");
  ENM_ASSIGN_OR_RETURN(const Json* stages, json.get("stages"));
  for (const Json& item : stages->items()) {
    Stage stage;
    ENM_ASSIGN_OR_RETURN(const Json* products, item.get("products"));
    for (const Json& product : products->items()) {
      ENM_ASSIGN_OR_RETURN(BlockSolution solution, read_product(product));
      stage.products.push_back(std::move(solution));
    }
    ENM_ASSIGN_OR_RETURN(const Json* folds, item.get("folds"));
    for (const Json& fold : folds->items()) {
      Fold& entry = stage.folds.emplace_back();
      ENM_ASSIGN_OR_RETURN(entry.input, fold.get_string("input"));
      ENM_ASSIGN_OR_RETURN(const Json* scales, fold.get("scales"));
      for (const Json& x : scales->items()) entry.scales.push_back(static_cast<float>(x.number()));
    }
    ENM_ASSIGN_OR_RETURN(const Json* widths, item.get("widths"));
    for (const Json& width : widths->items()) stage.widths.push_back(width.integer());
    for (const auto& [key, digest] :
         {std::pair{"digest", &stage.digest}, std::pair{"blocks", &stage.blocks_digest}}) {
      ENM_ASSIGN_OR_RETURN(const std::string text, item.get_string(key));
      const auto end = std::from_chars(text.data(), text.data() + text.size(), *digest);
      if (end.ec != std::errc()) return Corrupt(key);
    }
    const uint64_t blocks_digest = stage.blocks_digest;
    stages_.push_back(std::move(stage));
    ENM_RETURN_IF_ERROR(map(stages_.size() - 1));
    if (stages_.back().blocks_digest != blocks_digest) return Corrupt("blocks");
  }
  return {};
}

Status Journal::map(size_t at) {
  Stage& stage = stages_[at];
  ENM_ASSIGN_OR_RETURN(const Blob file, map_file(blocks_path(at)));
  uint64_t offset = 0;
  for (BlockSolution& product : stage.products) cut(file, offset, product);
  stage.blocks_digest = mix(0, file.bytes());
  return {};
}

Status Journal::add(Stage stage) {
  const std::string path = blocks_path(stages_.size());
  {
    ENM_ASSIGN_OR_RETURN(const File file, File::open_write(path));
    ENM_RETURN_IF_ERROR(file.resize(0));
    uint64_t offset = 0;
    for (const BlockSolution& product : stage.products) {
      for (const Blob* part : {&product.quants, &product.scales, &product.zero_points}) {
        ENM_RETURN_IF_ERROR(file.write_at(offset, part->bytes()));
        offset += (part->size() + 3) / 4 * 4;
      }
    }
    ENM_RETURN_IF_ERROR(file.resize(offset));
    ENM_RETURN_IF_ERROR(file.sync());
  }
  stages_.push_back(std::move(stage));
  ENM_RETURN_IF_ERROR(map(stages_.size() - 1));
  return write();
}

Status Journal::write() const {
  std::vector<Json> stages;
  for (const Stage& stage : stages_) {
    std::vector<Json> products, widths, folds;
    for (const Fold& fold : stage.folds) {
      std::vector<Json> scales;
      for (float scale : fold.scales) scales.emplace_back(static_cast<double>(scale));
      folds.push_back(Json(std::vector<Json::Member>{{"input", Json(fold.input)},
                                                     {"scales", Json(std::move(scales))}}));
    }
    for (const BlockSolution& product : stage.products) products.push_back(write_product(product));
    for (int64_t width : stage.widths) widths.push_back(number(width));
    stages.push_back(Json(std::vector<Json::Member>{{"products", Json(std::move(products))},
                                                    {"folds", Json(std::move(folds))},
                                                    {"widths", Json(std::move(widths))},
                                                    {"digest", digest_text(stage.digest)},
                                                    {"blocks", digest_text(stage.blocks_digest)}}));
  }
  const Json json(std::vector<Json::Member>{{"fingerprint", digest_text(fingerprint_)},
                                            {"stages", Json(std::move(stages))}});
  return write_file_atomically(folder_ + "/journal.json", as_bytes(write_json(json)));
}

void Journal::remove() {
  std::error_code error;
  fs::remove_all(folder_, error);
}

}  // namespace enm::quantize
