// edge-net-models: parse, run one command, say how it ended.
#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <new>

#include "cli/commands/commands.h"
#include "cli/flags.h"
#include "cli/output/json_writer.h"
#include "enm/base/version.h"

namespace cli {
namespace {

// Where the library could not ask for memory in a way that may be refused.
void say_no_memory() {
  static constexpr char kWords[] = "error: there is no memory left\n";
  (void)!::write(STDERR_FILENO, kWords, sizeof kWords - 1);
  ::_exit(exit_code(enm::Code::kResourceExhausted));
}

void add_global_flags(CLI::App& app, Context& context) {
  app.set_version_flag("--version", std::string(enm::kProgram));
  app.add_flag("--json", context.json, "Print exactly one JSON document on standard output");
  app.add_flag("-q,--quiet", context.quiet, "No progress and no talk, only data and errors");
  app.add_option("--registry", context.registry,
                 "Registry to use: http://, https://, or file:///folder/of/models");
  app.fallthrough();  // global flags may stand after the verb too
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 done, 2 usage, 3 corrupt bytes, 4 untrusted, 5 not found, 6 conflict,\n"
      "7 a limit, 8 unavailable, 9 unsupported, 130 interrupted, 1 anything else.\n"
      "Settings: ~/.edge-net/models.yaml (see `config show`).");
}

// Errors are talk: they go to stderr in words, and with --json also to stdout as the one document.
void report(const enm::Status& status, const Context& context) {
  std::fprintf(stderr, "error: %s\n", std::string(status.message()).c_str());
  if (!context.json || context.json_printed) return;
  const RawJson error = JsonObject()
                            .add("code", enm::code_name(status.code()))
                            .add("message", status.message())
                            .raw();
  context.print(JsonObject().add("error", error).str());
}

std::vector<std::string> names_of_commands(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::App* verb : app.get_subcommands(nullptr)) out.push_back(verb->get_name());
  return out;
}

std::vector<std::string> names_of_options(const CLI::App& app) {
  std::vector<std::string> out;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

// What was wrong with the words. CLI11 says "A subcommand is required" also where one is misspelt,
// and lists words that were not expected back to front.
std::string usage_problem(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App* verb = &app;
  std::vector<std::string> options = names_of_options(app);
  for (auto below = app.get_subcommands(); !below.empty(); below = verb->get_subcommands()) {
    verb = below[0];
    for (std::string& name : names_of_options(*verb)) options.push_back(std::move(name));
  }
  const std::vector<std::string> commands = names_of_commands(*verb);
  const auto code = static_cast<CLI::ExitCodes>(error.get_exit_code());
  const bool is_of_words =
      code == CLI::ExitCodes::ExtrasError || code == CLI::ExitCodes::RequiredError;
  for (const std::string& word : app.remaining(true)) {
    if (!is_of_words) break;
    if (word.starts_with('-')) {
      return enm::cat("unknown option ", enm::quoted(word), suggestion(word, options));
    }
    if (!commands.empty()) {
      return enm::cat("unknown command ", enm::quoted(word), suggestion(word, commands));
    }
  }
  if (code != CLI::ExitCodes::ExtrasError) return error.what();
  return enm::cat("unexpected ", enm::quoted(app.remaining(true)[0]),
                  "; a text of several words stands in quotes");
}

int run(int argc, char** argv) {
  CLI::App app("Any transformer checkpoint in; a signed, low-bit, browser-ready model out.",
               "edge-net-models");
  Context context;
  add_global_flags(app, context);
  add_commands(app, context);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return app.exit(success);
  } catch (const CLI::ParseError& error) {
    const auto chosen = app.get_subcommands();
    const std::string verb = chosen.empty() ? "" : chosen[0]->get_name() + " ";
    std::fprintf(stderr, "error: %s\nRun `edge-net-models %s--help` for what is expected.\n",
                 usage_problem(app, error).c_str(), verb.c_str());
    return exit_code(enm::Code::kInvalidArgument);
  }
  catch_interrupts();
  std::set_new_handler(say_no_memory);
  auto config = Config::load();
  enm::Status status = config.status();
  if (config.ok()) {
    context.config = *std::move(config);
    if (!context.registry.empty()) {
      status = context.config.override_by_flag("registry", context.registry).in("--registry");
    }
    if (status.ok()) status = context.run();
  }
  if (!status.ok()) report(status, context);
  if (std::fflush(stdout) != 0 && status.ok()) {
    status = enm::IoError("cannot write to standard output");
    report(status, context);
  }
  return exit_code(status.code());
}

}  // namespace
}  // namespace cli

int main(int argc, char** argv) { return cli::run(argc, argv); }
