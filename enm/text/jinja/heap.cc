#include "enm/text/jinja/heap.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "enm/text/unicode.h"

namespace enm::text::jinja {

Heap::~Heap() {
  while (blocks_ != nullptr) ::operator delete(std::exchange(blocks_, blocks_->next));
}

Value Heap::fail(Code code, const char* what, std::string_view more, const char* end) {
  if (failed()) return {};
  code_ = code;
  message_ = cat("line ", line, ": ", what, more, end);
  return {};
}

Value Heap::fail(const char* what) { return fail(what, {}); }
Value Heap::fail(const char* what, std::string_view more, const char* end) {
  return fail(Code::kInvalidArgument, what, more, end);
}

bool Heap::exhausted(const char* what, uint64_t most, const char* unit) {
  fail(Code::kResourceExhausted, what, cat(most), unit);
  return false;
}

Status Heap::status() const { return failed() ? Status(code_, message_) : Status(); }

bool Heap::spend(uint64_t steps) {
  steps_ += steps;
  if (steps_ <= limits_.steps) return !failed();
  return exhausted("the template takes more than ", limits_.steps, " steps");
}

bool Heap::take(size_t bytes) {
  taken_ += bytes;
  if (taken_ <= limits_.memory_bytes && bytes <= limits_.memory_bytes) return !failed();
  return exhausted("the template takes more than ", limits_.memory_bytes, " bytes");
}

bool Heap::enter() {
  if (depth_ == limits_.depth) return exhausted("nested deeper than ", limits_.depth, "");
  if (failed()) return false;
  ++depth_;
  return true;
}

void* Heap::allocate(size_t bytes) {
  take(bytes);
  return place(bytes);
}

void* Heap::place(size_t bytes) {
  constexpr size_t kBlock = 16384;
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > room_) {
    room_ = std::max(bytes, kBlock);
    blocks_ = new (::operator new(sizeof(Block) + room_)) Block{blocks_};
    free_ = reinterpret_cast<char*>(blocks_ + 1);
  }
  char* out = free_;
  free_ += bytes;
  room_ -= bytes;
  return out;
}

void* Heap::extend(Buffer& buffer, size_t bytes) {
  if (!take(bytes)) return nullptr;
  const size_t needed = buffer.size + bytes;
  if (needed > buffer.capacity) {
    // What it leaves behind is at most as large as what it holds.
    const size_t capacity = std::max<size_t>(2 * needed, 32);
    char* bigger = static_cast<char*>(place(capacity));
    if (buffer.size > 0) std::memcpy(bigger, buffer.data, buffer.size);
    buffer.data = bigger;
    buffer.capacity = static_cast<uint32_t>(capacity);
  }
  return buffer.data + std::exchange(buffer.size, static_cast<uint32_t>(needed));
}

Value Heap::object(Kind kind, const void* content, size_t size, uint8_t detail) {
  auto* out = make<Object>();
  out->kind = kind;
  out->detail = detail;
  out->size = static_cast<uint32_t>(size);
  out->text = static_cast<const char*>(content);
  return Value(out);
}

Value Heap::integer(int64_t value) {
  auto* out = make<Object>();
  out->kind = Kind::kInt;
  out->integer = value;
  return Value(out);
}

Value Heap::number(double value) {
  auto* out = make<Object>();
  out->kind = Kind::kFloat;
  out->number = value;
  return Value(out);
}

Value Heap::string(std::string_view text, Kind kind, uint8_t detail) {
  return object(kind, text.data(), text.size(), detail);
}

Value Heap::tuple(Value first, Value second, Kind kind) {
  auto* items = static_cast<Value*>(allocate(2 * sizeof(Value)));
  items[0] = first;
  items[1] = second;
  return object(kind, items, 2);
}

void Items::add(Value value) {
  if (heap_.spend(1)) List::add(value);
}
void Items::reverse() { std::ranges::reverse(span()); }
Value Items::done(Kind kind) const { return heap_.list(span(), kind); }

void Text::add(std::string_view text) {
  if (text.empty()) return;
  if (void* room = heap_.extend(buffer_, text.size())) std::memcpy(room, text.data(), text.size());
}
void Text::add(char c) { add(std::string_view(&c, 1)); }
Value Text::done(uint8_t detail) const { return heap_.string(view(), Kind::kString, detail); }

void Text::repeat(std::string_view text, int64_t times) {
  for (; times > 0 && !text.empty() && heap_.spend(1); --times) add(text);
}

void Text::put(uint32_t code_point) {
  std::string bytes;
  append_utf8(bytes, code_point);
  add(bytes);
}

}  // namespace enm::text::jinja
