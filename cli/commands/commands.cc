#include "cli/commands/commands.h"

namespace cli {

void add_commands(CLI::App& app, Context& context) {
  for (auto add : {add_import, add_optimize, add_inspect, add_run, add_chat, add_embed,
                   add_tokenize, add_eval, add_bench, add_keys, add_sign, add_verify, add_publish,
                   add_list, add_info, add_pull, add_cache, add_registry, add_config}) {
    add(app, context);
  }
}

}  // namespace cli
