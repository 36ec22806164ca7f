// One function a verb, each in its own file: it declares the verb's flags and sets what to run.
#pragma once

#include "cli/context.h"

namespace cli {

void add_import(CLI::App& app, Context& context);
void add_optimize(CLI::App& app, Context& context);
void add_inspect(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_chat(CLI::App& app, Context& context);
void add_embed(CLI::App& app, Context& context);
void add_tokenize(CLI::App& app, Context& context);
void add_eval(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_keys(CLI::App& app, Context& context);
void add_sign(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_publish(CLI::App& app, Context& context);
void add_list(CLI::App& app, Context& context);
void add_info(CLI::App& app, Context& context);
void add_pull(CLI::App& app, Context& context);
void add_cache(CLI::App& app, Context& context);
void add_registry(CLI::App& app, Context& context);
void add_config(CLI::App& app, Context& context);

/// All of them, in the order of --help.
void add_commands(CLI::App& app, Context& context);

}  // namespace cli
