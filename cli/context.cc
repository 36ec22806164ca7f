#include "cli/context.h"

#include <unistd.h>

#include <csignal>

namespace cli {
namespace {

volatile std::sig_atomic_t interrupts = 0;

void on_interrupt(int) {
  interrupts = interrupts + 1;
  // The second Ctrl-C means it: leave at once. What was written so far can be resumed.
  if (interrupts > 1) _exit(130);
}

void write_all(std::FILE* file, std::string_view text) {
  std::fwrite(text.data(), 1, text.size(), file);
}

}  // namespace

void Context::print(std::string_view line) const {
  write_all(stdout, line);
  write_all(stdout, "\n");
}

void Context::stream(std::string_view text) const {
  write_all(stdout, text);
  std::fflush(stdout);
}

void Context::say(std::string_view line) const {
  if (quiet || json) return;
  write_all(stderr, line);
  write_all(stderr, "\n");
}

void Context::log(std::string_view line) const { write_all(stderr, enm::cat(line, "\n")); }

void Context::warn(std::string_view line) const {
  if (quiet) return;
  write_all(stderr, "warning: ");
  write_all(stderr, line);
  write_all(stderr, "\n");
}

Progress Context::progress(std::string_view label, uint64_t total, Unit unit) const {
  const bool visible = !quiet && !json && ::isatty(STDERR_FILENO) == 1;
  return Progress(label, total, unit, visible);
}

bool interrupted() { return interrupts > 0; }

void forget_interrupt() { interrupts = 0; }

void catch_interrupts() {
  struct sigaction action = {};
  action.sa_handler = on_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

int exit_code(enm::Code code) {
  switch (code) {
    case enm::Code::kOk:
      return 0;
    case enm::Code::kInvalidArgument:
      return 2;
    case enm::Code::kCorrupt:
      return 3;
    case enm::Code::kUntrusted:
      return 4;
    case enm::Code::kNotFound:
      return 5;
    case enm::Code::kConflict:
      return 6;
    case enm::Code::kResourceExhausted:
      return 7;
    case enm::Code::kUnavailable:
      return 8;
    case enm::Code::kUnsupported:
      return 9;
    case enm::Code::kCancelled:
      return 130;
    case enm::Code::kIo:
    case enm::Code::kInternal:
      return 1;
  }
  return 1;
}

}  // namespace cli
