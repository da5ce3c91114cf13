// What every step from a picture to RGB shares.
#ifndef VITRINE_IMAGE_RGB_H_
#define VITRINE_IMAGE_RGB_H_

#include <cstddef>
#include <cstdint>

#include "vitrine/image.h"

namespace vitrine {

/// That sides and channels are sane and the pixels are there.
[[nodiscard]] Result<void> CheckImage(const Image& image);

/// `count` pixels of 1 to 4 channels -> RGB.
void PixelsToRgb(const uint8_t* pixels, int channels, Alpha alpha, size_t count, uint8_t* rgb);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_RGB_H_
