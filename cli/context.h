// What a command is given: where to write, how to talk, and the settings that apply.
#pragma once

#include <cstdio>
#include <functional>
#include <string>

#include "cli/config.h"
#include "cli/output/progress.h"
#include "enm/base/status.h"

namespace CLI {
class App;
}

namespace cli {

/// Data goes to stdout, talk to stderr. With --json, stdout gets exactly one JSON document.
class Context {
 public:
  bool json = false;
  bool quiet = false;
  /// The one document was printed already: a failure then adds none.
  bool json_printed = false;
  /// --registry, where given: above the settings' one.
  std::string registry;
  Config config;

  /// The command that was chosen; set by the commands' callbacks, run by main.
  std::function<enm::Status()> run;

  /// A line of data.
  void print(std::string_view line) const;
  /// Data without a line's end, at once: a story as it is told.
  void stream(std::string_view text) const;
  /// A line for the person: silent with --quiet and with --json.
  void say(std::string_view line) const;
  /// A line of a server's log, whole; from any thread.
  void log(std::string_view line) const;
  /// A warning: silent only with --quiet.
  void warn(std::string_view line) const;

  /// A bar on stderr, or a silent one where stderr is no terminal or talk is off.
  Progress progress(std::string_view label, uint64_t total, Unit unit) const;
};

/// True once Ctrl-C was pressed: commands stop at the next safe place and leave what can be
/// resumed.
bool interrupted();
/// Takes the Ctrl-C as heard, where it ends less than the command.
void forget_interrupt();
void catch_interrupts();

/// 0 for kOk; 2 usage, 3 corrupt, 4 untrusted, 5 not found, 6 conflict, 7 a limit, 8 unavailable,
/// 9 unsupported, 130 cancelled, 1 for the rest. Documented in docs/cli.md.
int exit_code(enm::Code code);

}  // namespace cli
