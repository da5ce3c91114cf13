#include "image_support.h"

#include <catch2/catch_test_macros.hpp>
#include <cstdio>
#include <cstring>

namespace vitrine::test {

Image Decode(const std::filesystem::path& path) {
  Result<Image> image = DecodeImage(ReadBytes(path));
  INFO(path.string() << ": " << (image ? "" : image.error().message));
  REQUIRE(image.has_value());
  return std::move(*image);
}

std::vector<uint8_t> Pixels(const Image& image) {
  return {image.pixels.data(), image.pixels.data() + image.pixels.size()};
}

std::string Crc(const Image& image) {
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : image.pixels.span()) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(~crc));
  return text;
}

Image RandomImage(std::mt19937& random, int width, int height, int channels) {
  Result<Image> image = MakeImage(width, height, channels);
  REQUIRE(image.has_value());
  for (uint8_t& sample : image->pixels.span()) sample = static_cast<uint8_t>(random());
  return std::move(*image);
}

Image Cut(const Image& image, int x, int y, int width, int height) {
  Result<Image> part = MakeImage(width, height, image.channels);
  REQUIRE(part.has_value());
  const size_t row_bytes = size_t{1} * width * image.channels;
  for (int row = 0; row < height; ++row) {
    const size_t offset = (size_t{1} * (y + row) * image.width + x) * image.channels;
    std::memcpy(part->pixels.data() + row * row_bytes, image.pixels.data() + offset, row_bytes);
  }
  return std::move(*part);
}

}  // namespace vitrine::test
