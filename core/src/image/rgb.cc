#include "image/rgb.h"

#include <cstring>

namespace vitrine {
namespace {

/// The sample of a pixel laid on white: round((sample * a + 255 * (255 - a)) / 255).
/// Equal to Pillow's ImagingAlphaComposite (src/libImaging/AlphaComposite.c) for every pair.
inline uint8_t OnWhite(uint8_t sample, uint8_t a) {
  const uint32_t sum = uint32_t{sample} * a + 255u * (255u - a) + 128u;
  return static_cast<uint8_t>((sum + (sum >> 8)) >> 8);
}

}  // namespace

void PixelsToRgb(const uint8_t* pixels, int channels, Alpha alpha, size_t count, uint8_t* rgb) {
  const bool white = alpha == Alpha::kWhite;
  switch (channels) {
    case 1:
      for (size_t i = 0; i < count; ++i, rgb += 3) rgb[0] = rgb[1] = rgb[2] = pixels[i];
      break;
    case 2:
      for (size_t i = 0; i < count; ++i, pixels += 2, rgb += 3) {
        rgb[0] = rgb[1] = rgb[2] = white ? OnWhite(pixels[0], pixels[1]) : pixels[0];
      }
      break;
    case 3:
      std::memcpy(rgb, pixels, count * 3);
      break;
    default:
      for (size_t i = 0; i < count; ++i, pixels += 4, rgb += 3) {
        for (int c = 0; c < 3; ++c) rgb[c] = white ? OnWhite(pixels[c], pixels[3]) : pixels[c];
      }
  }
}

}  // namespace vitrine
