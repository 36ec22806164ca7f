#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "enm/base/mutate.h"
#include "enm/distribution/manifest.h"
#include "enm/net/hub.h"

namespace enm::net {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string kCommit(40, 'c');
const std::string kBlob(40, 'b');
const std::string kSha256(64, 'a');

TEST(HubReference, HasRepositoryRevisionAndFile) {
  struct Case {
    const char* text;
    HubRef expected;
  };
  const Case cases[] = {
      {"hf:org/name", {"org/name", "main", ""}},
      {"hf:Qwen/Qwen2.5-0.5B", {"Qwen/Qwen2.5-0.5B", "main", ""}},
      {"hf:org/name@v1.0", {"org/name", "v1.0", ""}},
      {"hf:org/name@refs/pr/7", {"org/name", "refs/pr/7", ""}},
      {"hf:org/name/m-Q4_0.gguf", {"org/name", "main", "m-Q4_0.gguf"}},
      {"hf:org/name@v2/sub/m.gguf", {"org/name", "v2", "sub/m.gguf"}},
      {"hf:org/name@refs/pr/7/onnx/m.onnx", {"org/name", "refs/pr/7", "onnx/m.onnx"}},
  };
  for (const Case& one : cases) {
    const auto got = parse_hub_reference(one.text);
    ASSERT_TRUE(got.ok()) << got.status().message();
    EXPECT_EQ(got->repository, one.expected.repository);
    EXPECT_EQ(got->revision, one.expected.revision);
    EXPECT_EQ(got->file, one.expected.file);
    EXPECT_EQ(got->text(), one.text);
  }
}

TEST(HubReference, RefusesWhatLeadsElsewhere) {
  for (const char* text : {"hf:",
                           "hf:name",
                           "hf:/name",
                           "hf:org/",
                           "hf:../etc",
                           "hf:org/..",
                           "hf:.org/name",
                           "hf:org/na me",
                           "hf:org/name?x",
                           "hf:org/name#x",
                           "hf:org/a--b",
                           "hf:org/name@",
                           "hf:org/name@../../api",
                           "hf:org/name@a b",
                           "hf:org/name@-x",
                           "hf:org/name/",
                           "hf:org/name@main/",
                           "hf:org/name/../x.gguf",
                           "hf:org/name//x.gguf",
                           "hf:org/name/x.bin",
                           "hf:org/name/x\\y.gguf",
                           "hf:org/name/.x.gguf",
                           "hf:org/name@refs/pr/1/",
                           "hf:org@x/name"}) {
    EXPECT_EQ(parse_hub_reference(text).status().code(), Code::kInvalidArgument) << text;
  }
  EXPECT_FALSE(is_hub_reference("org/name"));
}

TEST(HubReference, TheCachesNameIsNoRegistrysId) {
  EXPECT_EQ(hub_cache_id("Org/Name-1.5"), "hf+Org+Name-1.5");
  EXPECT_FALSE(distribution::check_model_id(hub_cache_id("org/name")).ok());
  EXPECT_EQ(shown_model_id(hub_cache_id("Org/Name-1.5")), "hf:Org/Name-1.5");
  EXPECT_EQ(shown_model_id("story"), "story");
}

std::string small(std::string_view name) {
  return cat(R"({"rfilename":")", name, R"(","size":7,"blobId":")", kBlob, R"("})");
}
std::string large(std::string_view name, std::string_view size = "9") {
  return cat(R"({"rfilename":")", name, R"(","size":)", size, R"(,"blobId":")", kBlob,
             R"(","lfs":{"sha256":")", kSha256, R"(","size":)", size, R"(,"pointerSize":133}})");
}
std::string revision(const std::vector<std::string>& files) {
  return cat(R"({"id":"org/name","sha":")", kCommit, R"(","siblings":[)", join(files, ","), "]}");
}

HubListing listing_of(const std::vector<std::string>& files) {
  auto listing = parse_hub_revision(revision(files));
  EXPECT_TRUE(listing.ok()) << listing.status().message();
  EXPECT_TRUE(finish_hub_listing(*listing).ok());
  return *std::move(listing);
}

std::vector<std::string> chosen(const HubListing& listing, const HubRef& ref = {"org/name"}) {
  const auto files = choose_hub_files(listing, ref);
  if (!files.ok()) return {std::string(files.status().message())};
  std::vector<std::string> names;
  for (const auto& file : *files) names.push_back(file.name);
  return names;
}

TEST(HubListing, TellsSizesAndHashes) {
  const HubListing listing = listing_of({large("model.safetensors"), small("config.json")});
  EXPECT_EQ(listing.commit, kCommit);
  ASSERT_EQ(listing.files.size(), 2U);
  EXPECT_EQ(listing.files[0].name, "config.json");
  EXPECT_EQ(listing.files[0].size, 7U);
  EXPECT_EQ(listing.files[0].hash.key(), "git-" + kBlob);
  EXPECT_EQ(listing.files[1].hash.key(), kSha256);
}

TEST(HubListing, ATreeTellsTheSame) {
  HubListing listing;
  const std::string page =
      cat(R"([{"type":"directory","oid":")", kBlob,
          R"(","size":0,"path":"onnx"},{"type":"file","oid":")", kBlob,
          R"(","size":7,"path":"config.json"},{"type":"file","oid":")", kBlob,
          R"(","size":9,"lfs":{"oid":")", kSha256, R"(","size":9},"path":"model.safetensors"}])");
  ASSERT_TRUE(add_hub_tree(page, listing).ok());
  ASSERT_EQ(listing.files.size(), 2U);
  EXPECT_EQ(listing.files[1].hash.hex, kSha256);
  ASSERT_TRUE(add_hub_tree(page, listing).ok());
  EXPECT_EQ(finish_hub_listing(listing).code(), Code::kCorrupt);  // each stands twice
}

TEST(HubListing, LeavesOutNamesThatNoModelHas) {
  EXPECT_TRUE(
      listing_of({small("../config.json"), small("/etc/passwd"), small("a//b"), small("a\\u0000b"),
                  small("C:x"), small("manifest.json"), small(".gitattributes"), small("a b.gguf")})
          .files.empty());
}

TEST(HubListing, RefusesWhatContradictsItself) {
  const std::string bad[] = {
      "",
      "[]",
      "{}",
      R"({"sha":"main"})",
      R"({"sha":5})",
      revision({large("x", "-1")}),
      revision({large("x", "9223372036854775807")}),
      revision({R"({"rfilename":"x","size":7,"blobId":"b"})"}),
      revision({R"({"rfilename":"x","size":7})"}),
      revision({R"({"rfilename":"x","size":"7","blobId":")" + kBlob + "\"}"}),
      revision({R"({"rfilename":5,"size":7})"}),
      revision({"7"}),
      revision({cat(R"({"rfilename":"x","size":8,"lfs":{"sha256":")", kSha256, R"(","size":9}})")}),
  };
  for (const std::string& text : bad) EXPECT_FALSE(parse_hub_revision(text).ok()) << text;
  EXPECT_FALSE(parse_hub_revision(
                   cat(R"({"sha":")", kCommit, R"(","siblings":)", std::string(100'000, '['), "}"))
                   .ok());
  EXPECT_EQ(parse_hub_revision(std::string(kMaxListingBytes + 1, ' ')).status().code(),
            Code::kResourceExhausted);
  std::vector<std::string> many(kMaxListedFiles + 1, "{\"rfilename\":\"x\"}");
  EXPECT_EQ(parse_hub_revision(revision(many)).status().code(), Code::kResourceExhausted);
}

TEST(HubListing, AHubWithoutHashesTellsNoFiles) {
  EXPECT_TRUE(listing_of({R"({"rfilename":"config.json"})"}).files.empty());
}

TEST(HubListing, MutationsAreErrorsOrSafe) {
  const std::string good = revision({large("model.safetensors"), small("config.json"),
                                     large("a-00001-of-00002.gguf"), small("tokenizer.json")});
  Mutator mutator(9);
  for (int i = 0; i < 20'000; ++i) {
    const auto bytes = mutator.mutate(as_bytes(good));
    auto listing = parse_hub_revision(as_text(bytes));
    if (!listing.ok()) continue;
    EXPECT_EQ(listing->commit.size(), 40U);
    for (const auto& file : listing->files) {
      EXPECT_TRUE(distribution::check_file_name(file.name).ok());
      EXPECT_LE(file.size, distribution::kMaxTotalBytes);
    }
    (void)choose_hub_files(*listing, {"org/name"});
  }
}

TEST(HubFiles, OneFormOfTheWeightsAndWhatGoesWithIt) {
  const HubListing all = listing_of(
      {small("README.md"), small("config.json"), small("tokenizer.json"), small("vocab.txt"),
       small("1_Pooling/config.json"), small("modules.json"), large("pytorch_model.bin"),
       large("onnx/model.onnx"), large("onnx/model.onnx_data"), large("onnx/model_q4.onnx"),
       large("model.safetensors"), large("consolidated.safetensors"), large("m.gguf")});
  EXPECT_THAT(chosen(all), ElementsAre("1_Pooling/config.json", "config.json", "model.safetensors",
                                       "modules.json", "tokenizer.json", "vocab.txt"));
  EXPECT_THAT(chosen(all, {"org/name", "main", "m.gguf"}), ElementsAre("m.gguf"));
  EXPECT_THAT(chosen(all, {"org/name", "main", "onnx/model_q4.onnx"}),
              ElementsAre("1_Pooling/config.json", "config.json", "modules.json",
                          "onnx/model_q4.onnx", "tokenizer.json", "vocab.txt"));
  EXPECT_THAT(chosen(listing_of({small("config.json"), large("onnx/model.onnx"),
                                 large("onnx/model.onnx_data"), large("onnx/model_q4.onnx")})),
              ElementsAre("config.json", "onnx/model.onnx", "onnx/model.onnx_data"));
}

TEST(HubFiles, ShardsComeWithTheirIndex) {
  EXPECT_THAT(chosen(listing_of({small("config.json"), small("model.safetensors.index.json"),
                                 large("model-00001-of-00002.safetensors"),
                                 large("model-00002-of-00002.safetensors"),
                                 large("original/model-00001-of-00001.safetensors")})),
              ElementsAre("config.json", "model-00001-of-00002.safetensors",
                          "model-00002-of-00002.safetensors", "model.safetensors.index.json"));
  EXPECT_THAT(chosen(listing_of({small("config.json"), small("model.safetensors.index.json"),
                                 large("model-00001-of-00002.safetensors")}))[0],
              HasSubstr("1 of the 2 files of model-of-00002.safetensors"));
  EXPECT_THAT(chosen(listing_of({large("model.safetensors")}))[0], HasSubstr("config.json"));
}

TEST(HubFiles, ASplitGgufIsOneModel) {
  const HubListing split = listing_of(
      {large("a-00001-of-00002.gguf"), large("README.md"), large("a-00002-of-00002.gguf")});
  EXPECT_THAT(chosen(split), ElementsAre("a-00001-of-00002.gguf", "a-00002-of-00002.gguf"));
  const HubRef second{"org/name", "main", "a-00002-of-00002.gguf"};
  EXPECT_THAT(chosen(split, second), ElementsAre("a-00001-of-00002.gguf", "a-00002-of-00002.gguf"));
  EXPECT_EQ(hub_model_file(chosen(split), second), "a-00001-of-00002.gguf");
  EXPECT_THAT(chosen(listing_of({large("a-00001-of-00002.gguf")}))[0],
              HasSubstr("1 of the 2 files"));
}

TEST(HubFiles, SaysWhatThereIsInstead) {
  EXPECT_THAT(chosen(listing_of({large("a-Q4_0.gguf"), large("a-Q8_0.gguf")}))[0],
              HasSubstr("name one, as in hf:org/name/a-Q4_0.gguf"));
  EXPECT_THAT(chosen(listing_of({large("pytorch_model.bin")}))[0],
              HasSubstr("it has pytorch_model.bin"));
  EXPECT_THAT(chosen(listing_of({large("a.gguf")}), {"org/name", "main", "b.gguf"})[0],
              HasSubstr("there are a.gguf"));
}

TEST(Hub, RefusesEndpointsAndTokensThatAreNone) {
  for (const char* endpoint : {"", "file:///x", "huggingface.co", "https://a@b", "https://a b",
                               "https://a/?x", "http://a\r\nHost: b"}) {
    EXPECT_EQ(Hub::open({endpoint, "", {}}).status().code(), Code::kInvalidArgument) << endpoint;
  }
  const Status token = Hub::open({"https://a", "x\r\nHost: b", {}}).status();
  EXPECT_EQ(token.code(), Code::kInvalidArgument);
  EXPECT_THAT(std::string(token.message()), Not(HasSubstr("Host")));
  EXPECT_TRUE(Hub::open({"https://huggingface.co/", "hf_x", {}}).ok());
}

}  // namespace
}  // namespace enm::net
