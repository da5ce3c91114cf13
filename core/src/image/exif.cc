#include "image/exif.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <utility>

namespace vitrine {
namespace {

/// Bounds-checked numbers of a TIFF block; zero outside it.
class TiffReader {
 public:
  explicit TiffReader(std::span<const uint8_t> bytes)
      : bytes_(bytes), little_endian_(bytes.size() >= 2 && bytes[0] == 'I') {}

  uint32_t Read(uint64_t offset, int size) const {
    if (offset + size > bytes_.size()) return 0;
    uint32_t value = 0;
    for (int i = 0; i < size; ++i) {
      value = value << 8 | bytes_[offset + (little_endian_ ? size - 1 - i : i)];
    }
    return value;
  }

 private:
  std::span<const uint8_t> bytes_;
  bool little_endian_;
};

/// TIFF 6.0, section 2: the bytes of a field's type that an orientation may have; 0 for the others.
int TypeSize(uint32_t type) {
  switch (type) {
    case 1:
      return 1;  // BYTE
    case 3:
      return 2;  // SHORT
    case 4:
      return 4;  // LONG
    default:
      return 0;
  }
}

template <int kChannels>
void CopyTurned(const uint8_t* source, ptrdiff_t step_x, ptrdiff_t step_y, const Image& out) {
  // In tiles, since one of the two pictures is walked across its rows.
  constexpr int kTile = 32;
  for (int tile_y = 0; tile_y < out.height; tile_y += kTile) {
    for (int tile_x = 0; tile_x < out.width; tile_x += kTile) {
      const int end_y = std::min(tile_y + kTile, out.height);
      const int end_x = std::min(tile_x + kTile, out.width);
      for (int y = tile_y; y < end_y; ++y) {
        const uint8_t* from = source + y * step_y + tile_x * step_x;
        uint8_t* to = out.pixels.data() + (ptrdiff_t{1} * y * out.width + tile_x) * kChannels;
        for (int x = tile_x; x < end_x; ++x, from += step_x, to += kChannels) {
          std::memcpy(to, from, kChannels);
        }
      }
    }
  }
}

}  // namespace

int ReadOrientation(std::span<const uint8_t> exif) {
  const TiffReader tiff(exif);
  const bool known_order =
      exif.size() >= 8 && exif[0] == exif[1] && (exif[0] == 'I' || exif[0] == 'M');
  if (!known_order || tiff.Read(2, 2) != 42) return 1;
  const uint64_t directory = tiff.Read(4, 4);
  const uint32_t entries = tiff.Read(directory, 2);
  for (uint32_t i = 0; i < entries; ++i) {
    const uint64_t entry = directory + 2 + uint64_t{12} * i;
    if (entry + 12 > exif.size()) break;
    if (tiff.Read(entry, 2) != 0x0112) continue;
    const int size = TypeSize(tiff.Read(entry + 2, 2));
    const uint32_t value = size == 0 ? 0 : tiff.Read(entry + 8, size);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Result<Image> ApplyOrientation(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool swaps_sides = orientation >= 5;
  Result<Image> turned = swaps_sides ? MakeImage(image.height, image.width, image.channels)
                                     : MakeImage(image.width, image.height, image.channels);
  if (!turned) return turned;

  // EXIF 2.3, tag Orientation: where the upright picture's first column comes from (the stored
  // right side for 2, 3, 7 and 8) and its first row (the stored bottom for 3, 4, 6 and 7).
  const bool from_right =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  const ptrdiff_t pixel_bytes = image.channels;
  const ptrdiff_t row_bytes = pixel_bytes * image.width;
  const uint8_t* source = image.pixels.data();
  if (from_right) source += (image.width - 1) * pixel_bytes;
  if (from_bottom) source += (image.height - 1) * row_bytes;
  ptrdiff_t step_x = from_right ? -pixel_bytes : pixel_bytes;
  ptrdiff_t step_y = from_bottom ? -row_bytes : row_bytes;
  if (swaps_sides) std::swap(step_x, step_y);
  switch (image.channels) {
    case 1:
      CopyTurned<1>(source, step_x, step_y, *turned);
      break;
    case 2:
      CopyTurned<2>(source, step_x, step_y, *turned);
      break;
    case 3:
      CopyTurned<3>(source, step_x, step_y, *turned);
      break;
    default:
      CopyTurned<4>(source, step_x, step_y, *turned);
  }
  return turned;
}

}  // namespace vitrine
