#include "enm/families/family.h"

#include "enm/families/config_reader.h"
#include "enm/families/decoder_config.h"

namespace enm::families {

#define ENM_DECODER(type, read) void read(ConfigReader& config, DecoderConfig& decoder);
#define ENM_ENCODER(type, build) Result<graph::Graph> build(const Checkpoint& checkpoint);
#include "enm/families/families.inc"
#undef ENM_DECODER
#undef ENM_ENCODER

namespace {

constexpr Family kFamilies[] = {
#define ENM_DECODER(type, read) {.model_type = type, .decoder = read},
#define ENM_ENCODER(type, build) {.model_type = type, .encoder = build},
#include "enm/families/families.inc"
#undef ENM_DECODER
#undef ENM_ENCODER
};

Result<const Family*> find_family(const Json& config) {
  ENM_ASSIGN_OR_RETURN(const std::string model_type, config.get_string("model_type"));
  std::vector<std::string> known;
  for (const Family& family : kFamilies) {
    if (family.model_type == model_type) return &family;
    known.emplace_back(family.model_type);
  }
  return Unsupported("model_type ", quoted(model_type),
                     " is not supported; families here: ", join(known, ", "));
}

}  // namespace

Result<DecoderConfig> read_decoder_config(const Json& json) {
  const auto family = find_family(json);
  if (!family.ok()) return family.status().in("config.json");
  DecoderConfig decoder;
  decoder.family = (*family)->model_type;
  if ((*family)->decoder == nullptr)
    return Unsupported("model_type ", quoted(decoder.family), " is no decoder");
  ConfigReader config(json);
  (*family)->decoder(config, decoder);
  const Status status = config.finish();
  if (!status.ok()) return status.in(cat("[", decoder.family, "] config.json"));
  return decoder;
}

Result<graph::Graph> build(const Checkpoint& checkpoint) {
  const auto family = find_family(checkpoint.config);
  if (!family.ok()) return family.status().in("config.json");
  if ((*family)->encoder != nullptr) return (*family)->encoder(checkpoint);
  ENM_ASSIGN_OR_RETURN(const DecoderConfig config, read_decoder_config(checkpoint.config));
  return build_decoder(config, checkpoint.tensors, {.context = checkpoint.context});
}

}  // namespace enm::families
