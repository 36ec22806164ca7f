#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/model_argument.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"
#include "enm/distribution/canonical.h"

namespace cli {
namespace {

namespace dist = enm::distribution;

struct Options {
  std::string model;
  bool benchmarks = false;
  bool requirements = false;
};

struct Found {
  dist::SignedManifest bytes;
  std::string place;
};

enm::Result<Found> from_folder(const std::string& folder) {
  Found out{{}, folder};
  ENM_ASSIGN_OR_RETURN(
      const auto manifest,
      enm::read_file(enm::cat(folder, "/", dist::kManifestFile), dist::kMaxManifestBytes));
  out.bytes.manifest = enm::as_text(manifest);
  const auto signature =
      enm::read_file(enm::cat(folder, "/", dist::kSignatureFile), dist::kMaxSignatureBytes);
  if (signature.ok()) out.bytes.signature = enm::as_text(*signature);
  return out;
}

// A folder's manifest, the cache's, or the registry's.
enm::Result<Found> find(const std::string& argument, const Context& context) {
  const auto local = find_checkpoint(argument, context);
  if (local.ok()) return from_folder(local->folder);
  const auto ref = dist::parse_model_ref(argument);
  if (local.status().code() != enm::Code::kNotFound || !ref.ok()) return local.status();
  ENM_ASSIGN_OR_RETURN(const dist::Cache cache,
                       dist::Cache::open(context.config.cache_directory()));
  const auto cached = cache.find(*ref);
  if (cached.ok()) return from_folder(cached->folder);
  ENM_ASSIGN_OR_RETURN(const auto source, open_source(context));
  auto bytes = source->manifest(*ref);
  if (!bytes.ok()) return with_advice(bytes.status());
  return Found{*std::move(bytes), source->name()};
}

enm::Status print_section(const dist::Manifest& manifest, std::string_view name,
                          const Context& context) {
  const enm::Json* section = manifest.json.find(name);
  if (section == nullptr) {
    return enm::NotFound("the manifest of ", manifest.id, " says nothing of ", name);
  }
  ENM_ASSIGN_OR_RETURN(const std::string text, dist::canonical(*section));
  context.print(text);
  return {};
}

void print_words(const dist::Manifest& manifest, const std::string& signed_by,
                 const std::string& place, const Context& context) {
  context.print(enm::cat(manifest.id, "@", manifest.version, "  ", manifest.type, "  ",
                         human_bytes(manifest.total_size())));
  context.print(enm::cat("signed by  ", signed_by.empty() ? "nobody whom you trust" : signed_by));
  context.print(enm::cat("from       ", place));
  std::vector<std::vector<std::string>> rows = {{"FILE", "SIZE", "SHA-256"}};
  for (const auto& artifact : manifest.artifacts) {
    rows.push_back({artifact.filename, human_bytes(artifact.digest.size),
                    dist::to_hex(artifact.digest.sha256)});
  }
  context.print(table(rows));
}

enm::Status run(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const Found found, find(options.model, context));
  auto manifest = dist::parse_manifest(found.bytes.manifest);
  if (!manifest.ok()) return manifest.status().in(found.place);
  if (options.benchmarks) return print_section(*manifest, "benchmarks", context);
  if (options.requirements) return print_section(*manifest, "requirements", context);
  ENM_ASSIGN_OR_RETURN(const dist::TrustStore trust, open_trust(context));
  const auto signer = trust.verify(found.bytes.manifest, found.bytes.signature);
  const std::string signed_by = signer.ok() ? signer->key_id : "";
  if (context.json) {
    context.print(
        JsonObject()
            .add("manifest", RawJson{found.bytes.manifest})
            .add("signed_by", signed_by.empty() ? RawJson{"null"} : RawJson{to_json(signed_by)})
            .add("from", found.place)
            .str());
  } else {
    print_words(*manifest, signed_by, found.place, context);
  }
  return {};
}

}  // namespace

void add_info(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("info", "Show what a published model's manifest says");
  verb->add_option("model", options->model, "Its id, or the folder of a signed model")->required();
  verb->add_flag("--benchmarks", options->benchmarks, "Only the manifest's benchmarks");
  verb->add_flag("--requirements", options->requirements, "Only the manifest's requirements");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
