// The one thing wanted from EXIF: which way up a photo is.
#ifndef VITRINE_IMAGE_EXIF_H_
#define VITRINE_IMAGE_EXIF_H_

#include <cstdint>
#include <span>

#include "vitrine/image.h"

namespace vitrine {

/// The value 1..8 of the tag Orientation (0x0112) in the first directory of a TIFF block, either
/// byte order; 1 (upright) where it is absent or makes no sense. Never reads outside `exif`.
int ReadOrientation(std::span<const uint8_t> exif);

/// Turns and mirrors a picture stored with that orientation upright, as Pillow's
/// ImageOps.exif_transpose. Errors: kOutOfMemory.
[[nodiscard]] Result<Image> ApplyOrientation(Image image, int orientation);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_EXIF_H_
