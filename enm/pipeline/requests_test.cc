#include "enm/pipeline/requests.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "enm/base/file_posix.h"

namespace enm::pipeline {
namespace {

using testing::HasSubstr;

struct Property {
  std::string type;
  bool required = false;
  bool operator==(const Property&) const = default;
};
using Properties = std::map<std::string, Property>;

void PrintTo(const Property& property, std::ostream* out) {
  *out << property.type << (property.required ? ", required" : "");
}

Properties in_schema(std::string_view type) {
  const auto blob = DirectoryFiles(ENM_SOURCE_DIR "/schemas").open("requests.json");
  EXPECT_TRUE(blob.ok());

  const auto schema = Json::parse(as_text(blob->bytes()));
  EXPECT_TRUE(schema.ok());
  const Json& definition = *schema->find("$defs")->find(type);
  Properties out;
  if (const Json* bases = definition.find("allOf")) {
    for (const Json& base : bases->items()) {
      const std::string& ref = base.find("$ref")->string();  // "#/$defs/WritingOptions"
      out.merge(in_schema(ref.substr(ref.rfind('/') + 1)));
    }
  }
  for (const auto& [name, property] : definition.find("properties")->members()) {
    out[name].type = property.find("type")->string();
  }
  if (const Json* required = definition.find("required")) {
    for (const Json& name : required->items()) out[name.string()].required = true;
  }
  return out;
}

Properties in_table(std::span<const Field> fields) {
  Properties out;
  for (const Field& field : fields) {
    out[std::string(field.name())] = {std::string(field.type_name()), field.is_required()};
  }
  return out;
}

// A result has all of its properties.
Properties all_required(Properties properties) {
  for (auto& [name, property] : properties) property.required = true;
  return properties;
}

TEST(Requests, TheTablesAreTheSchema) {
  ModelOptions model;
  EXPECT_EQ(in_table(fields(model)), in_schema("ModelRequest"));
  SessionOptions session;
  EXPECT_EQ(in_table(fields(session)), in_schema("SessionRequest"));
  GenerateRequest generate;
  EXPECT_EQ(in_table(fields(generate)), in_schema("GenerateRequest"));
  ChatRequest chat;
  EXPECT_EQ(in_table(fields(chat)), in_schema("ChatRequest"));
  EmbedRequest embed;
  EXPECT_EQ(in_table(fields(embed)), in_schema("EmbedRequest"));
  GenerateResult result;
  EXPECT_EQ(all_required(in_table(fields(result))), in_schema("GenerateResult"));
  MemoryInfo memory;
  EXPECT_EQ(all_required(in_table(fields(memory))), in_schema("MemoryInfo"));
}

TEST(Requests, EveryPropertyFindsItsMember) {
  GenerateRequest request;
  const Status status = read_request(
      R"({"prompt": "Once", "maxTokens": 7, "temperature": 0.5, "topK": 3, "topP": 0.25, "minP": 1,
          "repetitionPenalty": 2, "seed": 9, "stop": ["a", "b"], "logprobs": 4, "jsonSchema": {"type": "null"},
          "grammar": "root ::= []"})",
      fields(request));
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(request.prompt, "Once");
  EXPECT_EQ(request.options.max_tokens, 7);
  EXPECT_EQ(request.options.stop, std::vector<std::string>({"a", "b"}));
  EXPECT_EQ(request.options.logprobs, 4);
  EXPECT_EQ(write_json(request.options.json_schema), R"({"type":"null"})");
  EXPECT_EQ(request.options.grammar, "root ::= []");
  const runtime::SamplingOptions& sampling = request.options.sampling;
  EXPECT_EQ(sampling.temperature, 0.5f);
  EXPECT_EQ(sampling.top_k, 3);
  EXPECT_EQ(sampling.top_p, 0.25f);
  EXPECT_EQ(sampling.min_p, 1);
  EXPECT_EQ(sampling.repetition_penalty, 2);
  EXPECT_EQ(sampling.seed, 9u);
}

TEST(Requests, AChatFindsItsMembers) {
  ChatRequest request;
  const Status status = read_request(
      R"({"messages": [{"role": "user", "content": "Hi"}], "tools": [{}], "documents": [],
          "variables": {"x": 1}, "addGenerationPrompt": false, "localTime": 5, "maxTokens": 7})",
      fields(request));
  ASSERT_TRUE(status.ok()) << status.message();
  EXPECT_EQ(request.chat.messages.items()[0].find("content")->string(), "Hi");
  EXPECT_EQ(request.chat.tools.items().size(), 1u);
  EXPECT_TRUE(request.chat.documents.is_array());
  EXPECT_EQ(request.chat.variables.find("x")->integer(), 1);
  EXPECT_FALSE(request.chat.add_generation_prompt);
  EXPECT_EQ(request.chat.local_time, 5);
  EXPECT_EQ(request.options.max_tokens, 7);
}

TEST(Requests, NamesWhatItRefuses) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"({})", "\"prompt\" is missing"},
      {R"({"prompt": "x", "top_k": 1})", "unknown \"top_k\""},
      {R"({"prompt": null})", "prompt: expected string, got null"},
      {R"({"prompt": "x", "temperature": "1"})", "temperature: expected number, got string"},
      {R"({"prompt": "x", "topK": 1.5})", "topK: expected integer, got number"},
      {R"({"prompt": "x", "topK": 2147483648})", "topK: 2147483648 is out of range"},
      {R"({"prompt": "x", "seed": -1})", "seed: -1 is out of range"},
      {R"({"prompt": "x", "stop": "."})", "stop: expected array, got string"},
      {R"({"prompt": "x", "stop": [1]})", "stop: expected strings, got integer"},
      {R"({"prompt": "x", "jsonSchema": true})", "jsonSchema: expected object, got bool"},
      {R"(["x"])", "expected object, got array"},
  };
  for (const auto& [text, message] : wrong) {
    GenerateRequest request;
    const Status status = read_request(text, fields(request));
    EXPECT_EQ(status.code(), Code::kInvalidArgument) << text;
    EXPECT_THAT(std::string(status.message()), HasSubstr(message)) << text;
  }
}

TEST(Requests, AResultIsJson) {
  GenerateResult result;
  result.text = "\"Hi\"\n";
  result.tokens = 3;
  result.prompt_tokens = 5;
  result.cached_tokens = 4;
  result.finish = Finish::kContextFull;
  result.logprobs = {{.id = 7, .bytes = "\xe2\x82", .logprob = -0.5}};
  result.logprobs[0].top = {{.id = 8, .bytes = "a", .logprob = -0.25}};
  EXPECT_EQ(write_result(fields(result)),
            R"({"text":"\"Hi\"\n","tokens":3,"promptTokens":5,"cachedTokens":4,)"
            R"("finishReason":"context_full","logprobs":[{"id":7,"text":"�","bytes":[226,130],)"
            R"("logprob":-0.5,"top":[{"id":8,"text":"a","bytes":[97],"logprob":-0.25}]}]})");
}

}  // namespace
}  // namespace enm::pipeline
