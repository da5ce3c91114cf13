#include "image/container.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstring>

namespace vitrine {
namespace {

using Bytes = std::span<const uint8_t>;

bool HasAt(Bytes bytes, size_t offset, std::string_view text) {
  return bytes.size() >= offset + text.size() &&
         std::memcmp(bytes.data() + offset, text.data(), text.size()) == 0;
}

uint32_t BigEndian16(const uint8_t* p) { return uint32_t{p[0]} << 8 | p[1]; }
uint32_t BigEndian32(const uint8_t* p) { return BigEndian16(p) << 16 | BigEndian16(p + 2); }
uint32_t LittleEndian16(const uint8_t* p) { return uint32_t{p[1]} << 8 | p[0]; }
uint32_t LittleEndian32(const uint8_t* p) {
  return LittleEndian16(p + 2) << 16 | LittleEndian16(p);
}

/// ITU-T T.81, annex B.
ContainerFacts ReadJpeg(Bytes encoded) {
  ContainerFacts facts;
  size_t position = 2;  // after SOI
  while (position < encoded.size()) {
    const void* found = std::memchr(encoded.data() + position, 0xFF, encoded.size() - position);
    if (found == nullptr) break;
    position = static_cast<const uint8_t*>(found) - encoded.data();
    while (position < encoded.size() && encoded[position] == 0xFF) ++position;
    if (position >= encoded.size()) break;
    const uint8_t marker = encoded[position++];
    if (marker == 0xD9) {  // EOI
      facts.complete = true;
      break;
    }
    // A stuffed 0xFF of entropy-coded data, TEM, RSTn, SOI: no length follows.
    if (marker <= 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue;
    if (encoded.size() - position < 2) break;
    const size_t length = BigEndian16(&encoded[position]);
    if (length < 2 || length > encoded.size() - position) break;
    const Bytes segment = encoded.subspan(position + 2, length - 2);
    constexpr std::string_view kExif("Exif\0\0", 6);
    if (marker == 0xE1 && facts.exif.empty() && HasAt(segment, 0, kExif)) {
      facts.exif = segment.subspan(kExif.size());
    }
    if (marker == 0xDA) ++facts.scans;
    position += length;
  }
  return facts;
}

/// PNG, third edition, clauses 5.2 to 5.3.
ContainerFacts ReadPng(Bytes encoded) {
  ContainerFacts facts;
  constexpr size_t kAround = 12;  // length, type and CRC
  size_t position = 8;            // after the signature
  while (encoded.size() - position >= kAround) {
    const size_t length = BigEndian32(&encoded[position]);
    if (length > encoded.size() - position - kAround) break;
    if (HasAt(encoded, position + 4, "eXIf")) facts.exif = encoded.subspan(position + 8, length);
    if (HasAt(encoded, position + 4, "IEND")) {
      facts.complete = true;
      break;
    }
    position += kAround + length;
  }
  return facts;
}

/// GIF89a, section 'Appendix B' grammar; up to the end of the first frame, the only one decoded.
ContainerFacts ReadGif(Bytes encoded) {
  if (encoded.size() < 13) return {};
  const auto table_size = [](uint8_t flags) {
    return (flags & 0x80) != 0 ? size_t{3} << ((flags & 7) + 1) : size_t{0};
  };
  size_t position = 13 + table_size(encoded[10]);
  while (position < encoded.size()) {
    const uint8_t block = encoded[position++];
    const bool frame = block == 0x2C;
    if (frame) {
      if (encoded.size() - position < 10) break;
      position += 9 + table_size(encoded[position + 8]) + 1;  // descriptor, colours, code size
    } else if (block == 0x21) {
      ++position;  // the extension's label
    } else {
      break;
    }
    while (position < encoded.size() && encoded[position] != 0)
      position += size_t{1} + encoded[position];
    if (position >= encoded.size()) break;
    ++position;  // the empty sub-block that ends the others
    if (frame) return {.complete = true, .scans = 0, .exif = {}};
  }
  return {};
}

/// BITMAPFILEHEADER and its successors; stb_image reads uncompressed pixels alone.
ContainerFacts ReadBmp(Bytes encoded) {
  if (encoded.size() < 30) return {};
  const uint64_t offset = LittleEndian32(&encoded[10]);
  const bool core_header = LittleEndian32(&encoded[14]) == 12;
  uint64_t width, height, bits;
  if (core_header) {
    width = LittleEndian16(&encoded[18]);
    height = LittleEndian16(&encoded[20]);
    bits = LittleEndian16(&encoded[24]);
  } else {
    width = LittleEndian32(&encoded[18]);
    const uint32_t signed_height = LittleEndian32(&encoded[22]);  // negative: rows from the top
    height = signed_height >> 31 != 0 ? uint32_t{0} - signed_height : signed_height;
    bits = LittleEndian16(&encoded[28]);
  }
  // At most 2^32 * 2^16 bits a row: only the product with the height could overflow.
  const uint64_t row_bytes = (width * bits + 31) / 32 * 4;
  const uint64_t available = encoded.size() - std::min<uint64_t>(offset, encoded.size());
  return {.complete = row_bytes == 0 || height <= available / row_bytes, .scans = 0, .exif = {}};
}

}  // namespace

ImageFormat DetectFormat(Bytes encoded) {
  if (HasAt(encoded, 0, "\xFF\xD8\xFF")) return ImageFormat::kJpeg;
  if (HasAt(encoded, 0, "\x89PNG\r\n\x1A\n")) return ImageFormat::kPng;
  if (HasAt(encoded, 0, "GIF87a") || HasAt(encoded, 0, "GIF89a")) return ImageFormat::kGif;
  if (HasAt(encoded, 0, "BM")) return ImageFormat::kBmp;
  return ImageFormat::kUnknown;
}

std::string_view FormatName(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kGif:
      return "GIF";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view ForeignFormatName(Bytes encoded) {
  struct Signature {
    size_t offset;
    std::string_view bytes;
    std::string_view name;
  };
  static constexpr auto kSignatures = std::to_array<Signature>({
      {8, "WEBP", "WebP"},
      {4, "ftypavif", "AVIF"},
      {4, "ftypavis", "AVIF"},
      {4, "ftyphei", "HEIC"},
      {4, "ftyphev", "HEIC"},
      {4, "ftypmif1", "HEIC or AVIF"},
      {0, {"II*\0", 4}, "TIFF"},
      {0, {"MM\0*", 4}, "TIFF"},
      {0, {"\0\0\0\x0CJXL ", 8}, "JPEG XL"},
      {0, "\xFF\x0A", "JPEG XL"},
      {0, {"\0\0\0\x0CjP  ", 8}, "JPEG 2000"},
      {0, {"\0\0\1\0", 4}, "ICO"},
      {0, "8BPS", "Photoshop"},
      {0, "%PDF", "PDF"},
      {0, "<svg", "SVG"},
      {0, "<?xml", "XML or SVG"},
      {0, "<!DOCTYPE", "HTML"},
      {0, "<!doctype", "HTML"},
      {0, "<html", "HTML"},
      {0, "P5\n", "PNM"},
      {0, "P6\n", "PNM"},
  });
  for (const Signature& signature : kSignatures) {
    if (HasAt(encoded, signature.offset, signature.bytes)) return signature.name;
  }
  return "";
}

ContainerFacts ReadContainer(ImageFormat format, Bytes encoded) {
  switch (format) {
    case ImageFormat::kJpeg:
      return ReadJpeg(encoded);
    case ImageFormat::kPng:
      return ReadPng(encoded);
    case ImageFormat::kGif:
      return ReadGif(encoded);
    case ImageFormat::kBmp:
      return ReadBmp(encoded);
    case ImageFormat::kUnknown:
      break;
  }
  return {};
}

std::span<const std::string_view> DecodableTypes() {
  static constexpr std::string_view kTypes[] = {"image/jpeg", "image/png", "image/gif",
                                                "image/bmp"};
  return kTypes;
}

}  // namespace vitrine
