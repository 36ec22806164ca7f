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
  Arguments out = args;
  out.values.erase(out.values.begin(), out.values.begin() + static_cast<std::ptrdiff_t>(std::min(
                                                                count, out.values.size())));
  return out;
}

// What items are ordered and told apart by.
Value key_of(Interpreter& in, const Value& from, const Value& path, bool keeps_case) {
  const Value item = path.is(Kind::kNone) ? from : in.get_path(from, path);
  if (!item.is(Kind::kString) || keeps_case) return item;
  Text out(in);
  in.spend(item.size);
  change_case(out, item.str(), Case::kLower);
  return out.done();
}

std::vector<Value> keys_of(Interpreter& in, std::span<const Value> items, const Value& path,
                           bool keeps_case) {
  Items out(in);
  for (const Value& item : items) out.add(key_of(in, item, path, keeps_case));
  return std::move(out.values());
}

Value length_of(Interpreter& in, const Value& value, Args) {
  if (value.is(Kind::kString)) {
    in.spend(value.size / 16);
    return Value::of_int(length(value.str()));
  }
  if (value.is(Kind::kUndefined)) return Value::of_int(0);
  if (value.is(Kind::kLoop)) return in.get_attribute(value, "length");
  if (value.is_sequence() || value.is(Kind::kDict)) return Value::of_int(value.size);
  return in.fail("object of type '", type_name(value.kind), "' has no len()");
}

Value to_list(Interpreter& in, const Value& value, Args) { return in.list(items_of(in, value)); }

Value first(Interpreter& in, const Value& value, Args) {
  const auto items = items_of(in, value);
  return items.empty() ? Value::string("the first item", Kind::kUndefined) : items.front();
}
Value last(Interpreter& in, const Value& value, Args) {
  if (value.is(Kind::kIterator)) return in.fail("'iterator' is not reversible");
  const auto items = items_of(in, value);
  return items.empty() ? Value::string("the last item", Kind::kUndefined) : items.back();
}

Value join(Interpreter& in, const Value& value, Args args) {
  const Value path = args.get(1, "attribute");
  const std::string_view between = to_text(in, args.get(0, "d", Value::string("")));
  Text out(in);
  bool is_first = true;
  for (Value item : items_of(in, value)) {
    if (!std::exchange(is_first, false)) out.add(between);
    if (!path.is(Kind::kNone)) item = in.get_path(item, path);
    print(out, in, item);
  }
  return out.done();
}

Value reverse(Interpreter& in, const Value& value, Args) {
  if (value.is(Kind::kString)) {
    return in.slice(value, Value::none(), Value::none(), Value::of_int(-1));
  }
  Items out(in);
  for (const Value& item : items_of(in, value)) out.add(item);
  std::reverse(out.values().begin(), out.values().end());
  return out.iterator();
}

Value ordered(Interpreter& in, std::span<const Value> items, const std::vector<Value>& keys,
              bool reversed) {
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

Value sort(Interpreter& in, const Value& value, Args args) {
  const auto items = items_of(in, value);
  const bool keeps_case = truth(args.get(1, "case_sensitive"));
  const Value attribute = args.get(2, "attribute");
  Items keys(in);
  for (const Value& item : items) {
    Items parts(in);
    if (attribute.is(Kind::kString)) {
      for (const std::string_view path : split(attribute.str(), ',')) {
        parts.add(key_of(in, item, Value::string(path), keeps_case));
      }
    } else {
      parts.add(key_of(in, item, attribute, keeps_case));
    }
    keys.add(parts.done());
  }
  return ordered(in, items, keys.values(), truth(args.get(0, "reverse")));
}

Value dictsort(Interpreter& in, const Value& value, Args args) {
  if (!value.is(Kind::kDict))
    return in.fail("dictsort: expected dict, not ", type_name(value.kind));
  const Value by = args.get(1, "by", Value::string("key"));
  const bool by_key = by.is(Kind::kString) && by.str() == "key";
  const bool keeps_case = truth(args.get(0, "case_sensitive"));
  Items items(in), keys(in);
  for (uint32_t i = 0; i < value.size; ++i) {
    const Value pair[] = {value.pairs[i].key, value.pairs[i].value};
    items.add(in.list(pair, Kind::kTuple));
    keys.add(key_of(in, by_key ? pair[0] : pair[1], Value::none(), keeps_case));
  }
  return ordered(in, items.values(), keys.values(), truth(args.get(2, "reverse")));
}

Value extreme(Interpreter& in, const Value& value, Args args, int sign) {
  const auto items = items_of(in, value);
  const auto keys =
      keys_of(in, items, args.get(1, "attribute"), truth(args.get(0, "case_sensitive")));
  if (items.empty()) return Value::string("the aggregated item", Kind::kUndefined);
  size_t best = 0;
  for (size_t i = 1; i < keys.size(); ++i) {
    if (compare(in, keys[i], keys[best]) * sign > 0) best = i;
  }
  return items[best];
}
Value largest(Interpreter& in, const Value& value, Args args) {
  return extreme(in, value, args, 1);
}
Value smallest(Interpreter& in, const Value& value, Args args) {
  return extreme(in, value, args, -1);
}

Value sum(Interpreter& in, const Value& value, Args args) {
  const Value path = args.get(0, "attribute");
  Value total = args.get(1, "start", Value::of_int(0));
  for (const Value& item : items_of(in, value)) {
    total = in.binary('+', total, path.is(Kind::kNone) ? item : in.get_path(item, path));
  }
  return total;
}

Value unique(Interpreter& in, const Value& value, Args args) {
  const auto items = items_of(in, value);
  const auto keys =
      keys_of(in, items, args.get(1, "attribute"), truth(args.get(0, "case_sensitive")));
  Items out(in), seen(in);
  for (size_t i = 0; i < keys.size() && !in.failed(); ++i) {
    const auto& others = seen.values();
    check_key(in, keys[i]);
    const auto is_same = [&](Value other) { return equal(in, other, keys[i]); };
    if (std::any_of(others.begin(), others.end(), is_same)) continue;
    seen.add(keys[i]);
    out.add(items[i]);
  }
  return out.iterator();
}

Value groupby(Interpreter& in, const Value& value, Args args) {
  const Value path = args.get(0, "attribute"), fallback = args.get(1, "default");
  const bool keeps_case = truth(args.get(2, "case_sensitive"));
  Items keys(in);
  const auto items = items_of(in, value);
  for (const Value& item : items) {
    keys.add(key_of(in, in.get_path(item, path, fallback), Value::none(), keeps_case));
  }
  const Value sorted = ordered(in, items, keys.values(), false);
  Items groups(in);
  for (uint32_t begin = 0, end = 0; begin < sorted.size && !in.failed(); begin = end) {
    const auto key = [&](uint32_t at) { return in.get_path(sorted.items[at], path, fallback); };
    const Value first = key_of(in, key(begin), Value::none(), keeps_case);
    for (end = begin + 1; end < sorted.size; ++end) {
      if (!equal(in, first, key_of(in, key(end), Value::none(), keeps_case))) break;
    }
    const Value group[] = {keeps_case ? first : key(begin),
                           in.list(std::span(sorted.items + begin, end - begin))};
    groups.add(in.list(group, Kind::kTuple));
  }
  return groups.done();
}

Value map(Interpreter& in, const Value& value, Args args) {
  if (!truth(value)) return in.iterator({});
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

Value chosen(Interpreter& in, const Value& value, Args args, bool wanted, bool by_attribute) {
  if (!truth(value)) return in.iterator({});
  const size_t skipped = by_attribute ? 1 : 0;
  if (args.values.size() < skipped) return in.fail("the attribute's name is missing");
  const bool has_test = args.values.size() > skipped;
  const Value name = has_test ? args.values[skipped] : Value::string("true");
  if (!name.is(Kind::kString)) return in.fail("expected the name of a test");
  const Arguments rest = after(args, skipped + 1);
  Items out(in);
  for (const Value& item : items_of(in, value)) {
    if (!in.spend(1)) break;
    const Value asked = by_attribute ? in.get_path(item, args.values[0]) : item;
    const bool holds = has_test ? in.call_test(name.str(), asked, rest) : truth(asked);
    if (holds == wanted) out.add(item);
  }
  return out.iterator();
}
Value select(Interpreter& in, const Value& value, Args args) {
  return chosen(in, value, args, true, false);
}
Value reject(Interpreter& in, const Value& value, Args args) {
  return chosen(in, value, args, false, false);
}
Value selectattr(Interpreter& in, const Value& value, Args args) {
  return chosen(in, value, args, true, true);
}
Value rejectattr(Interpreter& in, const Value& value, Args args) {
  return chosen(in, value, args, false, true);
}

Value pairs(Interpreter& in, const Value& value, Args args) {
  if (value.is(Kind::kUndefined)) return in.iterator({});
  if (!value.is(Kind::kDict))
    return in.fail("items: expected a mapping, not ", type_name(value.kind));
  bool refused = false;
  const Value view = find_method(Kind::kDict, "items", refused)->call(in, value, args);
  return in.iterator({view.items, view.size});
}

Value batch(Interpreter& in, const Value& value, Args args) {
  const int64_t size = args.get(0, "linecount").integer;
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
    while (fills && row.values().size() < static_cast<size_t>(size) && !in.failed()) row.add(fill);
    out.add(row.done());
  }
  return out.iterator();
}

Value slices(Interpreter& in, const Value& value, Args args) {
  const int64_t count = args.get(0, "slices").integer;
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
    {"max", largest},
    {"min", smallest},
    {"sum", sum},
    {"unique", unique},
    {"groupby", groupby},
    {"map", map},
    {"select", select},
    {"selectattr", selectattr},
    {"reject", reject},
    {"rejectattr", rejectattr},
    {"items", pairs},
    {"batch", batch},
    {"slice", slices},
};

}  // namespace

const Builtin* find_sequence_filter(std::string_view name) {
  for (const Builtin& one : kFilters) {
    if (one.name == name) return &one;
  }
  return nullptr;
}

}  // namespace enm::text::jinja
