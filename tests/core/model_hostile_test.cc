// A model folder that is damaged, or not what it says: errors of the documented form, end to end.
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "test_support.h"

namespace vitrine::test {
namespace {

ModelFolder Golden(const std::string& name) {
  return ModelFolder(SourceDir() / "tests/golden" / name);
}

size_t DataStart(const std::vector<uint8_t>& file) {
  uint64_t header_size;
  std::memcpy(&header_size, file.data(), sizeof(header_size));
  return sizeof(header_size) + header_size;
}

/// Where the values of a tensor begin in the file.
size_t Offset(const std::vector<uint8_t>& file, const std::string& name) {
  const std::string header(file.begin() + sizeof(uint64_t), file.begin() + DataStart(file));
  const size_t entry = header.find("\"" + name + "\"");
  REQUIRE(entry != std::string::npos);
  const std::string key = "\"data_offsets\":[";
  const size_t value = header.find(key, entry);
  REQUIRE(value != std::string::npos);
  return DataStart(file) + std::stoul(header.substr(value + key.size()));
}

Result<void> Load(const ModelFolder& folder) {
  Result<std::unique_ptr<Classifier>> classifier = Classifier::Create(folder.files(), 1);
  if (!classifier) return Forward(classifier);
  return Stream((*classifier)->weights(), folder.weights);
}

/// Fails unless loading fails like this, with a message that holds every one of `parts`.
void RequireError(const ModelFolder& folder, Status status, const std::vector<std::string>& parts) {
  const Result<void> loaded = Load(folder);
  REQUIRE_FALSE(loaded.has_value());
  INFO(loaded.error().message);
  CHECK(StatusName(loaded.error().status) == StatusName(status));
  for (const std::string& part : parts) {
    CAPTURE(part);
    CHECK(loaded.error().message.find(part) != std::string::npos);
  }
}

void Replace(std::string& text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  INFO("replacing " << from);
  REQUIRE(at != std::string::npos);
  text.replace(at, from.size(), to);
}

TEST_CASE("a checkpoint cut short anywhere is refused", "[hostile]") {
  ModelFolder folder = Golden("one_patch");
  const size_t data_start = DataStart(folder.weights);
  const size_t size =
      GENERATE_COPY(size_t{0}, size_t{1}, size_t{7}, size_t{8}, size_t{9}, data_start - 1,
                    data_start, data_start + 1, folder.weights.size() - 1);
  CAPTURE(size);
  folder.weights.resize(size);
  RequireError(folder, Status::kInvalidCheckpoint,
               {size == 0 ? "empty" : std::to_string(size), "complete?"});
}

TEST_CASE("a classifier whose weights are incomplete says so", "[hostile]") {
  ModelFolder folder = Golden("one_patch");
  folder.weights.resize(folder.weights.size() - 1);
  Result<std::unique_ptr<Classifier>> classifier = Classifier::Create(folder.files(), 1);
  REQUIRE(classifier.has_value());
  REQUIRE_FALSE(Stream((*classifier)->weights(), folder.weights).has_value());
  const std::vector<float> input(3 * 4 * 4);
  const Result<std::span<const float>> logits = (*classifier)->LogitsOfTensor(input);
  REQUIRE_FALSE(logits.has_value());
  CHECK(logits.error().status == Status::kInvalidArgument);
  CHECK(logits.error().message.find("weights") != std::string::npos);
  // The stream keeps its error.
  CHECK_FALSE((*classifier)->weights().Write(folder.weights).has_value());
}

TEST_CASE("bytes after the end are refused", "[hostile]") {
  ModelFolder folder = Golden("one_patch");
  folder.weights.push_back(0);
  RequireError(folder, Status::kInvalidCheckpoint, {});
}

TEST_CASE("weights that are not finite are refused by name", "[hostile]") {
  const std::string name = GENERATE("blocks.0.attn.qkv.weight", "head.bias", "pos_embed");
  SECTION("F32") {
    ModelFolder folder = Golden("stored_f32");
    const float value =
        GENERATE(std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                 -std::numeric_limits<float>::infinity());
    std::memcpy(folder.weights.data() + Offset(folder.weights, name) + 4, &value, sizeof(value));
    RequireError(folder, Status::kInvalidCheckpoint, {name});
  }
  SECTION("F16") {
    ModelFolder folder = Golden("qk_scale");
    const uint16_t value = GENERATE(uint16_t{0x7c00}, uint16_t{0xfc00}, uint16_t{0x7e01});
    std::memcpy(folder.weights.data() + Offset(folder.weights, name) + 4, &value, sizeof(value));
    RequireError(folder, Status::kInvalidCheckpoint, {name});
  }
  SECTION("BF16") {
    ModelFolder folder = Golden("stored_bf16");
    const uint16_t value = GENERATE(uint16_t{0x7f80}, uint16_t{0xff80}, uint16_t{0x7fc1});
    std::memcpy(folder.weights.data() + Offset(folder.weights, name) + 4, &value, sizeof(value));
    RequireError(folder, Status::kInvalidCheckpoint, {name});
  }
}

TEST_CASE("finite weights whose products overflow give an error, not NaN labels", "[hostile]") {
  ModelFolder folder = Golden("stored_f32");
  const size_t at = Offset(folder.weights, "head.weight");
  for (size_t i = 0; i < 5 * 16; ++i) {
    const float value = i % 2 == 0 ? 3e38f : -3e38f;
    std::memcpy(folder.weights.data() + at + i * sizeof(value), &value, sizeof(value));
  }
  const std::unique_ptr<Classifier> classifier = LoadClassifier(folder, 1);
  const std::vector<float> input =
      ReadTensors(folder.path / "golden.safetensors").at("input").values;
  const Result<std::span<const float>> logits = classifier->LogitsOfTensor(input);
  REQUIRE_FALSE(logits.has_value());
  INFO(logits.error().message);
  CHECK(logits.error().status == Status::kInvalidCheckpoint);
  CHECK(logits.error().message.find("head") != std::string::npos);
}

TEST_CASE("a config.json of another model is noticed", "[hostile]") {
  ModelFolder folder = Golden("plain");
  SECTION("another embed_dim") {
    Replace(folder.config, "\"embed_dim\": 32", "\"embed_dim\": 64");
    Replace(folder.config, "\"num_features\": 32", "\"num_features\": 64");
    RequireError(folder, Status::kInvalidCheckpoint, {"shape [", "expected [", "64"});
  }
  SECTION("fewer blocks: tensors nobody knows") {
    Replace(folder.config, "\"depth\": 2", "\"depth\": 1");
    RequireError(folder, Status::kInvalidCheckpoint, {"blocks.1."});
  }
  SECTION("more blocks: tensors missing") {
    Replace(folder.config, "\"depth\": 2", "\"depth\": 3");
    RequireError(folder, Status::kInvalidCheckpoint, {"blocks.2."});
  }
  SECTION("another img_size") {
    Replace(folder.config, "\"img_size\": [\n      32,", "\"img_size\": [\n      40,");
    Replace(folder.config, "      3,\n      32,", "      3,\n      40,");
    RequireError(folder, Status::kInvalidCheckpoint, {"pos_embed", "expected [1, 31, 32]"});
  }
  SECTION("values that contradict each other") {
    Replace(folder.config, "\"num_features\": 32", "\"num_features\": 64");
    RequireError(folder, Status::kInvalidConfig, {"num_features: 64", "embed_dim 32"});
  }
  SECTION("heads that do not divide embed_dim") {
    Replace(folder.config, "\"num_heads\": 2", "\"num_heads\": 5");
    RequireError(folder, Status::kInvalidConfig, {"num_heads", "5", "32"});
  }
  SECTION("a size no machine has memory for") {
    Replace(folder.config, "\"embed_dim\": 32", "\"embed_dim\": 2147483646");
    const Result<void> loaded = Load(folder);
    REQUIRE_FALSE(loaded.has_value());
    CHECK(loaded.error().message.find("embed_dim") != std::string::npos);
  }
  SECTION("cut short") {
    folder.config.resize(folder.config.size() / 2);
    RequireError(folder, Status::kInvalidConfig, {"config.json"});
  }
  SECTION("empty") {
    folder.config.clear();
    RequireError(folder, Status::kInvalidConfig, {"config.json"});
  }
}

TEST_CASE("any changed byte of a header gives a model or an error", "[hostile]") {
  const ModelFolder original = Golden("one_patch");
  const size_t data_start = DataStart(original.weights);
  size_t num_refused = 0, num_tried = 0;
  for (size_t at = 0; at < data_start; at += 3) {
    ModelFolder folder = original;
    folder.weights[at] ^= static_cast<uint8_t>(1u << (at % 7));
    const Result<void> loaded = Load(folder);
    ++num_tried;
    if (loaded) continue;
    ++num_refused;
    CHECK_FALSE(loaded.error().message.empty());
  }
  // Few bytes do not matter: padding, metadata.
  CHECK(num_refused > num_tried / 2);
}

TEST_CASE("pictures that are none give an error", "[hostile]") {
  const std::unique_ptr<Classifier> classifier = LoadClassifier(Golden("one_patch"), 1);
  const std::vector<std::vector<uint8_t>> files = {
      {}, {0xff, 0xd8}, {0x89, 'P', 'N', 'G'}, std::vector<uint8_t>(1000, 'x')};
  for (const std::vector<uint8_t>& file : files) {
    const Result<Classification> result = classifier->Classify(file, 5);
    REQUIRE_FALSE(result.has_value());
    CHECK(result.error().status == Status::kInvalidImage);
    CHECK_FALSE(result.error().message.empty());
  }
  // The classifier is unharmed.
  CHECK(classifier->LogitsOfTensor(std::vector<float>(3 * 4 * 4)).has_value());
  const float nan = std::nanf("");
  CHECK_FALSE(classifier->LogitsOfTensor(std::vector<float>(3 * 4 * 4, nan)).has_value());
  CHECK_FALSE(classifier->LogitsOfTensor(std::vector<float>(3 * 4 * 4 - 1)).has_value());
}

}  // namespace
}  // namespace vitrine::test
