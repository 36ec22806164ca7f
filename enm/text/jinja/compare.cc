#include "enm/text/jinja/compare.h"

#include <algorithm>
#include <utility>

#include "enm/text/unicode.h"

namespace enm::text::jinja {
namespace {

template <typename T>
int sign(T a, T b) {
  return a < b ? -1 : a > b ? 1 : 0;
}

int compare_numbers(Value a, Value b) {
  return a.is(Kind::kFloat) || b.is(Kind::kFloat) ? sign(a.as_double(), b.as_double())
                                                  : sign(a->integer, b->integer);
}

bool equal_items(Heap& heap, Value a, Value b) {
  bool same = a->size == b->size;
  for (uint32_t i = 0; same && i < a->size; ++i) same = equal(heap, a->items[i], b->items[i]);
  return same;
}

bool equal_pairs(Heap& heap, Value a, Value b) {
  bool same = a->size == b->size;
  for (uint32_t i = 0; same && i < a->size; ++i) {
    const Value* other = find(heap, b, a->pairs[i].key);
    same = other != nullptr && equal(heap, a->pairs[i].value, *other);
  }
  return same;
}

std::span<const Value> characters(Heap& heap, std::string_view text) {
  Items out(heap);
  for (size_t at = 0; at < text.size() && !heap.failed();) {
    const size_t begin = at;
    next_code_point(text, at);
    out.add(heap.string(text.substr(begin, at - begin)));
  }
  return out.span();
}

}  // namespace

bool fail_undefined(Heap& heap, Value value) {
  if (!value.is(Kind::kUndefined)) return false;
  const auto owner = static_cast<Kind>(value->detail);
  if (owner == Kind::kUndefined) {
    heap.fail("'", value.str(), "' is undefined");
  } else {
    heap.fail("'", cat(type_name(owner), "' has no attribute '", value.str()), "'");
  }
  return true;
}

bool equal(Heap& heap, Value a, Value b) {
  if (a.is_number() && b.is_number()) {
    // Not by order: NaN has none.
    return a.is(Kind::kFloat) || b.is(Kind::kFloat) ? a.as_double() == b.as_double()
                                                    : a->integer == b->integer;
  }
  if (a.kind() != b.kind() || !heap.spend(1) || !heap.enter()) return false;
  bool same = a->integer == b->integer;  // the same object
  switch (a.kind()) {
    case Kind::kUndefined:
    case Kind::kNone:
      same = true;
      break;
    case Kind::kString:
      same = a->size == b->size && heap.spend(a->size / 16) && a.str() == b.str();
      break;
    case Kind::kList:
    case Kind::kTuple:
    case Kind::kView:
      same = equal_items(heap, a, b);
      break;
    case Kind::kDict:
      same = equal_pairs(heap, a, b);
      break;
    case Kind::kIterator:
      same = a.operator->() == b.operator->();
      break;
    default:
      break;
  }
  heap.leave();
  return same;
}

int compare(Heap& heap, Value a, Value b) {
  if (!heap.spend(1)) return 0;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is(Kind::kString) && b.is(Kind::kString)) {
    heap.spend(std::min(a->size, b->size) / 16);
    return sign(a.str().compare(b.str()), 0);
  }
  for (const Value value : {a, b}) {
    if (fail_undefined(heap, value)) return 0;
  }
  if (a.kind() != b.kind() || (!a.is(Kind::kList) && !a.is(Kind::kTuple))) {
    heap.fail("no order between '", cat(a.type(), "' and '", b.type()), "'");
    return 0;
  }
  if (!heap.enter()) return 0;
  int order = sign(a->size, b->size);
  for (uint32_t i = 0; i < std::min(a->size, b->size); ++i) {
    if (equal(heap, a->items[i], b->items[i])) continue;
    order = compare(heap, a->items[i], b->items[i]);
    break;
  }
  heap.leave();
  return order;
}

const Value* find(Heap& heap, Value dict, Value key) {
  heap.spend(dict->size / 4);
  for (uint32_t i = 0; i < dict->size; ++i) {
    const Pair& pair = dict->pairs[i];
    const bool same = key.is(Kind::kString)
                          ? pair.key.is(Kind::kString) && pair.key.str() == key.str()
                          : equal(heap, pair.key, key);
    if (same) return &pair.value;
  }
  return nullptr;
}

void check_key(Heap& heap, Value key) {
  const bool no_hash = key.is(Kind::kList) || key.is(Kind::kDict);
  if (no_hash) heap.fail("unhashable type: '", key.type(), "'");
}

void insert(Heap& heap, List<Pair>& pairs, Value key, Value value) {
  check_key(heap, key);
  if (!heap.spend(1 + pairs.size() / 4)) return;
  for (Pair& pair : pairs) {
    if (equal(heap, pair.key, key)) return void(pair.value = value);
  }
  pairs.add({key, value});
}

bool contains(Heap& heap, Value container, Value item) {
  if (container.is(Kind::kString)) {
    if (!item.is(Kind::kString)) {
      heap.fail("'in <string>' requires string as left operand, not ", item.type());
      return false;
    }
    heap.spend(container->size / 16);
    return container.str().find(item.str()) != std::string_view::npos;
  }
  if (container.is(Kind::kDict)) {
    check_key(heap, item);
    return find(heap, container, item) != nullptr;
  }
  for (Value other : items_of(heap, container)) {
    if (equal(heap, item, other)) return true;
  }
  return false;
}

std::span<const Value> items_of(Heap& heap, Value value) {
  if (value.is_sequence()) return value.items();
  if (value.is(Kind::kUndefined)) return {};
  if (value.is(Kind::kString)) return characters(heap, value.str());
  if (value.is(Kind::kIterator)) {
    return std::exchange(value->detail, 1) != 0 ? std::span<const Value>() : value.items();
  }
  if (value.is(Kind::kDict)) {
    Items keys(heap);
    for (const Pair& pair : value.pairs()) keys.add(pair.key);
    return keys.span();
  }
  heap.fail("'", value.type(), "' is not iterable");
  return {};
}

}  // namespace enm::text::jinja
