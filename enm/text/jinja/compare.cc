#include "enm/text/jinja/compare.h"

#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

template <typename T>
int sign(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare_numbers(const Value& a, const Value& b) {
  return a.is(Kind::kFloat) || b.is(Kind::kFloat) ? sign(a.as_double(), b.as_double())
                                                  : sign(a.integer, b.integer);
}

bool equal_items(Heap& heap, const Value& a, const Value& b) {
  bool same = a.size == b.size;
  for (uint32_t i = 0; same && i < a.size; ++i) same = equal(heap, a.items[i], b.items[i]);
  return same;
}

bool equal_pairs(Heap& heap, const Value& a, const Value& b) {
  bool same = a.size == b.size;
  for (uint32_t i = 0; same && i < a.size; ++i) {
    const Value* other = find(heap, b, a.pairs[i].key);
    same = other != nullptr && equal(heap, a.pairs[i].value, *other);
  }
  return same;
}

std::span<const Value> characters(Heap& heap, std::string_view text) {
  Items out(heap);
  for (size_t at = 0; at < text.size() && !heap.failed();) {
    const size_t begin = at;
    next_code_point(text, at);
    out.add(Value::string(text.substr(begin, at - begin)));
  }
  const Value list = out.done();
  return {list.items, list.size};
}

}  // namespace

Value fail_undefined(Heap& heap, const Value& value) {
  const auto owner = static_cast<Kind>(value.detail);
  if (owner == Kind::kUndefined) return heap.fail("'", value.str(), "' is undefined");
  return heap.fail(cat("'", type_name(owner), "' has no attribute '"), value.str(), "'");
}

bool equal(Heap& heap, const Value& a, const Value& b) {
  if (a.is_number() && b.is_number()) {
    // Not by order: NaN has none.
    return a.is(Kind::kFloat) || b.is(Kind::kFloat) ? a.as_double() == b.as_double()
                                                    : a.integer == b.integer;
  }
  if (a.kind != b.kind || !heap.spend(1) || !heap.enter()) return false;
  bool same = a.integer == b.integer;  // the same object
  switch (a.kind) {
    case Kind::kUndefined:
    case Kind::kNone:
      same = true;
      break;
    case Kind::kString:
      same = a.size == b.size && heap.spend(a.size / 16) && a.str() == b.str();
      break;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
      same = equal_items(heap, a, b);
      break;
    case Kind::kDict:
      same = equal_pairs(heap, a, b);
      break;
    default:
      break;
  }
  heap.leave();
  return same;
}

int compare(Heap& heap, const Value& a, const Value& b) {
  if (!heap.spend(1)) return 0;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    heap.spend(std::min(a.size, b.size) / 16);
    return sign(a.str().compare(b.str()), 0);
  }
  for (const Value value : {a, b}) {
    if (value.is(Kind::kUndefined)) return fail_undefined(heap, value), 0;
  }
  if (a.kind != b.kind || (!a.is(Kind::kList) && !a.is(Kind::kTuple))) {
    heap.fail(cat("no order between '", type_name(a.kind), "' and '"), type_name(b.kind), "'");
    return 0;
  }
  if (!heap.enter()) return 0;
  int order = sign(a.size, b.size);
  for (uint32_t i = 0; i < std::min(a.size, b.size); ++i) {
    if (equal(heap, a.items[i], b.items[i])) continue;
    order = compare(heap, a.items[i], b.items[i]);
    break;
  }
  heap.leave();
  return order;
}

const Value* find(Heap& heap, const Value& dict, const Value& key) {
  heap.spend(dict.size / 4);
  for (uint32_t i = 0; i < dict.size; ++i) {
    const Pair& pair = dict.pairs[i];
    const bool same = key.is(Kind::kString)
                          ? pair.key.is(Kind::kString) && pair.key.str() == key.str()
                          : equal(heap, pair.key, key);
    if (same) return &pair.value;
  }
  return nullptr;
}

void check_key(Heap& heap, const Value& key) {
  const bool no_hash = key.is(Kind::kList) || key.is(Kind::kDict);
  if (no_hash) heap.fail("unhashable type: '", type_name(key.kind), "'");
}

void insert(Heap& heap, std::vector<Pair>& pairs, const Value& key, const Value& value) {
  check_key(heap, key);
  if (!heap.spend(1 + pairs.size() / 4) || !heap.take(sizeof(Pair))) return;
  for (Pair& pair : pairs) {
    if (equal(heap, pair.key, key)) return void(pair.value = value);
  }
  pairs.push_back({key, value});
}

bool contains(Heap& heap, const Value& container, const Value& item) {
  if (container.is(Kind::kString)) {
    if (!item.is(Kind::kString)) {
      heap.fail("'in <string>' requires string as left operand, not ", type_name(item.kind));
      return false;
    }
    heap.spend(container.size / 16);
    return container.str().find(item.str()) != std::string_view::npos;
  }
  if (container.is(Kind::kDict)) {
    check_key(heap, item);
    return find(heap, container, item) != nullptr;
  }
  for (const Value& other : items_of(heap, container)) {
    if (equal(heap, item, other)) return true;
  }
  return false;
}

std::span<const Value> items_of(Heap& heap, const Value& value) {
  if (value.is_sequence()) return {value.items, value.size};
  if (value.is(Kind::kUndefined)) return {};
  if (value.is(Kind::kString)) return characters(heap, value.str());
  if (value.is(Kind::kIterator)) {
    const bool read = std::exchange(value.iterator->read, true);
    return {value.iterator->items, read ? 0 : value.size};
  }
  if (value.is(Kind::kDict)) {
    Items keys(heap);
    for (uint32_t i = 0; i < value.size; ++i) keys.add(value.pairs[i].key);
    const Value list = keys.done();
    return {list.items, list.size};
  }
  heap.fail("'", type_name(value.kind), "' is not iterable");
  return {};
}

}  // namespace enm::text::jinja
