// How a kernel family is bound to an instruction set, once, before any loop runs.
//
// A family declares a struct of function pointers (its kernels) and one constant instance of that
// struct per ISA, in the ISA's own source file. Members that an ISA leaves null are filled from the
// next lower ISA of the family's list; the scalar instance, last in the list, has them all.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <span>
#include <type_traits>

#include "enm/base/cpu.h"

namespace enm::kernels {

/// One row of a family's list.
template <typename Kernels>
struct IsaVariant {
  Isa isa;
  const Kernels* kernels;
};

/// The resolved kernels of a family for every ISA of this build. `Kernels` holds function pointers
/// and nothing else.
template <typename Kernels>
class KernelTable {
 public:
  /// `best_first` ends with the scalar variant.
  explicit KernelTable(std::span<const IsaVariant<Kernels>> best_first) {
    for (std::size_t isa = 0; isa < resolved_.size(); ++isa) {
      resolved_[isa] = resolve(static_cast<Isa>(isa), best_first);
    }
  }

  const Kernels& operator[](Isa isa) const { return resolved_[static_cast<std::size_t>(isa)]; }

 private:
  using Slot = void (*)();
  using Slots = std::array<Slot, sizeof(Kernels) / sizeof(Slot)>;
  static_assert(std::is_trivially_copyable_v<Kernels> && sizeof(Kernels) == sizeof(Slots));

  static Kernels resolve(Isa isa, std::span<const IsaVariant<Kernels>> best_first) {
    Slots merged{};
    for (const IsaVariant<Kernels>& variant : best_first) {
      if (variant.isa > isa) continue;
      const Slots candidate = std::bit_cast<Slots>(*variant.kernels);
      for (std::size_t i = 0; i < merged.size(); ++i) {
        if (merged[i] == nullptr) merged[i] = candidate[i];
      }
    }
    return std::bit_cast<Kernels>(merged);
  }

  std::array<Kernels, static_cast<std::size_t>(Isa::kRelaxedSimd) + 1> resolved_;
};

}  // namespace enm::kernels
