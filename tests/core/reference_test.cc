// Small random networks that the real timm and transformers saved and ran, where the shared test
// material is: their folders load as they are and every block gives the library's numbers.
#include <algorithm>
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "test_support.h"
#include "vitrine/image.h"

namespace vitrine::test {
namespace {

// Of a tensor's largest absolute value, after at most three blocks in float32.
constexpr double kTolerance = 2e-5;

std::vector<std::filesystem::path> Folders(const std::filesystem::path& parent) {
  if (!std::filesystem::is_directory(parent)) SKIP(parent.string() << " is not there");
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(parent)) {
    if (std::filesystem::exists(entry.path() / "golden.safetensors"))
      folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

TEST_CASE("networks saved by timm and transformers give their numbers", "[reference]") {
  const auto folders = Folders(NeedSharedDir() / "golden/reference/setA");
  REQUIRE(folders.size() >= 56);
  for (const std::filesystem::path& path : folders) {
    INFO(path.filename().string());
    const TensorFile golden = ReadTensors(path / "golden.safetensors");
    Network network = LoadNetwork(ModelFolder(path), 1);
    int num_compared = 0;
    std::string first_wrong;
    const auto check = [&](const std::string& name, std::span<const float> actual) {
      const auto found = golden.tensors.find(name);
      if (found == golden.tensors.end() || !first_wrong.empty()) return;
      ++num_compared;
      const Difference difference = Compare(actual, found->second.values);
      if (difference.relative() <= kTolerance) return;
      first_wrong = name + ": error " + std::to_string(difference.max_abs_error) +
                    " of values up to " + std::to_string(difference.max_abs_value);
    };
    // "embed" and "blocks.N" are called alike here and there.
    const StepObserver observer = [&check](const Step& step, std::span<const float> output,
                                           double) {
      if (step.name == "embed" || step.name.starts_with("blocks.")) check(step.name, output);
    };
    network.Run(golden.at("input").values, Want::kTokens, &observer);
    check("tokens", network.Tokens());
    check("features", network.Features());
    check("logits", network.Output());
    CHECK(first_wrong == "");
    CHECK(num_compared >= 1);
  }
}

/// The U8 tensor "pixels" of a processor's file: its data begin where its offsets say.
std::vector<uint8_t> ReadPixels(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes = ReadBytes(path);
  uint64_t header_size = 0;
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  const std::string header(bytes.begin() + 8, bytes.begin() + 8 + static_cast<long>(header_size));
  JsonDocument document(header, "header", Status::kInvalidCheckpoint, header.size() + 1);
  const std::vector<Json> offsets = document.root().Get("pixels").Get("data_offsets").Items();
  REQUIRE(offsets.size() == 2);
  const auto data = bytes.begin() + 8 + static_cast<long>(header_size);
  return {data + offsets[0].Int(0), data + offsets[1].Int(0)};
}

TEST_CASE("image processors of timm and transformers are matched to the last bit", "[reference]") {
  const std::filesystem::path parent = NeedSharedDir() / "golden/reference/processors";
  const auto folders = Folders(parent);
  REQUIRE(folders.size() >= 33);
  const Result<Image> picture = DecodeImage(ReadBytes(parent / "picture.png"));
  REQUIRE(picture.has_value());
  for (const std::filesystem::path& path : folders) {
    INFO(path.filename().string());
    const std::string config_text = ReadText(path / "config.json");
    const bool processed = std::filesystem::exists(path / "preprocessor_config.json");
    const std::string processor = processed ? ReadText(path / "preprocessor_config.json") : "";
    Result<ModelConfig> config = ReadModelConfig({config_text, processor, ""});
    INFO((config ? "" : config.error().message));
    REQUIRE(config.has_value());
    const Result<Image> cropped = ResizeAndCrop(*picture, config->preprocess);
    INFO((cropped ? "" : cropped.error().message));
    REQUIRE(cropped.has_value());
    const std::span pixels(cropped->pixels.data(), cropped->pixels.size());
    const bool same_pixels = std::ranges::equal(pixels, ReadPixels(path / "golden.safetensors"));
    CHECK(same_pixels);
    // One patch of the whole picture is the tensor [3, height, width] itself.
    VitConfig whole;
    whole.img_size = whole.patch_size = config->preprocess.input_size;
    std::vector<float> values(static_cast<size_t>(whole.patch_dim()));
    REQUIRE(Unfold(*cropped, config->preprocess, whole, values).has_value());
    const bool same_values =
        values == ReadTensors(path / "golden.safetensors").at("pixel_values").values;
    CHECK(same_values);
  }
}

/// Whether what is read for an architecture's name is what timm passes to its class.
bool SameArguments(const Json& args, const VitConfig& vit) {
  const int embed_dim = args.Get("embed_dim").Int(768);
  const bool avg = args.Get("global_pool").String("token") == "avg";
  return vit.embed_dim == embed_dim && vit.depth == args.Get("depth").Int(12) &&
         vit.num_heads == args.Get("num_heads").Int(12) &&
         vit.patch_size[0] == args.Get("patch_size").Int(16) &&
         vit.mlp_hidden_dim == static_cast<int>(embed_dim * args.Get("mlp_ratio").Number(4)) &&
         vit.qkv_bias == args.Get("qkv_bias").Bool(true) &&
         vit.class_token == args.Get("class_token").Bool(true) &&
         vit.global_pool == (avg ? GlobalPool::kAvg : GlobalPool::kToken) &&
         vit.fc_norm == args.Get("fc_norm").Bool(avg) &&
         ActivationName(vit.act_layer) == args.Get("act_layer").String("gelu");
}

bool SameData(const Json& data, const PreprocessConfig& preprocess) {
  const std::vector<Json> input = data.Get("input_size").Items();
  bool same = input.size() == 3;
  for (int i = 0; same && i < 3; ++i) {
    same = preprocess.mean[i] == static_cast<float>(data.Get("mean").Items()[i].Number(-1)) &&
           preprocess.std[i] == static_cast<float>(data.Get("std").Items()[i].Number(-1));
  }
  const int size = same ? input[1].Int(0) : 0;
  const bool squash = data.Get("crop_mode").String("") == "squash";
  const bool bilinear = data.Get("interpolation").String("") == "bilinear";
  using Mode = PreprocessConfig::ResizeMode;
  return same && preprocess.input_size[0] == size &&
         preprocess.resize_size[0] == static_cast<int>(size / data.Get("crop_pct").Number(0)) &&
         preprocess.resize_mode == (squash ? Mode::kExact : Mode::kShortestEdge) &&
         preprocess.interpolation ==
             (bilinear ? Interpolation::kBilinear : Interpolation::kBicubic);
}

TEST_CASE("timm's architectures have timm's arguments and data configs, or are refused by name",
          "[reference]") {
  const std::filesystem::path path = NeedSharedDir() / "golden/reference/timm_architectures.json";
  if (!std::filesystem::exists(path)) SKIP(path.string() << " is not there");
  const std::string text = ReadText(path);
  JsonDocument document(text, "architectures", Status::kInvalidConfig, text.size() + 1);
  int num_accepted = 0, num_too_large = 0;
  for (const auto& [name, architecture] : document.root().Members()) {
    bool accepted = false, too_large = false;
    for (const auto& [tag, data] : architecture.Get("tags").Members()) {
      const std::string full = std::string(name) + (tag.empty() ? "" : "." + std::string(tag));
      INFO(full);
      const std::string config = R"({"architecture": ")" + full + R"("})";
      const Result<ModelConfig> read = ReadModelConfig({config, "", ""});
      accepted = read.has_value();
      if (accepted) {
        CHECK(SameArguments(architecture.Get("args"), read->vit));
        CHECK(SameData(data, read->preprocess));
        continue;
      }
      INFO(read.error().message);
      // Known, but over the limit of parameters.
      too_large = read.error().status == Status::kTooLarge;
      if (too_large) continue;
      CHECK(read.error().message.find("no code for its ") != std::string::npos);
      bool named = architecture.Get("class").String("") == "Eva" && name.starts_with("eva_giant");
      for (const auto& [argument, value] : architecture.Get("args").Members()) {
        const std::string words = "no code for its " + std::string(argument);
        named = named || read.error().message.find(words) != std::string::npos;
      }
      CHECK(named);
    }
    num_accepted += accepted;
    num_too_large += too_large;
  }
  CHECK(document.ok());
  CHECK(num_accepted == 51);
  CHECK(num_too_large == 3);  // vit_gigantic_patch14_224, two of vit_giantopt
}

}  // namespace
}  // namespace vitrine::test
