// Resizing and cropping against Pillow's bits.
#include <array>
#include <catch2/catch_test_macros.hpp>
#include <filesystem>
#include <random>
#include <string>

#include "image_support.h"

namespace vitrine::test {
namespace {

constexpr std::array kInterpolations = {Interpolation::kNearest, Interpolation::kBilinear,
                                        Interpolation::kBicubic, Interpolation::kLanczos};

PreprocessConfig ConfigOf(PreprocessConfig::ResizeMode mode, std::array<int, 2> resize_size,
                          std::array<int, 2> input_size, Interpolation interpolation) {
  PreprocessConfig config;
  config.resize_mode = mode;
  config.resize_size = resize_size;
  config.input_size = input_size;
  config.interpolation = interpolation;
  config.mean = {0.485f, 0.456f, 0.406f};
  return config;
}

TEST_CASE("Resize gives Pillow's bits", "[image]") {
  for (const auto& row : ReadList("resize.txt")) {
    REQUIRE(row.size() == 5);
    CAPTURE(row[0], row[1], row[2], row[3]);
    const Image image = Decode(ImageGoldenDir() / row[0]);
    const Result<Image> resized =
        Resize(image, std::stoi(row[1]), std::stoi(row[2]), InterpolationOf(row[3]));
    REQUIRE(resized.has_value());
    CHECK(Crc(*resized) == row[4]);
  }
}

TEST_CASE("ResizeAndCrop follows timm and torchvision", "[image]") {
  using Mode = PreprocessConfig::ResizeMode;
  for (const auto& row : ReadList("preprocess.txt")) {
    REQUIRE(row.size() == 8);
    CAPTURE(row[0], row[1], row[2], row[3], row[4], row[5], row[6]);
    const Mode mode = row[1] == "shortest" ? Mode::kShortestEdge
                      : row[1] == "exact"  ? Mode::kExact
                                           : Mode::kLongestEdge;
    const PreprocessConfig config =
        ConfigOf(mode, {std::stoi(row[2]), std::stoi(row[3])},
                 {std::stoi(row[4]), std::stoi(row[5])}, InterpolationOf(row[6]));
    const Result<Image> cropped = ResizeAndCrop(Decode(ImageGoldenDir() / row[0]), config);
    REQUIRE(cropped.has_value());
    CHECK(Crc(*cropped) == row[7]);
  }
}

TEST_CASE("photos are resized and cropped as for vit_tiny_patch16_224", "[image][shared]") {
  const std::filesystem::path folder =
      NeedSharedDir() / "golden" / "vit_tiny_patch16_224" / "resize";
  int photos = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string source = entry.path().string();
    const size_t suffix = source.find(".source.png");
    if (suffix == std::string::npos) continue;
    CAPTURE(source);
    const Result<Image> cropped = ResizeAndCrop(Decode(source), PreprocessConfig{});
    REQUIRE(cropped.has_value());
    const Image expected = Decode(source.substr(0, suffix) + ".248bicubic_crop224.png");
    CHECK(Pixels(*cropped) == Pixels(expected));
    ++photos;
  }
  CHECK(photos == 6);
}

TEST_CASE("resizing a picture of one colour keeps it", "[image]") {
  for (const int channels : {1, 3}) {
    for (const int value : {0, 1, 100, 254, 255}) {
      Result<Image> image = MakeImage(37, 23, channels);
      REQUIRE(image.has_value());
      std::fill_n(image->pixels.data(), image->pixels.size(), static_cast<uint8_t>(value));
      for (const Interpolation interpolation : kInterpolations) {
        for (const auto& [width, height] :
             {std::pair{5, 9}, std::pair{37, 40}, std::pair{90, 90}}) {
          const Result<Image> resized = Resize(*image, width, height, interpolation);
          REQUIRE(resized.has_value());
          const std::vector<uint8_t> pixels = Pixels(*resized);
          CHECK(pixels == std::vector<uint8_t>(size_t{1} * width * height * channels, value));
        }
      }
    }
  }
}

TEST_CASE("resizing to the same size changes nothing", "[image]") {
  std::mt19937 random(1);
  for (const int channels : {1, 3}) {
    const Image image = RandomImage(random, 33, 21, channels);
    for (const Interpolation interpolation : kInterpolations) {
      const Result<Image> resized = Resize(image, 33, 21, interpolation);
      REQUIRE(resized.has_value());
      CHECK(Pixels(*resized) == Pixels(image));
    }
  }
}

TEST_CASE("the cropped part is cut out of the whole", "[image]") {
  std::mt19937 random(2);
  for (int round = 0; round < 60; ++round) {
    const int width = 1 + random() % 90, height = 1 + random() % 90;
    const Image image = RandomImage(random, width, height, 3);
    const int full_width = 1 + random() % 120, full_height = 1 + random() % 120;
    const int crop_width = 1 + random() % full_width, crop_height = 1 + random() % full_height;
    const Interpolation interpolation = kInterpolations[random() % 4];
    CAPTURE(round, width, height, full_width, full_height, crop_width, crop_height);
    const Result<Image> whole = Resize(image, full_width, full_height, interpolation);
    REQUIRE(whole.has_value());
    const Result<Image> cropped = ResizeAndCrop(
        image, ConfigOf(PreprocessConfig::ResizeMode::kExact, {full_height, full_width},
                        {crop_height, crop_width}, interpolation));
    REQUIRE(cropped.has_value());
    // Python's round(): to even.
    const auto half = [](int space) { return space / 2 + (space % 4 == 3 ? 1 : 0); };
    const Image expected = Cut(*whole, half(full_width - crop_width),
                               half(full_height - crop_height), crop_width, crop_height);
    CHECK(Pixels(*cropped) == Pixels(expected));
  }
}

TEST_CASE("any channels are resized as their RGB", "[image]") {
  std::mt19937 random(3);
  for (const int channels : {1, 2, 3, 4}) {
    for (const Alpha alpha : {Alpha::kWhite, Alpha::kDrop}) {
      for (const Interpolation interpolation : {Interpolation::kNearest, Interpolation::kLanczos}) {
        const Image image = RandomImage(random, 50, 31, channels);
        const PreprocessConfig config = ConfigOf(PreprocessConfig::ResizeMode::kShortestEdge,
                                                 {20, 20}, {16, 18}, interpolation);
        const Result<Image> direct = ResizeAndCrop(image, config, alpha);
        const Result<Image> rgb = ToRgb(image, alpha);
        REQUIRE(rgb.has_value());
        const Result<Image> converted = ResizeAndCrop(*rgb, config);
        REQUIRE(direct.has_value());
        REQUIRE(converted.has_value());
        CHECK(Pixels(*direct) == Pixels(*converted));
      }
    }
  }
}

TEST_CASE("pictures of extreme ratio are resized or refused", "[image]") {
  std::mt19937 random(4);
  const Image line = RandomImage(random, 200000, 1, 3);
  const Image pole = RandomImage(random, 1, 200000, 3);
  for (const Image* image : {&line, &pole}) {
    // 248 x 49,600,000 in full; only the crop is made.
    const Result<Image> cropped = ResizeAndCrop(*image, PreprocessConfig{});
    REQUIRE(cropped.has_value());
    CHECK(cropped->width == 224);
    for (const auto mode :
         {PreprocessConfig::ResizeMode::kExact, PreprocessConfig::ResizeMode::kLongestEdge}) {
      PreprocessConfig config;
      config.resize_mode = mode;
      CHECK(ResizeAndCrop(*image, config).has_value());
    }
  }
  const Image very_long = RandomImage(random, 2000000, 1, 1);
  const Result<Image> refused = ResizeAndCrop(very_long, PreprocessConfig{});
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().status == Status::kTooLarge);
}

TEST_CASE("sizes and pictures that make no sense are refused", "[image]") {
  std::mt19937 random(5);
  const Image rgb = RandomImage(random, 8, 8, 3);
  CHECK(Resize(rgb, 0, 5, Interpolation::kBicubic).error().status == Status::kInvalidArgument);
  CHECK(Resize(rgb, 5, -1, Interpolation::kBicubic).error().status == Status::kInvalidArgument);
  CHECK(Resize(rgb, 1 << 20, 1 << 20, Interpolation::kBicubic).error().status == Status::kTooLarge);
  CHECK(Resize(Image{}, 5, 5, Interpolation::kBicubic).error().status == Status::kInvalidArgument);
  const Image rgba = RandomImage(random, 8, 8, 4);
  CHECK(Resize(rgba, 5, 5, Interpolation::kBicubic).error().status == Status::kInvalidArgument);
  PreprocessConfig config;
  config.resize_size = {0, 224};
  CHECK(ResizeAndCrop(rgb, config).error().status == Status::kInvalidArgument);
  config = {};
  config.input_size = {224, 0};
  CHECK(ResizeAndCrop(rgb, config).error().status == Status::kInvalidArgument);
}

}  // namespace
}  // namespace vitrine::test
