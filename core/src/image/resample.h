// Resizing as Pillow does it, of any part of the result.
#ifndef VITRINE_IMAGE_RESAMPLE_H_
#define VITRINE_IMAGE_RESAMPLE_H_

#include <cstddef>
#include <cstdint>

#include "vitrine/image.h"

namespace vitrine {

/// A part of a resized picture: which pixels of the whole, and where to put them.
struct ResizeTarget {
  int64_t full_width, full_height;  // of the whole resized picture, which may be too large to exist
  int64_t x, y;                     // the part's upper left corner in it
  int width, height;                // of the part
  uint8_t* pixels;                  // its upper left pixel
  size_t row_bytes;                 // from one of its rows to the next
};

/// Resizes `image` as `channels` (the picture's own, or 3: rows are converted as they are read) and
/// writes the part that `target` asks for: the bits of Pillow's Image.resize of the whole.
/// `image` must have passed CheckImage. Errors: kOutOfMemory.
[[nodiscard]] Result<void> ResizePart(const Image& image, int channels, Alpha alpha,
                                      Interpolation interpolation, const ResizeTarget& target);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_RESAMPLE_H_
