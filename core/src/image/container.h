// What an encoded file says around its pixels: its format, whether all of it is there, its EXIF
// block.
#ifndef VITRINE_IMAGE_CONTAINER_H_
#define VITRINE_IMAGE_CONTAINER_H_

#include <cstdint>
#include <span>
#include <string_view>

namespace vitrine {

enum class ImageFormat { kUnknown, kJpeg, kPng, kGif, kBmp };

/// By the first bytes alone.
ImageFormat DetectFormat(std::span<const uint8_t> encoded);

/// "JPEG", "PNG", ...
std::string_view FormatName(ImageFormat format);

/// The name of a format that is known but not decoded here ("WebP", "HEIC", "PDF", ...); empty for
/// bytes that nobody knows.
std::string_view ForeignFormatName(std::span<const uint8_t> encoded);

struct ContainerFacts {
  bool complete = false;          // the end that the format announces is there
  int scans = 0;                  // of a JPEG: passes over its pixels
  std::span<const uint8_t> exif;  // a TIFF header and its directories; empty when there is none
};

/// Walks the segments, chunks or blocks of a file of a known format; reads no pixel data.
ContainerFacts ReadContainer(ImageFormat format, std::span<const uint8_t> encoded);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_CONTAINER_H_
