// Where a template's nodes and values lie, and what they cost. Nothing is freed before the end.
//
// Failures are kept here: the first stays, and after it everything does nothing and gives undefined
// values, so that code which cannot go on need not ask after each step.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "enm/base/status.h"
#include "enm/text/jinja/limits.h"
#include "enm/text/jinja/value.h"

namespace enm::text::jinja {

class Heap {
 public:
  explicit Heap(const Limits& limits) : limits_(limits) {}

  /// Says what is wrong in the line that `line` names; gives an undefined value.
  Value fail(std::string_view what, std::string_view more = {}, std::string_view end = {});
  Value fail(Code code, std::string_view what, std::string_view more, std::string_view end);
  bool failed() const { return code_ != Code::kOk; }
  Status status() const;

  /// False once something failed or the steps are used up.
  bool spend(uint64_t steps);
  /// The same for memory.
  bool take(size_t bytes);
  /// False if one more level is too deep; leave() where it was true.
  bool enter();
  void leave() { --depth_; }

  template <typename T>
  T* make() {
    return new (allocate(sizeof(T))) T();
  }
  /// A copy of text or items.
  Value text(std::string_view text);
  Value list(std::span<const Value> items, Kind kind = Kind::kList);
  Value iterator(std::span<const Value> items);
  Value dict(std::span<const Pair> pairs);
  template <typename T>
  std::span<T> copy(std::span<const T> items) {
    void* out = copy_bytes(items.data(), items.size_bytes());
    return {static_cast<T*>(out), out == nullptr ? 0 : items.size()};
  }

  uint32_t line = 0;  // of the template, counted from 1

 private:
  // Memory for any type, whatever the limit says: small things are made first and counted then.
  void* allocate(size_t bytes);
  // Null if there is nothing to copy, or no room.
  void* copy_bytes(const void* from, size_t bytes);

  const Limits limits_;
  uint64_t steps_ = 0;
  size_t taken_ = 0;
  int depth_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* free_ = nullptr;
  size_t room_ = 0;
  Code code_ = Code::kOk;
  std::string message_;
};

/// A text that grows within the heap's limits.
class Text {
 public:
  explicit Text(Heap& heap) : heap_(heap) {}
  void add(std::string_view text);
  void add(char c);
  void repeat(std::string_view text, int64_t times);
  /// A code point.
  void put(uint32_t code_point);
  std::string_view view() const { return out_; }
  std::string release() { return std::move(out_); }
  Value done() const;

 private:
  Heap& heap_;
  std::string out_;
};

/// Items that grow within the heap's limits.
class Items {
 public:
  explicit Items(Heap& heap) : heap_(heap) {}
  void add(const Value& value);
  std::vector<Value>& values() { return out_; }
  Value done(Kind kind = Kind::kList) const;
  Value iterator() const;

 private:
  Heap& heap_;
  std::vector<Value> out_;
};

}  // namespace enm::text::jinja
