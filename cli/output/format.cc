#include "cli/output/format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace cli {
namespace {

std::string printf_double(const char* format, int digits, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, digits, value);
  return text;
}

bool is_numeric(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789.,-+%x ") == std::string::npos;
}

// Columns as a terminal shows them: continuation bytes of UTF-8 take none.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  }));
}

// The number in front of `text` and the rest without blanks, lower case.
enm::Result<double> split_unit(std::string_view text, std::string& unit) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !(value >= 0)) {
    return enm::InvalidArgument("expected a number first, got ", enm::quoted(text));
  }
  for (const char* at = end; at != text.data() + text.size(); ++at) {
    if (*at != ' ')
      unit.push_back(static_cast<char>(std::tolower(static_cast<unsigned char>(*at))));
  }
  return value;
}

}  // namespace

std::string fixed(double value, int digits) { return printf_double("%.*f", digits, value); }

std::string human_bytes(uint64_t bytes) {
  constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  if (bytes < 1000) return enm::cat(bytes, " B");
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1000;
    ++unit;
  }
  return enm::cat(fixed(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0), " ", kUnits[unit]);
}

std::string human_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e8) return "--";
  if (seconds < 9.95) return enm::cat(fixed(seconds, 1), " s");
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  const auto two = [](int64_t n) { return enm::cat(n < 10 ? "0" : "", n); };
  if (whole < 60) return enm::cat(whole, " s");
  if (whole < 3600) return enm::cat(whole / 60, "m ", two(whole % 60), "s");
  return enm::cat(whole / 3600, "h ", two(whole % 3600 / 60), "m");
}

enm::Result<uint64_t> parse_bytes(std::string_view text) {
  std::string unit;
  ENM_ASSIGN_OR_RETURN(const double value, split_unit(text, unit));
  const std::string_view prefixes = "kmgtp";
  double scale = 1;
  if (!unit.empty() && unit != "b") {
    const size_t power = prefixes.find(unit[0]);
    const bool binary = unit.size() > 1 && unit[1] == 'i';
    const std::string_view rest = std::string_view(unit).substr(binary ? 2 : 1);
    if (power == std::string_view::npos || (!rest.empty() && rest != "b")) {
      return enm::InvalidArgument("unknown unit ", enm::quoted(unit),
                                  "; expected B, kB, MB, GB, TB or KiB, MiB, GiB, TiB");
    }
    scale = std::pow(binary ? 1024.0 : 1000.0, static_cast<double>(power + 1));
  }
  if (value * scale >= 0x1p63) return enm::InvalidArgument(enm::quoted(text), " is too large");
  return static_cast<uint64_t>(value * scale);
}

enm::Result<int64_t> parse_duration(std::string_view text) {
  std::string unit;
  ENM_ASSIGN_OR_RETURN(const double value, split_unit(text, unit));
  const double scale = unit == "d"   ? 86400
                       : unit == "h" ? 3600
                       : unit == "m" ? 60
                       : unit == "s" ? 1
                                     : 0;
  if (scale == 0 || value * scale > 1e12) {
    return enm::InvalidArgument("expected a duration such as 30d, 12h, 45m or 10s, got ",
                                enm::quoted(text));
  }
  return static_cast<int64_t>(value * scale);
}

std::string table(const std::vector<std::vector<std::string>>& rows) {
  if (rows.empty()) return "";
  const size_t columns = rows[0].size();
  std::vector<size_t> widths(columns, 0);
  std::vector<bool> right(columns, rows.size() > 1);
  for (size_t r = 0; r < rows.size(); ++r) {
    for (size_t c = 0; c < columns; ++c) {
      widths[c] = std::max(widths[c], width_of(rows[r][c]));
      if (r > 0 && !is_numeric(rows[r][c])) right[c] = false;
    }
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line;
    for (size_t c = 0; c < columns; ++c) {
      const std::string padding(widths[c] - width_of(row[c]), ' ');
      if (c > 0) line += "  ";
      line += right[c] ? padding + row[c] : row[c] + padding;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  out.pop_back();
  return out;
}

}  // namespace cli
