// Filters over items.
#include <algorithm>

#include "enm/base/order.h"
#include "enm/text/jinja/compare.h"
#include "enm/text/jinja/interpreter.h"
#include "enm/text/jinja/print.h"
#include "enm/text/jinja/strings.h"

namespace enm::text::jinja {
namespace {

using Args = const Arguments&;

Arguments after(Args args, size_t count) {
  return {args.values.subspan(std::min(count, args.values.size())), args.named};
}

// What items are ordered and told apart by.
Value key_of(Interpreter& in, Value from, Value path, bool keeps_case) {
  const Value item = path.is(Kind::kNone) ? from : in.get_path(from, path);
  if (!item.is(Kind::kString) || keeps_case) return item;
  Text out(in);
  in.spend(item->size);
  change_case(out, item.str(), Case::kLower);
  return out.done();
}

Items keys_of(Interpreter& in, std::span<const Value> items, Value path, bool keeps_case) {
  Items out(in);
  for (const Value& item : items) out.add(key_of(in, item, path, keeps_case));
  return out;
}

Value length_of(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kString)) {
    in.spend(value->size / 16);
    return in.integer(length(value.str()));
  }
  if (value.is(Kind::kUndefined)) return in.integer(0);
  if (value.is(Kind::kLoop)) return in.get_attribute(value, "length");
  if (value.is_sequence() || value.is(Kind::kDict)) return in.integer(value->size);
  return in.fail("object of type '", value.type(), "' has no len()");
}

Value to_list(Interpreter& in, Value value, Args, int) { return in.list(items_of(in, value)); }

Value first(Interpreter& in, Value value, Args, int) {
  const auto items = items_of(in, value);
  return items.empty() ? in.undefined("the first item") : items.front();
}
Value last(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kIterator)) return in.fail("'iterator' is not reversible");
  const auto items = items_of(in, value);
  return items.empty() ? in.undefined("the last item") : items.back();
}

Value join(Interpreter& in, Value value, Args args, int) {
  const Value path = args.get(1, "attribute");
  const std::string_view between = to_text(in, args.get(0, "d", in.string("")));
  Text out(in);
  bool is_first = true;
  for (const Value& item : items_of(in, value)) {
    if (!std::exchange(is_first, false)) out.add(between);
    print(out, path.is(Kind::kNone) ? item : in.get_path(item, path));
  }
  return out.done();
}

Value reverse(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kString)) {
    return in.slice(value, Value::none(), Value::none(), in.integer(-1));
  }
  Items out(in);
  for (const Value& item : items_of(in, value)) out.add(item);
  out.reverse();
  return out.iterator();
}

Value ordered(Interpreter& in, std::span<const Value> items, const Items& keys, bool reversed) {
  if (in.failed() || keys.size() != items.size()) return {};
  // Equal ones keep their order in reverse too.
  const auto order = sorted_order(static_cast<uint32_t>(keys.size()), [&](uint32_t a, uint32_t b) {
    const int sign = compare(in, keys[a], keys[b]);
    return reversed ? sign > 0 : sign < 0;
  });
  Items out(in);
  for (const uint32_t at : order) out.add(items[at]);
  return out.done();
}

Value sort(Interpreter& in, Value value, Args args, int) {
  const auto items = items_of(in, value);
  const bool keeps_case = args.is_set(1, "case_sensitive");
  const Value attribute = args.get(2, "attribute");
  Items keys(in);
  for (const Value& item : items) {
    Items parts(in);
    if (attribute.is(Kind::kString)) {
      std::string_view rest = attribute.str();
      for (bool more = true; more;) {
        parts.add(key_of(in, item, in.string(next_part(rest, ',', more)), keeps_case));
      }
    } else {
      parts.add(key_of(in, item, attribute, keeps_case));
    }
    keys.add(parts.done());
  }
  return ordered(in, items, keys, args.is_set(0, "reverse"));
}

Value dictsort(Interpreter& in, Value value, Args args, int) {
  if (!value.is(Kind::kDict)) return in.fail("dictsort: expected dict, not ", value.type());
  const Value by = args.get(1, "by", in.string("key"));
  const bool by_key = by.is(Kind::kString) && by.str() == "key";
  const bool keeps_case = args.is_set(0, "case_sensitive");
  Items items(in), keys(in);
  for (const auto& [key, content] : value.pairs()) {
    items.add(in.tuple(key, content));
    keys.add(key_of(in, by_key ? key : content, Value::none(), keeps_case));
  }
  return ordered(in, items.span(), keys, args.is_set(2, "reverse"));
}

// The largest or the smallest.
Value extreme(Interpreter& in, Value value, Args args, int sign) {
  const auto items = items_of(in, value);
  const Items keys = keys_of(in, items, args.get(1, "attribute"), args.is_set(0, "case_sensitive"));
  if (items.empty()) return in.undefined("the aggregated item");
  size_t best = 0;
  for (size_t i = 1; i < keys.size(); ++i) {
    if (compare(in, keys[i], keys[best]) * sign > 0) best = i;
  }
  return items[best];
}

Value sum(Interpreter& in, Value value, Args args, int) {
  const Value path = args.get(0, "attribute");
  Value total = args.get(1, "start", in.integer(0));
  for (const Value& item : items_of(in, value)) {
    total = in.binary('+', total, path.is(Kind::kNone) ? item : in.get_path(item, path));
  }
  return total;
}

Value unique(Interpreter& in, Value value, Args args, int) {
  const auto items = items_of(in, value);
  const auto keys = keys_of(in, items, args.get(1, "attribute"), args.is_set(0, "case_sensitive"));
  Items out(in), seen(in);
  for (size_t i = 0; i < keys.size() && !in.failed(); ++i) {
    const auto& others = seen;
    check_key(in, keys[i]);
    const auto is_same = [&](Value other) { return equal(in, other, keys[i]); };
    if (std::any_of(others.begin(), others.end(), is_same)) continue;
    seen.add(keys[i]);
    out.add(items[i]);
  }
  return out.iterator();
}

Value groupby(Interpreter& in, Value value, Args args, int) {
  const Value path = args.get(0, "attribute"), fallback = args.get(1, "default");
  const bool keeps_case = args.is_set(2, "case_sensitive");
  Items keys(in);
  const auto items = items_of(in, value);
  for (const Value& item : items) {
    keys.add(key_of(in, in.get_path(item, path, fallback), Value::none(), keeps_case));
  }
  const Value sorted = ordered(in, items, keys, false);
  Items groups(in);
  for (uint32_t begin = 0, end = 0; begin < sorted->size && !in.failed(); begin = end) {
    const auto key = [&](uint32_t at) { return in.get_path(sorted->items[at], path, fallback); };
    const Value first = key_of(in, key(begin), Value::none(), keeps_case);
    for (end = begin + 1; end < sorted->size; ++end) {
      if (!equal(in, first, key_of(in, key(end), Value::none(), keeps_case))) break;
    }
    groups.add(in.tuple(keeps_case ? first : key(begin),
                        in.list(sorted.items().subspan(begin, end - begin))));
  }
  return groups.done();
}

Value map(Interpreter& in, Value value, Args args, int) {
  if (!value.is_truth()) return in.list({}, Kind::kIterator);
  Items out(in);
  const Value path = args.get(1, "attribute");
  if (args.values.empty() && !path.is(Kind::kNone)) {
    const Value fallback = args.get(1, "default");
    for (const Value& item : items_of(in, value)) out.add(in.get_path(item, path, fallback));
    return out.iterator();
  }
  const Value name = args.get(0, "filter");
  if (!name.is(Kind::kString)) return in.fail("map: expected the name of a filter");
  const Arguments rest = after(args, 1);
  for (const Value& item : items_of(in, value)) out.add(in.call_filter(name.str(), item, rest));
  return out.iterator();
}

constexpr int kRejects = 1, kByAttribute = 2;

// select, reject, and the same by an attribute.
Value chosen(Interpreter& in, Value value, Args args, int mode) {
  if (!value.is_truth()) return in.list({}, Kind::kIterator);
  const bool by_attribute = (mode & kByAttribute) != 0;
  const size_t skipped = by_attribute ? 1 : 0;
  if (args.values.size() < skipped) return in.fail("the attribute's name is missing");
  const bool has_test = args.values.size() > skipped;
  const Value name = has_test ? args.values[skipped] : in.string("true");
  if (!name.is(Kind::kString)) return in.fail("expected the name of a test");
  const Arguments rest = after(args, skipped + 1);
  Items out(in);
  for (const Value& item : items_of(in, value)) {
    if (!in.spend(1)) break;
    const Value asked = by_attribute ? in.get_path(item, args.values[0]) : item;
    const bool holds = has_test ? in.call_test(name.str(), asked, rest) : asked.is_truth();
    if (holds != ((mode & kRejects) != 0)) out.add(item);
  }
  return out.iterator();
}

Value pairs(Interpreter& in, Value value, Args, int) {
  if (value.is(Kind::kUndefined)) return in.list({}, Kind::kIterator);
  if (!value.is(Kind::kDict)) return in.fail("items: expected a mapping, not ", value.type());
  Items out(in);
  for (const auto& [key, content] : value.pairs()) out.add(in.tuple(key, content));
  return out.iterator();
}

Value batch(Interpreter& in, Value value, Args args, int) {
  const int64_t size = args.get(0, "linecount")->integer;
  const Value fill = args.get(1, "fill_with");
  if (size < 1) return in.fail("batch: expected a positive count");
  Items out(in);
  const auto items = items_of(in, value);
  for (size_t at = 0; at < items.size() && in.spend(1); at += static_cast<size_t>(size)) {
    Items row(in);
    const auto some =
        items.subspan(at).first(std::min(items.size() - at, static_cast<size_t>(size)));
    for (const Value& item : some) row.add(item);
    const bool fills = !fill.is(Kind::kNone);
    while (fills && row.size() < static_cast<size_t>(size) && !in.failed()) row.add(fill);
    out.add(row.done());
  }
  return out.iterator();
}

Value slices(Interpreter& in, Value value, Args args, int) {
  const int64_t count = args.get(0, "slices")->integer;
  const Value fill = args.get(1, "fill_with");
  if (count < 1) return in.fail("slice: expected a positive count");
  const auto items = items_of(in, value);
  const auto total = static_cast<int64_t>(items.size());
  Items out(in);
  size_t at = 0;
  for (int64_t i = 0; i < count && in.spend(1); ++i) {
    Items row(in);
    const bool has_extra = i < total % count;
    for (int64_t k = total / count + (has_extra ? 1 : 0); k > 0; --k) row.add(items[at++]);
    if (!fill.is(Kind::kNone) && !has_extra) row.add(fill);
    out.add(row.done());
  }
  return out.iterator();
}

constexpr Builtin kFilters[] = {
    {"length", length_of},
    {"count", length_of},
    {"list", to_list},
    {"first", first},
    {"last", last},
    {"join", join},
    {"reverse", reverse},
    {"sort", sort},
    {"dictsort", dictsort},
    {"max", extreme, 1},
    {"min", extreme, -1},
    {"sum", sum},
    {"unique", unique},
    {"groupby", groupby},
    {"map", map},
    {"select", chosen, 0},
    {"selectattr", chosen, kByAttribute},
    {"reject", chosen, kRejects},
    {"rejectattr", chosen, kRejects | kByAttribute},
    {"items", pairs},
    {"batch", batch},
    {"slice", slices},
};

}  // namespace

constinit const std::span<const Builtin> kSequenceFilters = kFilters;

}  // namespace enm::text::jinja
