#pragma once

namespace enm::wasm {

/// Set in the instances that serve parallel_for: there, allocating is a trap.
extern thread_local bool is_worker;

}  // namespace enm::wasm
