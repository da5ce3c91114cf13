// Classifier: from logits to labels, what it refuses, and its JSON.
#include "vitrine/classifier.h"

#include <catch2/catch_approx.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "base/json.h"
#include "small_model.h"
#include "vitrine/cpu.h"

namespace vitrine::test {
namespace {

using Catch::Approx;

const std::vector<uint8_t> kGrey = {120, 120, 120};

std::vector<float> Copy(const Result<std::span<const float>>& values) {
  if (!values) FAIL(values.error().message);
  return {values->begin(), values->end()};
}

template <typename T>
const Error& ErrorOf(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  return result.error();
}

TEST_CASE("Labels come best first, equal ones by index, with softmax scores", "[classifier]") {
  const std::vector<float> logits = {1, 3, 2, 3, -1, 0};
  const auto classifier =
      MakeSmallClassifier(SmallConfig(6), HeadBias(logits), R"(["a", "b", "c", "d", "e", "f"])");
  const auto result = classifier->Classify(MakePicture(10, 9, kGrey), /*top_k=*/4);
  REQUIRE(result.has_value());

  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit);
  const std::vector<int> order = {1, 3, 2, 0};
  REQUIRE(result->labels.size() == order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    CAPTURE(i);
    CHECK(result->labels[i].index == order[i]);
    CHECK(result->labels[i].label == std::string(1, static_cast<char>('a' + order[i])));
    CHECK(result->labels[i].score == Approx(std::exp(logits[order[i]]) / sum).epsilon(1e-6));
  }
}

TEST_CASE("A top-k beyond the number of classes gives them all", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), HeadBias({0, 1, 2}));
  const auto result = classifier->Classify(MakePicture(8, 8, kGrey), /*top_k=*/1000);
  REQUIRE(result.has_value());
  REQUIRE(result->labels.size() == 3);
  CHECK(result->labels[0].score + result->labels[1].score + result->labels[2].score ==
        Approx(1).epsilon(1e-6));
  CHECK(result->labels[0].label.empty());  // the folder has no names for three classes
}

TEST_CASE("Softmax copes with the largest logits", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), HeadBias({-3e38f, 3e38f, 2.9e38f}));
  const auto result = classifier->Classify(MakePicture(8, 8, kGrey), 3);
  REQUIRE(result.has_value());
  CHECK(result->labels[0].index == 1);
  CHECK(result->labels[0].score == 1.0f);
  CHECK(result->labels[2].score == 0.0f);
}

TEST_CASE("Classify refuses what it cannot do", "[classifier]") {
  const Image picture = MakePicture(8, 8, kGrey);

  SECTION("a top-k below 1") {
    const auto classifier = MakeSmallClassifier(SmallConfig(3), HeadBias({0, 1, 2}));
    const auto result = classifier->Classify(picture, 0);
    CHECK(ErrorOf(result).status == Status::kInvalidArgument);
    CHECK(ErrorOf(result).message == "top_k: 0, expected at least 1");
  }
  SECTION("a model without its weights") {
    const std::string config = SmallConfig(3);
    const auto created = Classifier::Create({config, "", ""}, 1);
    REQUIRE(created.has_value());
    CHECK(ErrorOf((*created)->Classify(picture, 1)).status == Status::kInvalidArgument);
    CHECK(ErrorOf((*created)->Logits(picture)).status == Status::kInvalidArgument);
    CHECK(ErrorOf((*created)->Features(picture)).status == Status::kInvalidArgument);
    CHECK(ErrorOf((*created)->LogitsOfTensor({})).status == Status::kInvalidArgument);
  }
  SECTION("a model without a head, which has features") {
    const auto classifier = MakeSmallClassifier(SmallConfig(0), Varied);
    const auto result = classifier->Classify(picture, 1);
    CHECK(ErrorOf(result).status == Status::kInvalidArgument);
    CHECK(ErrorOf(result).message.find("features") != std::string::npos);
    CHECK(Copy(classifier->Features(picture)).size() == 8);
    CHECK(Copy(classifier->Logits(picture)) == Copy(classifier->Features(picture)));
  }
  SECTION("a picture for a model of another number of channels") {
    const auto classifier =
        MakeSmallClassifier(SmallConfig(3, ", \"in_chans\": 1"), HeadBias({0, 1, 2}));
    const auto result = classifier->Classify(picture, 1);
    CHECK(ErrorOf(result).status == Status::kInvalidArgument);
    CHECK(ErrorOf(result).message.find("in_chans: 1") != std::string::npos);
    CHECK(Copy(classifier->LogitsOfTensor(std::vector<float>(64))) == std::vector<float>{0, 1, 2});
  }
  SECTION("bytes that are no picture, and no bytes") {
    const auto classifier = MakeSmallClassifier(SmallConfig(3), HeadBias({0, 1, 2}));
    const std::vector<uint8_t> bytes(100, 42);
    CHECK(ErrorOf(classifier->Classify(bytes, 1)).status == Status::kInvalidImage);
    CHECK(ErrorOf(classifier->Classify(std::span<const uint8_t>(), 1)).status ==
          Status::kInvalidImage);
  }
  SECTION("tensors of another size, or not finite") {
    const auto classifier = MakeSmallClassifier(SmallConfig(3), HeadBias({0, 1, 2}));
    std::vector<float> tensor(3 * 8 * 8);
    CHECK(classifier->LogitsOfTensor(tensor).has_value());
    tensor[5] = std::numeric_limits<float>::quiet_NaN();
    CHECK(ErrorOf(classifier->LogitsOfTensor(tensor)).status == Status::kInvalidArgument);
    tensor.resize(10);
    tensor[5] = 0;
    CHECK(ErrorOf(classifier->LogitsOfTensor(tensor)).status == Status::kInvalidArgument);
  }
}

TEST_CASE("An output that is not finite names the step where that began", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), [](const std::string& name, int64_t) {
    return name == "norm.bias" || name == "head.weight" ? 3e38f : 0.0f;
  });
  const auto result = classifier->Classify(MakePicture(8, 8, kGrey), 1);
  CHECK(ErrorOf(result).status == Status::kInvalidCheckpoint);
  CHECK(ErrorOf(result).message.starts_with("head: "));
}

TEST_CASE("Transparency is shown on white or dropped", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), Varied);
  const Image clear_black = MakePicture(8, 8, {0, 0, 0, 0});
  const auto on_white = Copy(classifier->Logits(clear_black, Alpha::kWhite));
  const auto dropped = Copy(classifier->Logits(clear_black, Alpha::kDrop));
  CHECK(on_white == Copy(classifier->Logits(MakePicture(8, 8, {255, 255, 255}))));
  CHECK(dropped == Copy(classifier->Logits(MakePicture(8, 8, {0, 0, 0}))));
  CHECK(on_white != dropped);
}

TEST_CASE("A multi-label model's scores are sigmoids of its logits", "[classifier]") {
  // SmallConfig is timm's, where one class means a sigmoid.
  const auto classifier = MakeSmallClassifier(SmallConfig(1), HeadBias({0.05f}));
  const auto one = classifier->Classify(MakePicture(8, 8, {1, 2, 3}), 1);
  REQUIRE(one.has_value());
  CHECK(std::abs(one->labels.at(0).score - 1 / (1 + std::exp(-0.05))) < 1e-6);
  CHECK(InfoJson(classifier->model(), nullptr).find("\"scores\":\"sigmoid\"") != std::string::npos);
}

TEST_CASE("A file gives what its decoded picture gives", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), Varied);
  const auto of_file = classifier->Classify(MakeBmp(11, 9, {200, 30, 90}), 3);
  const auto of_picture = classifier->Classify(MakePicture(11, 9, {200, 30, 90}), 3);
  REQUIRE(of_file.has_value());
  REQUIRE(of_picture.has_value());
  CHECK(!of_picture->ms.decode.has_value());
  for (size_t i = 0; i < 3; ++i) {
    CHECK(of_file->labels[i].index == of_picture->labels[i].index);
    CHECK(of_file->labels[i].score == of_picture->labels[i].score);
  }
}

TEST_CASE("JSON of results and errors", "[classifier]") {
  const Classification classification = {
      .labels = {{7, "cock", 0.93f}, {8, "a \"hen\"", 0.0625f}},
      .ms = {.decode = 3.25, .preprocess = 0.0004, .inference = 31.5},
  };
  CHECK(ClassificationJson(classification) ==
        R"({"labels":[{"index":7,"label":"cock","score":0.93},)"
        R"({"index":8,"label":"a \"hen\"","score":0.0625}],)"
        R"("ms":{"decode":3.25,"preprocess":0,"inference":31.5}})");
  CHECK(ErrorJson({Status::kInvalidImage, "a\nb"}) ==
        R"({"status":"invalid_image","message":"a\nb"})");
}

TEST_CASE("InfoJson states the model's facts", "[classifier]") {
  const auto classifier = MakeSmallClassifier(SmallConfig(3), Varied, R"(["x", "y", "z"])");
  const std::string text = InfoJson(classifier->model(), &classifier->executor());
  JsonDocument document(text, "info", Status::kInternal, text.size());
  const Json info = document.root();
  CHECK(info.Get("architecture").String("") == "VisionTransformer");
  CHECK(info.Get("parameters").Int(0) == classifier->executor().plan().num_parameters());
  CHECK(info.Get("img_size").Items().at(0).Int(0) == 8);
  CHECK(info.Get("num_classes").Int(0) == 3);
  CHECK(info.Get("num_features").Int(0) == 8);
  CHECK(info.Get("has_labels").Bool(false));
  CHECK(info.Get("threads").Int(0) == 1);
  CHECK(info.Get("isa").String("") == CpuIsas().back());
  CHECK(info.Get("memory").Get("weights").Uint64(0) == classifier->executor().weight_bytes());
  CHECK(info.Get("memory").Get("activations").Uint64(0) > 0);
  CHECK(info.Get("preprocess").Get("input_size").Items().at(1).Int(0) == 8);
  CHECK(info.Get("preprocess").Get("mean").Items().size() == 3);
  CHECK(document.ok());
}

}  // namespace
}  // namespace vitrine::test
