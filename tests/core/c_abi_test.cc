// The C ABI as a foreign caller uses it, and misuses it.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <memory>
#include <string>

#include "reference_executor.h"
#include "small_model.h"
#include "test_support.h"
#include "vitrine/vitrine.h"

namespace vitrine::test {
namespace {

struct Destroy {
  void operator()(vitrine_model* model) const { vitrine_destroy(model); }
};
using Handle = std::unique_ptr<vitrine_model, Destroy>;

constexpr int32_t kRefused = -static_cast<int32_t>(Status::kInvalidArgument);

std::string LastError() { return vitrine_last_error(); }
bool LastErrorIs(const std::string& status) {
  return LastError().starts_with("{\"status\":\"" + status + "\",\"message\":\"");
}

Handle Create(const std::string& config) {
  Handle handle(vitrine_create(config.c_str(), nullptr, nullptr));
  INFO(LastError());
  REQUIRE(handle != nullptr);
  REQUIRE(vitrine_use_cpu(handle.get(), 1) == 0);
  return handle;
}

/// Bytes written in pieces of `piece` bytes; the status of the first call that fails, or of finish.
int32_t StreamAll(vitrine_model* handle, const std::vector<uint8_t>& bytes, size_t piece) {
  for (size_t sent = 0; sent < bytes.size();) {
    size_t granted = 0;
    uint8_t* window =
        vitrine_weights_reserve(handle, std::min(piece, bytes.size() - sent), &granted);
    if (window == nullptr) return -1000;
    REQUIRE(granted > 0);
    std::memcpy(window, bytes.data() + sent, granted);
    if (const int32_t status = vitrine_weights_commit(handle, granted); status != 0) return status;
    sent += granted;
  }
  return vitrine_weights_finish(handle);
}

std::vector<uint8_t> Weights(const std::string& config, const Fill& fill) {
  const auto model = Model::Create({config, "", ""});
  REQUIRE(model.has_value());
  return MakeSafetensors((*model)->plan(), fill);
}

Handle LoadSmall(const Fill& fill) {
  const std::string config = SmallConfig(3);
  Handle handle = Create(config);
  REQUIRE(StreamAll(handle.get(), Weights(config, fill), 7) == 0);
  return handle;
}

void Decode(vitrine_model* handle, const std::vector<uint8_t>& file) {
  uint8_t* memory = vitrine_image_reserve(handle, file.size());
  REQUIRE(memory != nullptr);
  std::memcpy(memory, file.data(), file.size());
  REQUIRE(vitrine_image_decode(handle, file.size()) == 0);
}

TEST_CASE("The C ABI classifies a file and pixels", "[c_abi]") {
  const Handle handle = LoadSmall(HeadBias({0, 2, 1}));

  Decode(handle.get(), MakeBmp(9, 7, {10, 20, 30}));
  const char* json = vitrine_classify(handle.get(), 2, 0);
  REQUIRE(json != nullptr);
  CHECK(std::string(json).starts_with("{\"labels\":[{\"index\":1,"));

  // The picture stays: more questions need no second decoding.
  size_t length = 0;
  const float* logits = vitrine_logits(handle.get(), 1, &length);
  REQUIRE(logits != nullptr);
  CHECK(std::vector<float>(logits, logits + length) == std::vector<float>{0, 2, 1});
  REQUIRE(vitrine_features(handle.get(), 0, &length) != nullptr);
  CHECK(length == 8);

  uint8_t* pixels = vitrine_image_reserve(handle.get(), 4 * 5 * 4);
  REQUIRE(pixels != nullptr);
  std::memset(pixels, 255, 4 * 5 * 4);
  CHECK(vitrine_image_rgba(handle.get(), 5, 4) == 0);
  json = vitrine_classify(handle.get(), 1, 0);
  REQUIRE(json != nullptr);
  CHECK(std::string(json).find("\"ms\":{\"preprocess\":") != std::string::npos);

  const std::vector<float> tensor(3 * 8 * 8);
  logits = vitrine_logits_of_tensor(handle.get(), tensor.data(), tensor.size(), &length);
  REQUIRE(logits != nullptr);
  CHECK(std::vector<float>(logits, logits + length) == std::vector<float>{0, 2, 1});
}

TEST_CASE("The C ABI gives the same numbers for a file and its pixels", "[c_abi]") {
  const Handle handle = LoadSmall(Varied);
  size_t length = 0;
  Decode(handle.get(), MakeBmp(8, 8, {200, 100, 50}));
  const float* logits = vitrine_logits(handle.get(), 0, &length);
  REQUIRE(logits != nullptr);
  const std::vector<float> of_file(logits, logits + length);

  uint8_t* pixels = vitrine_image_reserve(handle.get(), 8 * 8 * 4);
  REQUIRE(pixels != nullptr);
  const uint8_t colour[4] = {200, 100, 50, 255};
  for (size_t i = 0; i < 8 * 8; ++i) std::memcpy(pixels + 4 * i, colour, 4);
  REQUIRE(vitrine_image_rgba(handle.get(), 8, 8) == 0);
  logits = vitrine_logits(handle.get(), 0, &length);
  REQUIRE(logits != nullptr);
  CHECK(std::vector<float>(logits, logits + length) == of_file);
}

TEST_CASE("The C ABI shows transparency on white or drops it", "[c_abi]") {
  const Handle handle = LoadSmall(Varied);
  const auto logits_of = [&](int value, int32_t alpha) {
    uint8_t* pixels = vitrine_image_reserve(handle.get(), 8 * 8 * 4);
    REQUIRE(pixels != nullptr);
    std::memset(pixels, value, 8 * 8 * 4);  // grey as light as it is opaque
    REQUIRE(vitrine_image_rgba(handle.get(), 8, 8) == 0);
    size_t length = 0;
    const float* logits = vitrine_logits(handle.get(), alpha, &length);
    REQUIRE(logits != nullptr);
    return std::vector<float>(logits, logits + length);
  };
  const auto white = logits_of(255, 0);
  CHECK(white == logits_of(255, 1));
  CHECK(white == logits_of(0, 0));
  CHECK(white != logits_of(0, 1));
}

TEST_CASE("The C ABI forgets the picture before", "[c_abi]") {
  const Handle handle = LoadSmall(HeadBias({0, 2, 1}));
  Decode(handle.get(), MakeBmp(8, 8, {1, 2, 3}));
  REQUIRE(vitrine_classify(handle.get(), 1, 0) != nullptr);
  uint8_t* memory = vitrine_image_reserve(handle.get(), 16);
  REQUIRE(memory != nullptr);
  CHECK(vitrine_classify(handle.get(), 1, 0) == nullptr);
  std::memset(memory, 42, 16);
  CHECK(vitrine_image_decode(handle.get(), 16) != 0);
  CHECK(vitrine_classify(handle.get(), 1, 0) == nullptr);
}

TEST_CASE("The C ABI reports facts and the plan", "[c_abi]") {
  const Handle handle = Create(SmallConfig(3));
  const std::string info = vitrine_info(handle.get());
  CHECK(info.find("\"num_classes\":3") != std::string::npos);
  const std::string plan = vitrine_plan(handle.get());
  CHECK(plan.find("\"name\":\"blocks.0.attn.qkv\"") != std::string::npos);
}

TEST_CASE("The C ABI refuses null pointers", "[c_abi]") {
  size_t length = 0;
  const float value = 0;
  CHECK(vitrine_create(nullptr, nullptr, nullptr) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));
  CHECK(vitrine_weights_reserve(nullptr, 1, &length) == nullptr);
  CHECK(vitrine_weights_commit(nullptr, 0) == kRefused);
  CHECK(vitrine_weights_finish(nullptr) == kRefused);
  int32_t index = 0;
  CHECK(vitrine_use_cpu(nullptr, 1) == kRefused);
  CHECK(vitrine_weights_expected(nullptr) == 0);
  CHECK(vitrine_parameter_next(nullptr, &index, &length) == nullptr);
  CHECK(vitrine_patches(nullptr, 0, &length) == nullptr);
  CHECK(vitrine_patches_of_tensor(nullptr, &value, 1, &length) == nullptr);
  CHECK(vitrine_labels(nullptr, &value, 1, 1) == nullptr);
  CHECK(vitrine_info(nullptr) == nullptr);
  CHECK(vitrine_plan(nullptr) == nullptr);
  CHECK(vitrine_image_reserve(nullptr, 1) == nullptr);
  CHECK(vitrine_image_decode(nullptr, 0) == kRefused);
  CHECK(vitrine_image_rgba(nullptr, 1, 1) == kRefused);
  CHECK(vitrine_classify(nullptr, 1, 0) == nullptr);
  CHECK(vitrine_logits(nullptr, 0, &length) == nullptr);
  CHECK(vitrine_features(nullptr, 0, &length) == nullptr);
  CHECK(vitrine_logits_of_tensor(nullptr, &value, 1, &length) == nullptr);
  vitrine_destroy(nullptr);
  vitrine_free(nullptr);

  const Handle handle = LoadSmall(HeadBias({0, 2, 1}));
  CHECK(vitrine_weights_reserve(handle.get(), 1, nullptr) == nullptr);
  CHECK(vitrine_parameter_next(handle.get(), nullptr, &length) == nullptr);
  CHECK(vitrine_parameter_next(handle.get(), &index, nullptr) == nullptr);
  CHECK(vitrine_patches(handle.get(), 0, nullptr) == nullptr);
  CHECK(vitrine_patches_of_tensor(handle.get(), nullptr, 1, &length) == nullptr);
  CHECK(vitrine_labels(handle.get(), nullptr, 3, 1) == nullptr);
  Decode(handle.get(), MakeBmp(8, 8, {1, 2, 3}));
  CHECK(vitrine_logits(handle.get(), 0, nullptr) == nullptr);
  CHECK(vitrine_features(handle.get(), 0, nullptr) == nullptr);
  CHECK(vitrine_logits_of_tensor(handle.get(), nullptr, 1, &length) == nullptr);
  CHECK(vitrine_logits_of_tensor(handle.get(), &value, 1, nullptr) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));
}

TEST_CASE("The C ABI reports errors of config and weights", "[c_abi]") {
  CHECK(vitrine_create("{", nullptr, nullptr) == nullptr);
  CHECK(LastErrorIs("invalid_config"));
  const Handle small(vitrine_create(SmallConfig(3).c_str(), nullptr, nullptr));
  CHECK(vitrine_use_cpu(small.get(), 0) == kRefused);
  CHECK(LastErrorIs("invalid_argument"));

  const std::string config = SmallConfig(3);
  std::vector<uint8_t> weights = Weights(config, Varied);
  SECTION("bytes after the end") {
    weights.push_back(0);
    CHECK(StreamAll(Create(config).get(), weights, 64) ==
          -static_cast<int32_t>(Status::kInvalidCheckpoint));
    CHECK(LastErrorIs("invalid_checkpoint"));
  }
  SECTION("a file cut short") {
    weights.pop_back();
    CHECK(StreamAll(Create(config).get(), weights, 64) ==
          -static_cast<int32_t>(Status::kInvalidCheckpoint));
  }
  SECTION("more committed than granted") {
    const Handle handle = Create(config);
    size_t granted = 0;
    REQUIRE(vitrine_weights_reserve(handle.get(), 4, &granted) != nullptr);
    CHECK(vitrine_weights_commit(handle.get(), granted + 1) == kRefused);
  }
}

TEST_CASE("The C ABI refuses calls out of order and pictures that are none", "[c_abi]") {
  size_t length = 1;
  const Handle empty = Create(SmallConfig(3));
  Decode(empty.get(), MakeBmp(8, 8, {1, 2, 3}));
  CHECK(vitrine_classify(empty.get(), 1, 0) == nullptr);  // no weights
  CHECK(LastErrorIs("invalid_argument"));

  const Handle handle = LoadSmall(HeadBias({0, 2, 1}));
  CHECK(vitrine_classify(handle.get(), 1, 0) == nullptr);  // no picture
  CHECK(LastErrorIs("invalid_argument"));
  CHECK(vitrine_logits(handle.get(), 0, &length) == nullptr);
  CHECK(length == 0);

  CHECK(vitrine_image_reserve(handle.get(), 0) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));
  CHECK(vitrine_image_reserve(handle.get(), size_t{1} << 31) == nullptr);
  CHECK(LastErrorIs("too_large"));
  CHECK(vitrine_image_decode(handle.get(), 10) == kRefused);  // nothing reserved
  CHECK(vitrine_image_rgba(handle.get(), 2, 2) == kRefused);

  uint8_t* memory = vitrine_image_reserve(handle.get(), 16);
  REQUIRE(memory != nullptr);
  CHECK(vitrine_image_decode(handle.get(), 17) == kRefused);
  CHECK(vitrine_image_rgba(handle.get(), 0, 2) == kRefused);
  CHECK(vitrine_image_rgba(handle.get(), -1, -1) == kRefused);
  CHECK(vitrine_image_rgba(handle.get(), 3, 2) == kRefused);
  CHECK(vitrine_image_rgba(handle.get(), 1 << 30, 1 << 30) ==
        -static_cast<int32_t>(Status::kTooLarge));
  std::memset(memory, 42, 16);
  CHECK(vitrine_image_decode(handle.get(), 16) == -static_cast<int32_t>(Status::kInvalidImage));
  CHECK(vitrine_classify(handle.get(), 1, 0) == nullptr);  // no picture came of it

  Decode(handle.get(), MakeBmp(8, 8, {1, 2, 3}));
  CHECK(vitrine_classify(handle.get(), 0, 0) == nullptr);
  CHECK(vitrine_classify(handle.get(), 1, 2) == nullptr);
  CHECK(vitrine_logits(handle.get(), -1, &length) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));
  CHECK(vitrine_classify(handle.get(), 1, 0) != nullptr);  // and goes on working
}

TEST_CASE("The C ABI gives an executor elsewhere all that it needs", "[c_abi]") {
  const std::string config = SmallConfig(3);
  const std::vector<uint8_t> weights = Weights(config, Varied);
  const Handle handle(vitrine_create(config.c_str(), nullptr, nullptr));
  REQUIRE(handle != nullptr);
  CHECK(std::string(vitrine_info(handle.get())).find("\"threads\"") == std::string::npos);

  ReferenceExecutor reference(vitrine_plan(handle.get()));
  int32_t index = 0;
  size_t length = 0;
  CHECK(vitrine_weights_expected(handle.get()) == 0);
  int taken = 0;
  const size_t piece = 100;
  for (size_t sent = 0; sent < weights.size();) {
    size_t granted = 0;
    uint8_t* window =
        vitrine_weights_reserve(handle.get(), std::min(piece, weights.size() - sent), &granted);
    REQUIRE(window != nullptr);
    std::memcpy(window, weights.data() + sent, granted);
    REQUIRE(vitrine_weights_commit(handle.get(), granted) == 0);
    sent += granted;
    while (const uint8_t* bytes = vitrine_parameter_next(handle.get(), &index, &length)) {
      vitrine::Tensor tensor =
          vitrine::Tensor::Allocate(DType::kF32, {static_cast<int64_t>(length / sizeof(float))});
      std::memcpy(tensor.bytes.data(), bytes, length);
      REQUIRE(reference.SetParameter(index, std::move(tensor)).has_value());
      ++taken;
    }
    CHECK(index == -1);
  }
  CHECK(vitrine_weights_expected(handle.get()) == static_cast<double>(weights.size()));
  REQUIRE(vitrine_weights_finish(handle.get()) == 0);
  const auto model = Model::Create({config, "", ""});
  CHECK(taken == static_cast<int>((*model)->plan().parameters.size()));
  CHECK(vitrine_use_cpu(handle.get(), 1) == kRefused);  // too late

  // Its logits of a picture are those of the CPU.
  Decode(handle.get(), MakeBmp(9, 7, {200, 20, 30}));
  const float* patches = vitrine_patches(handle.get(), VITRINE_ALPHA_WHITE, &length);
  REQUIRE(patches != nullptr);
  reference.Run({patches, length}, Want::kHead);
  const std::vector<float> logits = reference.Role("output");
  const Handle cpu = LoadSmall(Varied);
  Decode(cpu.get(), MakeBmp(9, 7, {200, 20, 30}));
  const float* expected = vitrine_logits(cpu.get(), VITRINE_ALPHA_WHITE, &length);
  REQUIRE(expected != nullptr);
  CHECK(Compare(logits, {expected, length}).relative() < 1e-5);

  // And so are the labels made of them.
  const char* text = vitrine_labels(handle.get(), logits.data(), logits.size(), 3);
  REQUIRE(text != nullptr);
  const std::string labels = text;
  const std::string of_cpu = vitrine_classify(cpu.get(), 3, VITRINE_ALPHA_WHITE);
  CHECK(labels.substr(0, 24) == of_cpu.substr(0, 24));
  CHECK(vitrine_labels(handle.get(), logits.data(), 2, 3) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));

  // A tensor of zeros unfolds to zeros; results of the CPU are refused.
  const std::vector<float> tensor(3 * 8 * 8);
  patches = vitrine_patches_of_tensor(handle.get(), tensor.data(), tensor.size(), &length);
  REQUIRE(patches != nullptr);
  CHECK(std::vector<float>(patches, patches + length) == tensor);
  CHECK(vitrine_classify(handle.get(), 1, VITRINE_ALPHA_WHITE) == nullptr);
  CHECK(LastErrorIs("invalid_argument"));
}

TEST_CASE("The C ABI lists the formats that it decodes", "[c_abi]") {
  CHECK(std::string(vitrine_image_formats()) ==
        "[\"image/jpeg\",\"image/png\",\"image/gif\",\"image/bmp\"]");
}

TEST_CASE("The C ABI's memory", "[c_abi]") {
  void* memory = vitrine_alloc(0);
  CHECK(memory != nullptr);
  vitrine_free(memory);
  memory = vitrine_alloc(100);
  REQUIRE(memory != nullptr);
  std::memset(memory, 1, 100);
  vitrine_free(memory);
}

}  // namespace
}  // namespace vitrine::test
