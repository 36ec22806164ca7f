// Python's ==, < and `in`.
#pragma once

#include "enm/text/jinja/heap.h"

namespace enm::text::jinja {

bool equal(Heap& heap, Value a, Value b);

/// Below 0, 0 or above 0; fails for types that have no order.
int compare(Heap& heap, Value a, Value b);

/// item in container
bool contains(Heap& heap, Value container, Value item);

/// The value of a key, or null.
const Value* find(Heap& heap, Value dict, Value key);

/// Fails for what cannot be a key.
void check_key(Heap& heap, Value key);

/// Puts a pair into what will be a dictionary: a key that stands there gets the new value.
void insert(Heap& heap, List<Pair>& pairs, Value key, Value value);

/// What a loop goes through: the items of a sequence, a dictionary's keys, a string's characters.
/// Reads an iterator to its end. Fails for values that are not iterable.
std::span<const Value> items_of(Heap& heap, Value value);

/// Fails for an undefined value, saying what is undefined; whether it did.
bool fail_undefined(Heap& heap, Value value);

}  // namespace enm::text::jinja
