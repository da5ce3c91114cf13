// Decoding against Pillow, and files that are not what they should be.
#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "image_support.h"

namespace vitrine::test {
namespace {

using Bytes = std::vector<uint8_t>;

Error DecodeError(const Bytes& bytes) {
  Result<Image> image = DecodeImage(bytes);
  REQUIRE_FALSE(image.has_value());
  return image.error();
}

Bytes ToBytes(std::string_view text) { return {text.begin(), text.end()}; }

void Append(Bytes& out, std::initializer_list<int> bytes) {
  for (const int byte : bytes) out.push_back(static_cast<uint8_t>(byte));
}

/// A JPEG's APP1 segment: one directory with an orientation of that TIFF type.
Bytes ExifSegment(int orientation, bool little_endian, int type = 3) {
  Bytes segment = {0xFF, 0xE1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
  const auto put = [&](uint32_t value, int size) {
    for (int i = 0; i < size; ++i) {
      const int shift = 8 * (little_endian ? i : size - 1 - i);
      segment.push_back(static_cast<uint8_t>(value >> shift));
    }
  };
  put(little_endian ? 0x4949 : 0x4D4D, 2);  // "II" or "MM"
  put(42, 2);
  put(8, 4);
  put(2, 2);
  for (const auto& [tag, value] : {std::pair{0x0100, 75}, std::pair{0x0112, orientation}}) {
    put(tag, 2);
    put(type, 2);
    put(1, 4);
    const int size = type == 4 ? 4 : type == 1 ? 1 : 2;
    put(value, size);
    put(0, 4 - size);
  }
  put(0, 4);
  segment[3] = static_cast<uint8_t>(segment.size() - 2);
  return segment;
}

Bytes WithSegment(Bytes jpeg, const Bytes& segment) {
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

/// EXIF 2.3, tag Orientation, spelled out: the upright pixel (x, y) of a stored picture.
const uint8_t* Upright(const Image& stored, int orientation, int x, int y) {
  const int right = stored.width - 1, bottom = stored.height - 1;
  int column = x, row = y;
  switch (orientation) {
    case 2:
      column = right - x;
      break;
    case 3:
      column = right - x, row = bottom - y;
      break;
    case 4:
      row = bottom - y;
      break;
    case 5:
      column = y, row = x;
      break;
    case 6:
      column = y, row = bottom - x;
      break;
    case 7:
      column = right - y, row = bottom - x;
      break;
    case 8:
      column = right - y, row = x;
      break;
  }
  return stored.pixels.data() + (size_t{1} * row * stored.width + column) * stored.channels;
}

void CheckUpright(const Image& stored, const Image& turned, int orientation) {
  CAPTURE(orientation, stored.width, stored.height, stored.channels);
  const bool swapped = orientation >= 5;
  REQUIRE(turned.width == (swapped ? stored.height : stored.width));
  REQUIRE(turned.height == (swapped ? stored.width : stored.height));
  REQUIRE(turned.channels == stored.channels);
  int wrong = 0;
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      const uint8_t* pixel =
          turned.pixels.data() + (size_t{1} * y * turned.width + x) * turned.channels;
      wrong += !std::equal(pixel, pixel + turned.channels, Upright(stored, orientation, x, y));
    }
  }
  CHECK(wrong == 0);
}

TEST_CASE("pictures decode to Pillow's RGB", "[image]") {
  for (const auto& row : ReadList("decode.txt")) {
    REQUIRE(row.size() == 5);
    CAPTURE(row[0], row[1]);
    const Image image = Decode(ImageGoldenDir() / row[0]);
    const Result<Image> rgb = ToRgb(image, row[1] == "white" ? Alpha::kWhite : Alpha::kDrop);
    REQUIRE(rgb.has_value());
    CHECK(rgb->channels == 3);
    CHECK(std::to_string(rgb->width) == row[2]);
    CHECK(std::to_string(rgb->height) == row[3]);
    CHECK(Crc(*rgb) == row[4]);
  }
}

TEST_CASE("JPEGs decode close to libjpeg's pixels", "[image]") {
  for (const char* name : {"444", "422", "420", "progressive", "grey", "cmyk"}) {
    CAPTURE(name);
    const Image image = Decode(ImageGoldenDir() / (std::string(name) + ".jpg"));
    const Image expected = Decode(ImageGoldenDir() / (std::string(name) + ".pillow.png"));
    CHECK(image.channels == (std::string(name) == "grey" ? 1 : 3));
    const Result<Image> rgb = ToRgb(image, Alpha::kWhite);
    REQUIRE(rgb.has_value());
    REQUIRE(rgb->pixels.size() == expected.pixels.size());
    int64_t sum = 0;
    int largest = 0;
    for (size_t i = 0; i < expected.pixels.size(); ++i) {
      const int difference = std::abs(rgb->pixels.data()[i] - expected.pixels.data()[i]);
      sum += difference;
      largest = std::max(largest, difference);
    }
    CHECK(static_cast<double>(sum) / static_cast<double>(expected.pixels.size()) < 1.0);
    CHECK(largest <= 12);
  }
}

TEST_CASE("a JPEG's EXIF orientation is applied, in either byte order", "[image]") {
  const Bytes jpeg = ReadBytes(ImageGoldenDir() / "444.jpg");
  const Bytes grey = ReadBytes(ImageGoldenDir() / "grey.jpg");
  for (const Bytes& file : {jpeg, grey}) {
    const Result<Image> stored = DecodeImage(file);
    REQUIRE(stored.has_value());
    for (int orientation = 1; orientation <= 8; ++orientation) {
      for (const bool little_endian : {false, true}) {
        for (const int type : {1, 3, 4}) {
          const Result<Image> turned =
              DecodeImage(WithSegment(file, ExifSegment(orientation, little_endian, type)));
          REQUIRE(turned.has_value());
          CheckUpright(*stored, *turned, orientation);
        }
      }
    }
  }
}

TEST_CASE("EXIF blocks that make no sense are ignored", "[image]") {
  const Bytes jpeg = ReadBytes(ImageGoldenDir() / "444.jpg");
  const Result<Image> stored = DecodeImage(jpeg);
  REQUIRE(stored.has_value());
  const auto check_upright = [&](const Bytes& segment) {
    const Result<Image> image = DecodeImage(WithSegment(jpeg, segment));
    REQUIRE(image.has_value());
    CheckUpright(*stored, *image, 1);
  };
  check_upright(ExifSegment(0, true));
  check_upright(ExifSegment(9, false));
  check_upright(ExifSegment(6, true, 7));   // UNDEFINED is no number
  check_upright(ExifSegment(6, true, 12));  // nor is a DOUBLE an orientation

  Bytes far_directory = ExifSegment(6, true);
  std::fill(far_directory.begin() + 14, far_directory.begin() + 18, 0xFF);
  check_upright(far_directory);
  Bytes wrong_order = ExifSegment(6, true);
  wrong_order[11] = 'M';
  check_upright(wrong_order);

  // Cut anywhere, its length told truly.
  const Bytes whole = ExifSegment(6, false);
  for (size_t size = 4; size < whole.size() - 8; ++size) {
    Bytes cut(whole.begin(), whole.begin() + size);
    cut[3] = static_cast<uint8_t>(size - 2);
    REQUIRE(DecodeImage(WithSegment(jpeg, cut)).has_value());
  }
}

TEST_CASE("no orientation is applied twice or from a thumbnail's EXIF", "[image]") {
  const Bytes jpeg = ReadBytes(ImageGoldenDir() / "444.jpg");
  const Result<Image> stored = DecodeImage(jpeg);
  REQUIRE(stored.has_value());
  // The first block counts, as in Pillow.
  const Bytes two = WithSegment(WithSegment(jpeg, ExifSegment(3, true)), ExifSegment(6, true));
  const Result<Image> image = DecodeImage(two);
  REQUIRE(image.has_value());
  CheckUpright(*stored, *image, 6);
}

TEST_CASE("what is not a picture of a known format is named", "[image]") {
  using namespace std::string_view_literals;
  struct Case {
    std::string_view bytes;
    std::string_view found;
  };
  for (const auto& [bytes, found] : std::initializer_list<Case>{
           {"RIFF\x10\0\0\0WEBPVP8 "sv, "WebP"},
           {"\0\0\0\x1c"
            "ftypavif"sv,
            "AVIF"},
           {"\0\0\0\x18"
            "ftypheic"sv,
            "HEIC"},
           {"II*\0\x08\0\0\0"sv, "TIFF"},
           {"MM\0*\0\0\0\x08"sv, "TIFF"},
           {"<svg xmlns=''/>"sv, "SVG"},
           {"<!doctype html><html>"sv, "HTML"},
           {"%PDF-1.7"sv, "PDF"},
           {"8BPS\0\1"sv, "Photoshop"},
           {"P6\n1 1\n255\nabc"sv, "PNM"},
           {"nonsense and more"sv, "6e 6f 6e 73 65 6e 73 65"},
           {"\1"sv, "1 bytes that start with 01"},
       }) {
    const Error error = DecodeError(ToBytes(bytes));
    CAPTURE(found, error.message);
    CHECK(error.status == Status::kInvalidImage);
    CHECK(error.message.find(found) != std::string::npos);
    CHECK(error.message.find("expected JPEG, PNG, GIF or BMP") != std::string::npos);
  }
  const Error empty = DecodeError({});
  CHECK(empty.status == Status::kInvalidImage);
  CHECK(empty.message.starts_with("picture: 0 bytes"));
}

TEST_CASE("a truncated picture is an error at every length", "[image]") {
  for (const char* name :
       {"420.jpg", "progressive.jpg", "rgb16.png", "palette4_adam7.png", "rgb.bmp"}) {
    const Bytes whole = ReadBytes(ImageGoldenDir() / name);
    CAPTURE(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      const Result<Image> image = DecodeImage(std::span(whole).first(size));
      CAPTURE(size);
      REQUIRE_FALSE(image.has_value());
      REQUIRE(image.error().status == Status::kInvalidImage);
    }
    const Error nearly = DecodeError({whole.begin(), whole.end() - 1});
    CHECK(nearly.message.find("truncated") != std::string::npos);
  }
  // A GIF's first frame may be followed by nothing.
  const Bytes gif = ReadBytes(ImageGoldenDir() / "still.gif");
  for (size_t size = 0; size + 1 < gif.size(); ++size) {
    CAPTURE(size);
    REQUIRE_FALSE(DecodeImage(std::span(gif).first(size)).has_value());
  }
}

TEST_CASE("damaged pictures decode or are refused, but do no harm", "[image]") {
  std::mt19937 random(20);
  for (const char* name :
       {"420.jpg", "progressive.jpg", "grey.jpg", "cmyk.jpg", "rgba16.png", "palette8_trns.png",
        "rgba8_adam7.png", "still.gif", "animated.gif", "rgb.bmp", "palette.bmp"}) {
    const Bytes whole = ReadBytes(ImageGoldenDir() / name);
    for (int round = 0; round < 300; ++round) {
      Bytes damaged = whole;
      for (int i = 0; i < 1 + round % 8; ++i) {
        damaged[random() % damaged.size()] = static_cast<uint8_t>(random());
      }
      const Result<Image> image = DecodeImage(damaged, 1 << 20);
      if (image) {
        CHECK(int64_t{image->width} * image->height <= 1 << 20);
      } else {
        CHECK_FALSE(image.error().message.empty());
      }
    }
  }
}

TEST_CASE("pictures of too many pixels are refused by their header", "[image]") {
  // The sides of PNG's IHDR, of a JPEG's SOF0 and of a GIF's screen.
  Bytes png = ReadBytes(ImageGoldenDir() / "rgb8.png");
  std::fill_n(png.begin() + 18, 2, 0x7F);
  std::fill_n(png.begin() + 22, 2, 0x7F);
  CHECK(DecodeError(png).status == Status::kTooLarge);

  Bytes jpeg = ReadBytes(ImageGoldenDir() / "420.jpg");
  const Bytes start_of_frame = {0xFF, 0xC0};
  const auto frame =
      std::search(jpeg.begin(), jpeg.end(), start_of_frame.begin(), start_of_frame.end());
  REQUIRE(frame != jpeg.end());
  std::fill_n(frame + 5, 4, 0xFF);
  CHECK(DecodeError(jpeg).status == Status::kTooLarge);

  Bytes gif = ReadBytes(ImageGoldenDir() / "still.gif");
  std::fill_n(gif.begin() + 6, 4, 0xFF);
  CHECK(DecodeError(gif).status == Status::kTooLarge);

  const Bytes small = ReadBytes(ImageGoldenDir() / "rgb8.png");
  const Result<Image> refused = DecodeImage(small, 13 * 9 - 1);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().status == Status::kTooLarge);
  CHECK(refused.error().message == "PNG: 13 x 9 pixels, expected at most 116; scale it down first");
  CHECK(DecodeImage(small, 13 * 9).has_value());
}

TEST_CASE("a JPEG of very many scans is refused", "[image]") {
  Bytes jpeg = ReadBytes(ImageGoldenDir() / "progressive.jpg");
  const Bytes start_of_scan = {0xFF, 0xDA};
  const auto last =
      std::find_end(jpeg.begin(), jpeg.end(), start_of_scan.begin(), start_of_scan.end());
  const Bytes scan(last, jpeg.end() - 2);
  Bytes repeated(jpeg.begin(), jpeg.end() - 2);
  for (int i = 0; i < 5000; ++i) repeated.insert(repeated.end(), scan.begin(), scan.end());
  Append(repeated, {0xFF, 0xD9});
  const Error error = DecodeError(repeated);
  CHECK(error.status == Status::kTooLarge);
  CHECK(error.message.find("scans") != std::string::npos);
}

TEST_CASE("a PNG that unfolds to far more than its pixels is refused", "[image]") {
  // 1000 times its size: zeros, deflated by a long run of the same two-byte code.
  Bytes png = ReadBytes(ImageGoldenDir() / "grey8.png");
  const auto idat = std::search(png.begin(), png.end(), std::begin("IDAT"), std::begin("IDAT") + 4);
  REQUIRE(idat != png.end());
  Bytes bomb(png.begin(), idat - 4);
  Bytes data = {0x78, 0x01};
  // A fixed-Huffman block: literal 0 (00110000), then length 258 (11000101) at distance 1 (00000).
  std::string bits =
      "110"
      "00110000";
  for (int i = 0; i < 80000; ++i)
    bits +=
        "11000101"
        "00000";
  for (size_t i = 0; i + 8 <= bits.size(); i += 8) {
    int byte = 0;
    for (int bit = 0; bit < 8; ++bit) byte |= (bits[i + bit] - '0') << bit;
    data.push_back(static_cast<uint8_t>(byte));
  }
  const size_t size = data.size();
  Append(bomb, {int(size >> 24), int(size >> 16 & 255), int(size >> 8 & 255), int(size & 255), 'I',
                'D', 'A', 'T'});
  bomb.insert(bomb.end(), data.begin(), data.end());
  Append(bomb, {0, 0, 0, 0, 0, 0, 0, 0, 'I', 'E', 'N', 'D', 0, 0, 0, 0});
  CHECK(DecodeError(bomb).status == Status::kOutOfMemory);
}

TEST_CASE("ToRgb refuses pictures whose pixels are missing", "[image]") {
  CHECK(ToRgb(Image{}, Alpha::kWhite).error().status == Status::kInvalidArgument);
  Image image = {4, 4, 3, Buffer<uint8_t>::Allocate(47)};
  CHECK(ToRgb(image, Alpha::kWhite).error().message ==
        "pixels: 47 bytes, expected 48 for 4 x 4 x 3");
  CHECK(MakeImage(0, 1, 3).error().status == Status::kInvalidArgument);
  CHECK(MakeImage(1, 1, 5).error().status == Status::kInvalidArgument);
  CHECK(MakeImage(1 << 20, 1 << 20, 1).error().status == Status::kTooLarge);
}

}  // namespace
}  // namespace vitrine::test
