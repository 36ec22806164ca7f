#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"

namespace cli {
namespace {

enm::Status show(const Context& context) {
  std::vector<std::vector<std::string>> rows = {{"SETTING", "VALUE", "FROM"}};
  JsonObject json;
  for (const Setting& setting : context.config.list()) {
    rows.push_back({setting.key, setting.value, setting.origin});
    json.add(setting.key, setting.value);
  }
  if (context.json) {
    context.print(json.str());
    return {};
  }
  context.print(table(rows));
  context.say(enm::cat("file: ", Config::file_path()));
  return {};
}

struct SetOptions {
  std::string key;
  std::string value;
};

enm::Status set(const SetOptions& options, const Context& context) {
  ENM_RETURN_IF_ERROR(Config::set(options.key, options.value));
  context.say(enm::cat("saved to ", Config::file_path()));
  if (context.json) context.print(JsonObject().add("saved", Config::file_path()).str());
  return {};
}

}  // namespace

void add_config(CLI::App& app, Context& context) {
  CLI::App* config = app.add_subcommand("config", "Show or change settings")->require_subcommand(1);
  config->add_subcommand("show", "Every setting, its value and where it comes from")
      ->callback([&context] { context.run = [&context] { return show(context); }; });

  auto options = std::make_shared<SetOptions>();
  CLI::App* setter = config->add_subcommand("set", "Save a setting to the settings file");
  setter->add_option("key", options->key, "Its name, such as cache.directory")->required();
  setter->add_option("value", options->value, "Its new value")->required();
  setter->callback([&context, options] {
    context.run = [&context, options] { return set(*options, context); };
  });
}

}  // namespace cli
