// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/status.h"

namespace cli {

/// "812 B", "16.8 MB", "1.24 GB": decimal units, three significant digits.
std::string human_bytes(uint64_t bytes);

/// "0.8 s", "42 s", "3m 05s", "2h 10m"
std::string human_duration(double seconds);

/// A number with that many digits after the point.
std::string fixed(double value, int digits);

/// "10GB", "512 MiB", "1000": bytes. Decimal and binary units, any case.
enm::Result<uint64_t> parse_bytes(std::string_view text);

/// "30d", "12h", "45m", "10s": seconds.
enm::Result<int64_t> parse_duration(std::string_view text);

/// Rows of columns, left-aligned; the first row is the header. Columns that hold only numbers are
/// right-aligned.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace cli
