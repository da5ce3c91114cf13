#include <catch2/catch_test_macros.hpp>

#include "config_support.h"

namespace vitrine::test {
namespace {

TEST_CASE("Labels come from labels.json, then the config, then ImageNet", "[config]") {
  std::string three = Timm("vit_tiny_patch16_224", R"(, "num_classes": 3)");
  std::vector<std::string> expected = {"cat", "dog", "emu"};
  CHECK(Read(three, "", R"(["cat", "dog", "emu"])").labels == expected);
  CHECK(Read(three, "", R"({"2": "emu", "0": "cat", "1": "dog"})").labels == expected);
  CHECK(Read(three).labels.empty());
  std::string named =
      Timm("vit_tiny_patch16_224", R"(, "num_classes": 3, "label_names": ["n1", "n2", "n3"])");
  CHECK(Read(named).labels == std::vector<std::string>{"n1", "n2", "n3"});
  CHECK(Read(named, "", R"(["cat", "dog", "emu"])").labels == expected);
  CHECK(Read(Timm("vit_tiny_patch16_224", R"(, "num_classes": 3, "label_names": ["n1", "n2", "n3"],
      "label_descriptions": {"n1": "cat", "n3": "emu"})"))
            .labels == std::vector<std::string>{"cat", "n2", "emu"});
  CHECK(Read(R"({"model_type": "vit", "id2label": {"1": "dog", "0": "cat", "2": "emu"}})").labels ==
        expected);
  std::vector<std::string> imagenet = Read(Timm("vit_tiny_patch16_224")).labels;
  REQUIRE(imagenet.size() == 1000);
  CHECK(imagenet[0] == "tench");
  CHECK(imagenet[7] == "cock");
  CHECK(imagenet[281] == "tabby");
  CHECK(imagenet[999] == "toilet tissue");
  CHECK(Read(Timm("vit_tiny_patch16_224", R"(, "num_classes": 0)"), "", R"(["x"])").labels.empty());
}

TEST_CASE("Labels that do not fit are refused", "[config]") {
  std::string three = Timm("vit_tiny_patch16_224", R"(, "num_classes": 3)");
  Error error = ErrorOf(three, "", R"(["cat", "dog"])");
  CHECK(error.status == Status::kInvalidConfig);
  CHECK(Mentions(error, "labels.json: 2 labels, expected 3"));
  for (const char* labels :
       {"nonsense", "3", R"([1, 2, 3])", R"({"0": "a", "1": "b", "3": "c"})",
        R"({"0": "a", "0": "b", "1": "c"})", R"({"0": "a", "1": "b", "x": "c"})",
        R"({"0": "a", "1": "b", "-1": "c"})", R"({"0": "a", "1": "b", "": "c"})"}) {
    CHECK(ErrorOf(three, "", labels).status == Status::kInvalidConfig);
  }
}

}  // namespace
}  // namespace vitrine::test
