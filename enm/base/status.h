// Status and Result<T>: how every function that can fail says so.
//
// The library never prints, exits, aborts or throws on input; it returns one of these. A message
// says where, what was got, what was expected, and if possible what to do next:
//
//   return Corrupt("[safetensors] header length ", n, " is beyond the file's ", size, " bytes");
#pragma once

#include <cassert>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "enm/base/strings.h"

namespace enm {

/// The closed list of ways to fail. The CLI maps each to an exit code, the registry to an HTTP
/// status.
enum class Code : unsigned char {
  kOk,
  kInvalidArgument,    // the caller asked for something that makes no sense
  kCorrupt,            // bytes are not what their format or their hash says
  kUnsupported,        // well-formed, but this build does not do it
  kNotFound,           // no such file, model, tensor or key
  kConflict,           // it exists already and is different, or somebody else owns it
  kUntrusted,          // unsigned, wrongly signed, or signed by a key that is not trusted
  kResourceExhausted,  // a limit: memory, disk, context window, size cap, rate
  kUnavailable,        // the other side does not answer now; trying again may help
  kCancelled,          // the caller said stop
  kIo,                 // the operating system refused a read or write
  kInternal,           // a bug of ours
};

/// Stable lower-case name of a code, as --json prints it ("invalid_argument", "corrupt", ...).
std::string_view code_name(Code code);

class [[nodiscard]] Status {
 public:
  Status() = default;  // OK
  Status(Code code, std::string message);

  bool ok() const { return rep_ == nullptr; }
  Code code() const { return rep_ ? rep_->code : Code::kOk; }
  std::string_view message() const { return rep_ ? std::string_view(rep_->message) : "ok"; }

  /// The same failure with "where: " put in front of the message; OK stays OK.
  Status in(std::string_view where) const;

 private:
  struct Rep {
    Code code;
    std::string message;
  };
  std::shared_ptr<const Rep> rep_;
};

Status make_status(Code code, std::initializer_list<Part> message);

template <Code kCode>
struct StatusFactory {
  template <typename... Parts>
  [[gnu::always_inline]] Status operator()(const Parts&... parts) const {
    return make_status(kCode, {Part(parts)...});
  }
};
inline constexpr StatusFactory<Code::kInvalidArgument> InvalidArgument{};
inline constexpr StatusFactory<Code::kCorrupt> Corrupt{};
inline constexpr StatusFactory<Code::kUnsupported> Unsupported{};
inline constexpr StatusFactory<Code::kNotFound> NotFound{};
inline constexpr StatusFactory<Code::kConflict> Conflict{};
inline constexpr StatusFactory<Code::kUntrusted> Untrusted{};
inline constexpr StatusFactory<Code::kResourceExhausted> ResourceExhausted{};
inline constexpr StatusFactory<Code::kUnavailable> Unavailable{};
inline constexpr StatusFactory<Code::kCancelled> Cancelled{};
inline constexpr StatusFactory<Code::kIo> IoError{};
inline constexpr StatusFactory<Code::kInternal> Internal{};

/// A T, or the Status that says why there is none. Reading a T that is not there is a caller's bug.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }
  template <typename U = T>
    requires(std::is_convertible_v<U &&, T> && !std::is_same_v<std::remove_cvref_t<U>, Status> &&
             !std::is_same_v<std::remove_cvref_t<U>, Result>)
  Result(U&& value) : value_(std::forward<U>(value)) {}

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }

  T& operator*() & { return assert(ok()), *value_; }
  const T& operator*() const& { return assert(ok()), *value_; }
  T&& operator*() && { return assert(ok()), *std::move(value_); }
  T* operator->() { return assert(ok()), &*value_; }
  const T* operator->() const { return assert(ok()), &*value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace enm

#define ENM_CONCAT_INNER(a, b) a##b
#define ENM_CONCAT(a, b) ENM_CONCAT_INNER(a, b)

/// Leaves the function with the failure of `expr`, if it is one.
#define ENM_RETURN_IF_ERROR(expr)                              \
  do {                                                         \
    if (::enm::Status enm_status = (expr); !enm_status.ok()) { \
      return enm_status;                                       \
    }                                                          \
  } while (false)

/// ENM_ASSIGN_OR_RETURN(auto bytes, read_file(path)): declares or assigns, or leaves the function.
#define ENM_ASSIGN_OR_RETURN(target, expr) \
  ENM_ASSIGN_OR_RETURN_INNER(ENM_CONCAT(enm_result_, __LINE__), target, expr)
#define ENM_ASSIGN_OR_RETURN_INNER(result, target, expr) \
  auto result = (expr);                                  \
  if (!result.ok()) return result.status();              \
  target = *std::move(result)
