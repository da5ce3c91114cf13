#include "vitrine/image.h"

#include <cstdlib>
#include <utility>

#include "image/rgb.h"
#include "vitrine/text.h"

namespace vitrine {

namespace {

Result<void> CheckShape(int width, int height, int channels) {
  if (width < 1 || height < 1 || channels < 1 || channels > 4) {
    return Fail(Status::kInvalidArgument,
                Concat("picture of ", width, " x ", height, " pixels, ", channels,
                       " channels: expected sides of at least 1 and 1 to 4 channels"));
  }
  if (int64_t{width} * height > kMaxPixels) {
    return Fail(Status::kTooLarge,
                Concat("picture of ", width, " x ", height, " pixels, expected at most ",
                       kMaxPixels, " in all; scale it down first"));
  }
  return {};
}

}  // namespace

Result<Image> MakeImage(int width, int height, int channels) {
  if (Result<void> checked = CheckShape(width, height, channels); !checked) {
    return Forward(checked);
  }
  const size_t size = size_t{1} * width * height * channels;
  Image image = {width, height, channels, Buffer<uint8_t>::Allocate(size)};
  if (image.pixels.empty()) {
    return Fail(Status::kOutOfMemory, Concat("no memory for a picture of ", width, " x ", height,
                                             " pixels (", size, " bytes); use a smaller one"));
  }
  return image;
}

Result<void> CheckImage(const Image& image) {
  Result<void> checked = CheckShape(image.width, image.height, image.channels);
  const size_t expected = size_t{1} * image.width * image.height * image.channels;
  if (checked && image.pixels.size() < expected) {
    return Fail(Status::kInvalidArgument,
                Concat("pixels: ", image.pixels.size(), " bytes, expected ", expected, " for ",
                       image.width, " x ", image.height, " x ", image.channels));
  }
  return checked;
}

Result<Image> ToRgb(const Image& image, Alpha alpha) {
  if (Result<void> checked = CheckImage(image); !checked) return Forward(checked);
  Result<Image> rgb = MakeImage(image.width, image.height, 3);
  if (!rgb) return rgb;
  PixelsToRgb(image.pixels.data(), image.channels, alpha, size_t{1} * image.width * image.height,
              rgb->pixels.data());
  return rgb;
}

}  // namespace vitrine
