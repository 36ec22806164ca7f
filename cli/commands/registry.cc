#include <CLI/CLI.hpp>

#include "cli/commands/commands.h"
#include "cli/output/format.h"
#include "cli/output/json_writer.h"
#include "registry/server.h"

namespace cli {
namespace {

struct Options {
  std::string data;
  std::string host = "127.0.0.1";
  uint16_t port = 8420;
  std::string pages;
  std::string max_blob_size = "16GiB";
  std::string upload_expiry = "24h";
};

enm::Status serve(const Options& options, const Context& context) {
  enm::registry::ServerOptions server;
  server.data =
      options.data.empty() ? expand_home(context.config.get("registryServer.data")) : options.data;
  server.host = options.host;
  server.port = options.port;
  server.pages = options.pages;
  ENM_ASSIGN_OR_RETURN(server.limits.max_blob_size, parse_bytes(options.max_blob_size));
  ENM_ASSIGN_OR_RETURN(server.limits.expiry_seconds, parse_duration(options.upload_expiry));
  server.stop = interrupted;
  server.ready = [&](const std::string& url) {
    context.say(enm::cat("serving the models in ", server.data, "; Ctrl-C stops"));
    context.stream(context.json ? JsonObject().add("url", url).str() + "\n" : url + "\n");
  };
  server.log = [&](const std::string& line) { context.log(line); };
  return enm::registry::serve(server);
}

}  // namespace

void add_registry(CLI::App& app, Context& context) {
  auto options = std::make_shared<Options>();
  CLI::App* verb = app.add_subcommand("registry", "A registry of models");
  verb->require_subcommand(1);
  CLI::App* serving = verb->add_subcommand("serve", "Serve one; prints its URL");
  serving->add_option("--data", options->data,
                      "Where models are kept; registryServer.data of the settings if not given");
  serving->add_option("--host", options->host, "Address to listen on")->capture_default_str();
  serving->add_option("--port", options->port, "Port to listen on; 0 for a free one")
      ->capture_default_str();
  serving->add_option("--playground", options->pages, "Folder of a web page to serve under /")
      ->check(CLI::ExistingDirectory);
  serving->add_option("--max-blob-size", options->max_blob_size, "Largest file to take")
      ->capture_default_str();
  serving
      ->add_option("--upload-expiry", options->upload_expiry,
                   "When an abandoned upload is forgotten")
      ->capture_default_str();
  serving->callback([&context, options] {
    context.run = [&context, options] { return serve(*options, context); };
  });
}

}  // namespace cli
