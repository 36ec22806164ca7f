// The kernels' sweeps (enm/kernels/check.h) as a module, for an engine to run.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "enm/kernels/check.h"
#include "wasm/support.h"

#define ENM_EXPORT(name) extern "C" __attribute__((export_name(#name)))

namespace {
enm::ThreadPool* pool = nullptr;  // never destroyed, as in wasm/exports.cc
std::string text;
}  // namespace

// The host starts threads here as in the module that a page loads.
ENM_EXPORT(allocate) void* allocate(uint32_t size) { return std::malloc(size); }
ENM_EXPORT(start_pool) void start_pool(uint32_t threads) {
  pool = new enm::ThreadPool(static_cast<int>(threads));
}
ENM_EXPORT(work) void work(uint32_t worker) {
  enm::wasm::is_worker = true;
  pool->work_until_stopped(static_cast<int>(worker));
}

ENM_EXPORT(check_count) uint32_t check_count() {
  return static_cast<uint32_t>(enm::kernels::all_checks().size());
}

/// Runs a check on the best instruction set; text() is then "<name> on <it>: <failure>", the
/// failure empty if there was none. Returns how many values were compared.
ENM_EXPORT(check_run) uint32_t check_run(uint32_t index) {
  const enm::kernels::Check& check = *enm::kernels::all_checks()[index];
  enm::kernels::CheckReport report;
  const auto isa = enm::select_isa();
  check.run(*isa, *pool, report);
  text = enm::cat(check.name, " on ", enm::isa_name(*isa), ": ", report.failure());
  return static_cast<uint32_t>(std::min<int64_t>(report.compared(), 0x7fffffff));
}

ENM_EXPORT(text_data) const char* text_data() { return text.data(); }
ENM_EXPORT(text_size) uint32_t text_size() { return static_cast<uint32_t>(text.size()); }
