// Normalising and unfolding into patches.
#include <catch2/catch_test_macros.hpp>
#include <numeric>
#include <random>
#include <vector>

#include "image_support.h"

namespace vitrine::test {
namespace {

VitConfig Network(int height, int width, int patch_height, int patch_width, int channels = 3) {
  VitConfig vit;
  vit.img_size = {height, width};
  vit.patch_size = {patch_height, patch_width};
  vit.in_chans = channels;
  return vit;
}

/// The inverse of unfolding: tensor [in_chans, height, width], zero where no patch reaches.
std::vector<float> Fold(const std::vector<float>& patches, const VitConfig& vit) {
  const auto [height, width] = vit.img_size;
  const auto [patch_height, patch_width] = vit.patch_size;
  std::vector<float> tensor(size_t{1} * vit.in_chans * height * width);
  for (size_t i = 0; i < patches.size(); ++i) {
    size_t rest = i;
    const int x = rest % patch_width;
    const int y = (rest /= patch_width) % patch_height;
    const int c = (rest /= patch_height) % vit.in_chans;
    const int patch = rest / vit.in_chans;
    const int row = patch / vit.grid_size()[1] * patch_height + y;
    const int column = patch % vit.grid_size()[1] * patch_width + x;
    tensor[(size_t{1} * c * height + row) * width + column] = patches[i];
  }
  return tensor;
}

std::vector<float> Patches(const VitConfig& vit) {
  return std::vector<float>(size_t{1} * vit.num_patches() * vit.patch_dim(), -1.0f);
}

TEST_CASE("unfolding a tensor and folding it again changes nothing", "[image]") {
  for (const VitConfig& vit : {Network(8, 12, 4, 3), Network(6, 6, 6, 6, 1), Network(4, 6, 2, 1, 5),
                               Network(2, 2, 1, 1)}) {
    std::vector<float> tensor(size_t{1} * vit.in_chans * vit.img_size[0] * vit.img_size[1]);
    std::iota(tensor.begin(), tensor.end(), 0.0f);
    std::vector<float> patches = Patches(vit);
    REQUIRE(UnfoldTensor(tensor, vit, patches).has_value());
    CHECK(Fold(patches, vit) == tensor);
  }
}

TEST_CASE("edges that fill no patch are left out", "[image]") {
  const VitConfig vit =
      Network(5, 7, 2, 3);  // a convolution of stride 2 x 3 skips a row and a column
  std::vector<float> tensor(3 * 5 * 7);
  std::iota(tensor.begin(), tensor.end(), 0.0f);
  std::vector<float> patches = Patches(vit);
  REQUIRE(UnfoldTensor(tensor, vit, patches).has_value());
  const std::vector<float> folded = Fold(patches, vit);
  for (int i = 0; i < 3 * 5 * 7; ++i) {
    const bool covered = i / 7 % 5 < 4 && i % 7 < 6;
    CHECK(folded[i] == (covered ? tensor[i] : 0.0f));
  }
}

TEST_CASE("pixels are normalised as torchvision does", "[image]") {
  std::mt19937 random(1);
  const VitConfig vit = Network(6, 8, 3, 2);
  PreprocessConfig preprocess;
  preprocess.mean = {0.485f, 0.456f, 0.406f};
  preprocess.std = {0.229f, 0.224f, 0.225f};
  const Image rgb = RandomImage(random, 8, 6, 3);
  std::vector<float> patches = Patches(vit);
  REQUIRE(Unfold(rgb, preprocess, vit, patches).has_value());
  const std::vector<float> tensor = Fold(patches, vit);
  for (int i = 0; i < 3 * 6 * 8; ++i) {
    const int c = i / 48;
    const float scaled = rgb.pixels.data()[i % 48 * 3 + c] / 255.0f;
    const float centred = scaled - preprocess.mean[c];
    CHECK(tensor[i] == centred / preprocess.std[c]);
  }
}

TEST_CASE("the reference input of vit_tiny_patch16_224 comes out bit for bit", "[image][shared]") {
  const std::filesystem::path folder = NeedSharedDir() / "golden" / "vit_tiny_patch16_224";
  const Tensor input = ReadTensors(folder / "steps.safetensors").at("input");
  const Image rgb = Decode(folder / "resize" / "007_cock.248bicubic_crop224.png");
  const VitConfig vit;
  std::vector<float> patches = Patches(vit);
  REQUIRE(Unfold(rgb, PreprocessConfig{}, vit, patches).has_value());
  CHECK(Fold(patches, vit) == input.values);
}

TEST_CASE("sizes that differ are refused", "[image]") {
  std::mt19937 random(2);
  const VitConfig vit = Network(6, 8, 3, 2);
  std::vector<float> patches = Patches(vit);
  const Image turned = RandomImage(random, 6, 8, 3);
  const Image grey = RandomImage(random, 8, 6, 1);
  const Image rgb = RandomImage(random, 8, 6, 3);
  CHECK(Unfold(turned, {}, vit, patches).error().status == Status::kInvalidArgument);
  CHECK(Unfold(grey, {}, vit, patches).error().status == Status::kInvalidArgument);
  CHECK(Unfold(rgb, {}, Network(6, 8, 3, 2, 1), patches).error().status ==
        Status::kInvalidArgument);
  CHECK(Unfold(Image{}, {}, vit, patches).error().status == Status::kInvalidArgument);
  CHECK(UnfoldTensor(std::vector<float>(143), vit, patches).error().message ==
        "tensor: 143 values, expected 144 for [3, 6, 8]");
  patches.pop_back();
  CHECK(Unfold(rgb, {}, vit, patches).error().message ==
        "patches: 143 values, expected 144 (8 patches of 18)");
  CHECK(UnfoldTensor(std::vector<float>(144), vit, patches).error().status ==
        Status::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::test
