#include <CLI/CLI.hpp>

#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/output/json_writer.h"
#include "cli/remote.h"
#include "cli/stopwatch.h"

namespace cli {
namespace {

namespace dist = enm::distribution;
namespace fs = std::filesystem;

struct Options {
  std::string model;
  std::string version;
  std::string output;
  std::string source;
  bool allow_untrusted = false;
};

// A copy for the user, who may change it: the cache's own files stay as they are.
enm::Status copy_to(const std::string& from, const std::string& output) {
  std::error_code error;
  if (fs::exists(output, error) && !fs::is_empty(output, error)) {
    return enm::Conflict(output, " is there already and is not an empty folder");
  }
  const fs::path place = fs::absolute(output);
  const fs::path fresh = place.string() + ".partial";
  fs::remove_all(fresh, error);
  fs::create_directories(place.parent_path(), error);
  fs::copy(from, fresh, fs::copy_options::recursive, error);
  for (auto each = fs::recursive_directory_iterator(fresh, error);
       !error && each != fs::recursive_directory_iterator(); ++each) {
    fs::permissions(*each, fs::perms::owner_write, fs::perm_options::add, error);
  }
  if (!error) fs::rename(fresh, place, error);
  if (!error) return {};
  const std::string why = error.message();
  fs::remove_all(fresh, error);
  return enm::IoError("cannot copy the model to ", output, ": ", why);
}

// A hub's model, which nobody signed.
enm::Result<dist::Pulled> pull_from_hub(const Options& options, const Context& context) {
  ENM_ASSIGN_OR_RETURN(const enm::net::HubRef ref, enm::net::parse_hub_reference(options.model));
  if (!options.version.empty()) {
    return enm::InvalidArgument("a hub's versions are its revisions: hf:org/name@revision");
  }
  ENM_ASSIGN_OR_RETURN(enm::net::HubModel pulled, pull_hub_model(ref, context));
  pulled.model.id = enm::net::shown_model_id(pulled.model.id);
  return dist::Pulled{std::move(pulled.model), "", pulled.fetched};
}

enm::Result<dist::Pulled> pull(const Options& options, Context& context) {
  if (enm::net::is_hub_reference(options.model)) return pull_from_hub(options, context);
  ENM_ASSIGN_OR_RETURN(dist::ModelRef ref, dist::parse_model_ref(options.model));
  if (!options.version.empty() && !ref.version.empty() && options.version != ref.version) {
    return enm::InvalidArgument("two versions: ", ref.version, " and ", options.version);
  }
  if (!options.version.empty()) ref.version = options.version;
  if (!options.source.empty()) {
    ENM_RETURN_IF_ERROR(context.config.override_by_flag("defaultSource", options.source));
  }
  return pull_model(ref, context, options.allow_untrusted);
}

enm::Status run(const Options& options, Context& context) {
  const Stopwatch stopwatch;
  ENM_ASSIGN_OR_RETURN(const dist::Pulled pulled, pull(options, context));
  std::string folder = pulled.model.folder;
  if (!options.output.empty()) {
    ENM_RETURN_IF_ERROR(copy_to(folder, options.output));
    folder = options.output;
  }
  if (!context.json) {
    context.print(folder);
    return {};
  }
  context.print(JsonObject()
                    .add("id", pulled.model.id)
                    .add("version", pulled.model.version)
                    .add("folder", folder)
                    .add("bytes", pulled.model.bytes)
                    .add("fetched_bytes", pulled.fetched)
                    .add("signed_by", pulled.signed_by.empty() ? RawJson{"null"}
                                                               : RawJson{to_json(pulled.signed_by)})
                    .add("seconds", stopwatch.seconds())
                    .str());
  return {};
}

}  // namespace

void add_pull(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("pull", "Fetch a model, verified, into the cache");
  verb->add_option("model", options->model, "Its id: name or name@version, or a hub's: hf:org/name")
      ->required();
  verb->add_option("--version", options->version, "Its version; the newest if not given");
  verb->add_option("-o,--output", options->output, "Copy it to this folder too");
  verb->add_option("--source", options->source, "How to fetch it: http");
  verb->add_flag("--allow-untrusted", options->allow_untrusted, "Take it whoever signed it");
  verb->callback([&context, options] {
    context.run = [&context, options] { return run(*options, context); };
  });
}

}  // namespace cli
