#include <algorithm>
#include <climits>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "image/container.h"
#include "image/exif.h"
#include "vitrine/image.h"
#include "vitrine/text.h"

namespace {

// The largest block that decoding the picture at hand may ask for: a small file can name a huge
// picture, and a PNG's compressed data can unfold to far more than its pixels.
thread_local size_t block_limit = 0;

void* LimitedMalloc(size_t size) { return size > block_limit ? nullptr : std::malloc(size); }

void* LimitedRealloc(void* block, size_t size) {
  return size > block_limit ? nullptr : std::realloc(block, size);
}

}  // namespace

#define STBI_MALLOC(size) LimitedMalloc(size)
#define STBI_REALLOC(block, size) LimitedRealloc(block, size)
#define STBI_FREE(block) std::free(block)
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_NO_PIC
#define STBI_NO_PNM
#define STBI_NO_PSD
#define STBI_NO_TGA
#define STBI_ASSERT(condition)
#if defined(__EMSCRIPTEN__) && defined(__SSE2__)
#define STBI__X64_TARGET  // it looks for SSE2 on x86 alone
#endif
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#if defined(__GNUC__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb_image.h>
#if defined(__GNUC__)
#pragma GCC diagnostic pop
#endif

namespace vitrine {
namespace {

std::string Hex(std::span<const uint8_t> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const uint8_t byte : bytes) {
    if (!text.empty()) text += ' ';
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::unexpected<Error> UnknownFormat(std::span<const uint8_t> encoded) {
  constexpr std::string_view kExpected = "expected JPEG, PNG, GIF or BMP";
  const std::string_view name = ForeignFormatName(encoded);
  if (name == "HTML") {
    return Fail(Status::kInvalidImage, Concat("picture: an HTML page, ", kExpected,
                                              "; is the address that of the picture itself?"));
  }
  if (!name.empty()) {
    return Fail(Status::kInvalidImage,
                Concat("picture: ", name, ", ", kExpected,
                       "; only browsers decode other formats, elsewhere convert it first"));
  }
  const auto start = encoded.first(std::min<size_t>(encoded.size(), 8));
  return Fail(Status::kInvalidImage,
              Concat("picture: ", encoded.size(), " bytes that start with ", Hex(start), ", ",
                     kExpected, "; is the file a picture?"));
}

/// What stb_image's short reason means to the person whose picture it is.
std::unexpected<Error> DecoderFailure(std::string_view format) {
  const char* failure = stbi_failure_reason();
  const std::string_view reason = failure == nullptr ? "no reason given" : failure;
  if (reason == "outofmem") {
    return Fail(Status::kOutOfMemory,
                Concat(format, ": no memory to decode it; use a smaller picture"));
  }
  if (reason == "too large") {
    return Fail(Status::kTooLarge,
                Concat(format, ": more pixels than can be decoded; scale the picture down first"));
  }
  return Fail(Status::kInvalidImage,
              Concat(format, ": corrupt, or of a rare kind that is not supported (", reason,
                     "); save the picture anew with another program"));
}

}  // namespace

Result<Image> DecodeImage(std::span<const uint8_t> encoded, int64_t max_pixels) {
  if (encoded.empty()) {
    return Fail(Status::kInvalidImage,
                "picture: 0 bytes, expected JPEG, PNG, GIF or BMP; is the file empty?");
  }
  const ImageFormat format = DetectFormat(encoded);
  if (format == ImageFormat::kUnknown) return UnknownFormat(encoded);
  const std::string_view name = FormatName(format);
  if (encoded.size() > INT_MAX) {
    return Fail(Status::kTooLarge,
                Concat(name, ": ", encoded.size(), " bytes, expected at most ", INT_MAX));
  }
  const int size = static_cast<int>(encoded.size());

  // Headers alone are read before their sizes are known to be sane.
  block_limit = size_t{1} << 20;
  int width = 0, height = 0, channels = 0;
  if (stbi_info_from_memory(encoded.data(), size, &width, &height, &channels) == 0) {
    // It gives no reason, but decoding, which fails at the same header, does.
    stbi_image_free(stbi_load_from_memory(encoded.data(), size, &width, &height, &channels, 0));
    return DecoderFailure(name);
  }
  const int64_t pixels = int64_t{width} * height;
  if (pixels > std::min(max_pixels, kMaxPixels)) {
    return Fail(Status::kTooLarge,
                Concat(name, ": ", width, " x ", height, " pixels, expected at most ",
                       std::min(max_pixels, kMaxPixels), "; scale it down first"));
  }
  const ContainerFacts facts = ReadContainer(format, encoded);
  if (!facts.complete) {
    return Fail(Status::kInvalidImage,
                Concat(name, ": truncated, its end is not within the ", encoded.size(),
                       " bytes; fetch or copy the file again"));
  }
  // Each scan is a pass over the whole picture, however few its bytes.
  constexpr int64_t kMaxScannedPixels = 32 * kMaxPixels;
  if (facts.scans > kMaxScannedPixels / std::max<int64_t>(pixels, 1 << 20)) {
    return Fail(Status::kTooLarge, Concat(name, ": ", facts.scans, " scans of ", width, " x ",
                                          height, " pixels; save it with the usual ten or fewer"));
  }

  // 16-bit RGBA, sides padded to a JPEG's blocks, the file's own bytes gathered in doubling steps.
  const uint64_t padded_pixels = (uint64_t{1} * width + 64) * (uint64_t{1} * height + 64);
  const uint64_t limit = std::max<uint64_t>(8 * padded_pixels, 2 * encoded.size()) + (1 << 20);
  block_limit = static_cast<size_t>(std::min<uint64_t>(limit, PTRDIFF_MAX));
  uint8_t* decoded = stbi_load_from_memory(encoded.data(), size, &width, &height, &channels, 0);
  if (decoded == nullptr) return DecoderFailure(name);
  Image image = {width, height, channels,
                 Buffer<uint8_t>::Adopt(decoded, size_t{1} * width * height * channels)};
  return ApplyOrientation(std::move(image), ReadOrientation(facts.exif));
}

}  // namespace vitrine
