// Requests and results as JSON, by the names and types of schemas/requests.json: one table a type,
// which the WebAssembly module reads and writes by and the tests hold against the schema.
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "enm/base/json.h"
#include "enm/pipeline/generation.h"
#include "enm/pipeline/model.h"
#include "enm/pipeline/session.h"

namespace enm::pipeline {

struct GenerateRequest {
  std::string prompt;
  GenerateOptions options;
};

struct ChatRequest {
  text::Chat chat;
  GenerateOptions options;
};

struct EmbedRequest {
  std::vector<std::string> texts;
  EmbedOptions options;
};

/// Bytes.
struct MemoryInfo {
  uint64_t model = 0;
  uint64_t kv_cache = 0;
  uint64_t arena = 0;
};

/// A property and the member it stands for.
class Field {
 public:
  enum class Type : uint8_t {
    kInt32,
    kInt64,
    kUint64,
    kFloat,
    kString,
    kStrings,
    kList,
    kObject,
    kBool,
    kFinish,
    kLogprobs
  };
  enum Need : bool { kOptional, kRequired };

  Field(std::string_view name, int32_t* at) : Field(name, Type::kInt32, at, kOptional) {}
  Field(std::string_view name, int64_t* at) : Field(name, Type::kInt64, at, kOptional) {}
  Field(std::string_view name, uint64_t* at) : Field(name, Type::kUint64, at, kOptional) {}
  Field(std::string_view name, float* at) : Field(name, Type::kFloat, at, kOptional) {}
  Field(std::string_view name, Finish* at) : Field(name, Type::kFinish, at, kOptional) {}
  Field(std::string_view name, std::vector<TokenLogprob>* at)
      : Field(name, Type::kLogprobs, at, kOptional) {}
  Field(std::string_view name, std::string* at, Need need = kOptional)
      : Field(name, Type::kString, at, need) {}
  Field(std::string_view name, std::vector<std::string>* at, Need need = kOptional)
      : Field(name, Type::kStrings, at, need) {}

  Field(std::string_view name, bool* at) : Field(name, Type::kBool, at, kOptional) {}
  /// Any list or object, as it is.
  static Field list(std::string_view name, Json* at, Need need = kOptional) {
    return Field(name, Type::kList, at, need);
  }
  static Field object(std::string_view name, Json* at) {
    return Field(name, Type::kObject, at, kOptional);
  }

  std::string_view name() const { return name_; }
  bool is_required() const { return need_ == kRequired; }
  /// As a JSON schema says it: "integer", "number", "string", "array", "object", "boolean".
  std::string_view type_name() const;

  /// kInvalidArgument naming the property if the value is of another type or beyond the member's.
  Status read(const Json& value) const;
  std::string write() const;

 private:
  Field(std::string_view name, Type type, void* at, Need need)
      : name_(name), at_(at), type_(type), need_(need) {}
  Status read_integer(int64_t value) const;
  Status read_strings(const Json& value) const;

  std::string_view name_;
  void* at_;  // of the type that type_ says
  Type type_;
  Need need_;
};

std::array<Field, 4> fields(ModelOptions& request);
std::array<Field, 2> fields(SessionOptions& request);
std::array<Field, 12> fields(GenerateRequest& request);
std::array<Field, 17> fields(ChatRequest& request);
std::array<Field, 3> fields(EmbedRequest& request);
std::array<Field, 6> fields(GenerateResult& result);
std::array<Field, 3> fields(MemoryInfo& result);

/// Reads the members that `text`, a JSON object, names. kInvalidArgument naming the property that
/// is missing, unknown or of the wrong type.
Status read_request(std::string_view text, std::span<const Field> fields);

/// As a list of TokenLogprob objects.
std::string write_logprobs(const std::vector<TokenLogprob>& logprobs);

/// All fields as a JSON object.
std::string write_result(std::span<const Field> fields);

}  // namespace enm::pipeline
