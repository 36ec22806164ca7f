// NFC, NFD, NFKC and NFKD. Private to this room. Source: Unicode Standard Annex 15
#pragma once

#include <string_view>
#include <vector>

#include "enm/base/function_ref.h"
#include "enm/text/stretch.h"

namespace enm::text {

/// Decomposes characters one by one and gives them out in canonical order.
class Decomposer {
 public:
  /// Takes a code point and its change, as Rewriter::put does.
  using Take = FunctionRef<void(uint32_t, int32_t)>;

  explicit Decomposer(bool compatible) : compatible_(compatible) {}
  void push(uint32_t c, int32_t change, Take take);
  void flush(Take take);
  bool empty() const { return held_.empty(); }

 private:
  struct Held {
    uint32_t c;
    int32_t change;
    uint8_t combining_class;
  };
  const bool compatible_;
  std::vector<uint32_t> parts_;
  std::vector<Held> held_;  // a starter and the marks behind it
};

void write_normal_form(std::string_view text, bool compatible, bool compose, Rewriter& out);

/// Whether every text of such bytes is in all of those forms already.
bool is_surely_normal(std::string_view text, bool compatible, bool compose);

}  // namespace enm::text
