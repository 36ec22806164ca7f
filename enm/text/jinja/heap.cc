#include "enm/text/jinja/heap.h"

#include <algorithm>
#include <cstring>

#include "enm/text/unicode.h"

namespace enm::text::jinja {

Value Heap::fail(Code code, std::string_view what, std::string_view more, std::string_view end) {
  if (failed()) return {};
  code_ = code;
  message_ = cat("line ", line, ": ", what, more, end);
  return {};
}

Value Heap::fail(std::string_view what, std::string_view more, std::string_view end) {
  return fail(Code::kInvalidArgument, what, more, end);
}

Status Heap::status() const { return failed() ? Status(code_, message_) : Status(); }

bool Heap::spend(uint64_t steps) {
  steps_ += steps;
  if (steps_ > limits_.steps) {
    fail(Code::kResourceExhausted, "the template takes more than ", cat(limits_.steps), " steps");
  }
  return !failed();
}

bool Heap::take(size_t bytes) {
  taken_ += bytes;
  if (taken_ > limits_.memory_bytes || bytes > limits_.memory_bytes) {
    fail(Code::kResourceExhausted, "the template takes more than ", cat(limits_.memory_bytes),
         " bytes");
  }
  return !failed();
}

bool Heap::enter() {
  if (depth_ == limits_.depth) {
    fail(Code::kResourceExhausted, "nested deeper than ", cat(limits_.depth), "");
  }
  if (failed()) return false;
  ++depth_;
  return true;
}

void* Heap::allocate(size_t bytes) {
  constexpr size_t kBlock = 16384;
  bytes = (bytes + 7) / 8 * 8;
  if (bytes > room_) {
    room_ = std::max(bytes, kBlock);
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
    free_ = blocks_.back().get();
  }
  char* out = free_;
  free_ += bytes;
  room_ -= bytes;
  return out;
}

Value Heap::text(std::string_view text) {
  const auto kept = copy(std::span<const char>(text));
  return Value::string({kept.data(), kept.size()});
}

Value Heap::list(std::span<const Value> items, Kind kind) {
  const auto kept = copy(items);
  Value out;
  out.kind = kind;
  out.size = static_cast<uint32_t>(kept.size());
  out.items = kept.data();
  return out;
}

Value Heap::iterator(std::span<const Value> items) {
  Value out = list(items, Kind::kIterator);
  auto* iterator = make<Iterator>();
  *iterator = {out.items, false};
  out.iterator = iterator;
  return out;
}

Value Heap::dict(std::span<const Pair> pairs) {
  const auto kept = copy(pairs);
  Value out;
  out.kind = Kind::kDict;
  out.size = static_cast<uint32_t>(kept.size());
  out.pairs = kept.data();
  return out;
}

void* Heap::copy_bytes(const void* from, size_t bytes) {
  if (bytes == 0 || !take(bytes)) return nullptr;
  return std::memcpy(allocate(bytes), from, bytes);
}

void Items::add(const Value& value) {
  if (heap_.spend(1) && heap_.take(sizeof value)) out_.push_back(value);
}
Value Items::done(Kind kind) const { return heap_.list(out_, kind); }
Value Items::iterator() const { return heap_.iterator(out_); }

void Text::add(std::string_view text) {
  if (heap_.take(text.size())) out_.append(text);
}
void Text::add(char c) { add(std::string_view(&c, 1)); }
Value Text::done() const { return heap_.text(out_); }

void Text::repeat(std::string_view text, int64_t times) {
  for (; times > 0 && !text.empty() && heap_.spend(1); --times) add(text);
}

void Text::put(uint32_t code_point) {
  std::string bytes;
  append_utf8(bytes, code_point);
  add(bytes);
}

}  // namespace enm::text::jinja
