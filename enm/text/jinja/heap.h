// Where a template's nodes and values lie, and what they cost. Nothing is freed before the end.
//
// Failures are kept here: the first stays, and after it everything does nothing and gives undefined
// values, so that code which cannot go on need not ask after each step.
#pragma once

#include <cstddef>
#include <new>
#include <string>
#include <type_traits>

#include "enm/base/status.h"
#include "enm/text/jinja/limits.h"
#include "enm/text/jinja/value.h"

namespace enm::text::jinja {

/// Bytes that grow (Heap::extend). They stay where they are for as long as the heap.
struct Buffer {
  char* data = nullptr;
  uint32_t size = 0;
  uint32_t capacity = 0;
};

class Heap {
 public:
  explicit Heap(const Limits& limits) : limits_(limits) {}
  Heap(const Heap&) = delete;
  Heap& operator=(const Heap&) = delete;
  ~Heap();

  /// Says what is wrong in the line that `line` names; gives an undefined value.
  Value fail(const char* what);
  Value fail(const char* what, std::string_view more, const char* end = "");
  bool failed() const { return code_ != Code::kOk; }
  Status status() const;

  /// False once something failed or the steps are used up.
  bool spend(uint64_t steps);
  /// The same for memory.
  bool take(size_t bytes);
  /// False if one more level is too deep; leave() where it was true.
  bool enter();
  void leave() { --depth_; }

  Value integer(int64_t value);
  Value number(double value);
  /// Of text that outlives the heap or lies in it.
  Value string(std::string_view text, Kind kind = Kind::kString, uint8_t detail = 0);
  Value undefined(std::string_view name, Kind owner = Kind::kUndefined) {
    return string(name, Kind::kUndefined, static_cast<uint8_t>(owner));
  }
  /// Of items, pairs or whatever else the kind has, which lie in the heap.
  Value object(Kind kind, const void* content, size_t size = 0, uint8_t detail = 0);
  Value list(std::span<const Value> items, Kind kind = Kind::kList) {
    return object(kind, items.data(), items.size());
  }
  Value tuple(Value first, Value second, Kind kind = Kind::kTuple);

  /// Counted, but there whatever the limit says.
  template <typename T>
  T* make() {
    return new (allocate(sizeof(T))) T();
  }
  /// Room for `bytes` more at the end of a buffer; null if there is none.
  void* extend(Buffer& buffer, size_t bytes);

  uint32_t line = 0;  // of the template, counted from 1

 private:
  struct Block {
    Block* next;
  };
  void* allocate(size_t bytes);
  void* place(size_t bytes);  // without counting
  Value fail(Code code, const char* what, std::string_view more, const char* end);
  bool exhausted(const char* what, uint64_t most, const char* unit);

  const Limits limits_;
  uint64_t steps_ = 0;
  size_t taken_ = 0;
  int depth_ = 0;
  Block* blocks_ = nullptr;
  char* free_ = nullptr;
  size_t room_ = 0;
  Code code_ = Code::kOk;
  std::string message_;
};

/// Items that grow within the heap's limits. Copies see the same items.
template <typename T>
class List {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  explicit List(Heap& heap) : heap_(heap) {}
  void add(const T& item) {
    if (void* room = heap_.extend(buffer_, sizeof(T))) new (room) T(item);
  }
  T* begin() const { return reinterpret_cast<T*>(buffer_.data); }
  T* end() const { return begin() + size(); }
  size_t size() const { return buffer_.size / sizeof(T); }
  bool empty() const { return buffer_.size == 0; }
  T& operator[](size_t at) const { return begin()[at]; }
  void drop() { buffer_.size -= sizeof(T); }  // the last one
  std::span<T> span() const { return {begin(), size()}; }

 protected:
  Heap& heap_;
  Buffer buffer_;
};

/// A text that grows within the heap's limits.
class Text {
 public:
  explicit Text(Heap& heap) : heap_(heap) {}
  Heap& heap() const { return heap_; }
  void add(std::string_view text);
  void add(const char* text) { add(std::string_view(text)); }
  void add(char c);
  void repeat(std::string_view text, int64_t times);
  /// A code point.
  void put(uint32_t code_point);
  std::string_view view() const { return {buffer_.data, buffer_.size}; }
  Value done(uint8_t detail = 0) const;

 private:
  Heap& heap_;
  Buffer buffer_;
};

/// Values, each of which is a step.
class Items : public List<Value> {
 public:
  explicit Items(Heap& heap) : List(heap) {}
  void add(Value value);  // NOLINT(bugprone-derived-method-shadowing-base-method): counted
  void reverse();
  Value done(Kind kind = Kind::kList) const;
  Value iterator() const { return done(Kind::kIterator); }
};

}  // namespace enm::text::jinja
