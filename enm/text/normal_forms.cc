#include "enm/text/normal_forms.h"

#include <algorithm>

#include "enm/base/order.h"

namespace enm::text {

void Decomposer::push(uint32_t c, int32_t change, Take take) {
  parts_.clear();
  append_decomposed(parts_, c, compatible_);
  for (size_t i = 0; i < parts_.size(); ++i) {
    const uint8_t combining = combining_class(parts_[i]);
    if (combining == 0) flush(take);
    held_.push_back({parts_[i], i > 0 ? 1 : change, combining});
  }
}

void Decomposer::flush(Take take) {
  if (held_.size() > 2) {
    for (uint32_t i :
         sorted_order(static_cast<uint32_t>(held_.size()), [&](uint32_t a, uint32_t b) {
           return held_[a].combining_class < held_[b].combining_class;
         })) {
      take(held_[i].c, held_[i].change);
    }
  } else {
    if (held_.size() == 2 && held_[1].combining_class < held_[0].combining_class) {
      std::swap(held_[0], held_[1]);
    }
    for (const Held& each : held_) take(each.c, each.change);
  }
  held_.clear();
}

namespace {

// Puts characters in canonical order together again.
class Composer {
 public:
  explicit Composer(Rewriter& out) : out_(out) {}

  void push(uint32_t c, int32_t change) {
    const uint8_t combining = combining_class(c);
    if (!has_starter_) {
      if (combining != 0) return out_.put(c, change);
      return start(c, change);
    }
    if (last_class_ < combining || marks_.empty()) {
      if (const uint32_t both = composed(starter_.c, c); both != 0) {
        starter_ = {both, starter_.change + change - 1};
        return;
      }
    }
    if (combining == 0) {
      flush();
      return start(c, change);
    }
    marks_.push_back({c, change});
    last_class_ = combining;
  }

  void flush() {
    if (has_starter_) out_.put(starter_.c, starter_.change);
    for (const Change& mark : marks_) out_.put(mark.c, mark.change);
    marks_.clear();
    has_starter_ = false;
    last_class_ = 0;
  }

 private:
  struct Change {
    uint32_t c;
    int32_t change;
  };
  void start(uint32_t c, int32_t change) {
    starter_ = {c, change};
    has_starter_ = true;
  }

  Rewriter& out_;
  bool has_starter_ = false;
  Change starter_{};
  std::vector<Change> marks_;  // behind the starter, that did not compose
  uint8_t last_class_ = 0;
};

}  // namespace

void write_normal_form(std::string_view text, bool compatible, bool compose, Rewriter& out) {
  Decomposer decomposer(compatible);
  Composer composer(out);
  const auto take = [&](uint32_t c, int32_t change) {
    compose ? composer.push(c, change) : out.put(c, change);
  };
  for (size_t at = 0; at < text.size();) decomposer.push(next_code_point(text, at), 0, take);
  decomposer.flush(take);
  composer.flush();
}

bool is_surely_normal(std::string_view text, bool compatible, bool compose) {
  // Below U+0300 nothing composes, below U+00A0 nothing decomposes.
  const unsigned char first = compose && !compatible ? 0xcc : 0x80;
  return std::all_of(text.begin(), text.end(),
                     [&](char c) { return static_cast<unsigned char>(c) < first; });
}

}  // namespace enm::text
