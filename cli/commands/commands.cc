#include "cli/commands/commands.h"

namespace cli {

void add_commands(CLI::App& app, Context& context) { add_config(app, context); }

}  // namespace cli
