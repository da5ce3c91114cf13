// What the tests of pictures share.
#ifndef VITRINE_TESTS_IMAGE_SUPPORT_H_
#define VITRINE_TESTS_IMAGE_SUPPORT_H_

#include <cstdint>
#include <filesystem>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "test_support.h"
#include "vitrine/image.h"

namespace vitrine::test {

/// tests/golden/image; see make_image_goldens.py.
inline std::filesystem::path ImageGoldenDir() { return SourceDir() / "tests" / "golden" / "image"; }

/// The lines of one of its lists, split at spaces.
inline std::vector<std::vector<std::string>> ReadList(const std::string& name) {
  std::vector<std::vector<std::string>> list;
  std::istringstream lines(ReadText(ImageGoldenDir() / name));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::vector<std::string>& row = list.emplace_back();
    for (std::string word; words >> word;) row.push_back(word);
  }
  return list;
}

/// A decoded picture; the running test fails where decoding does.
Image Decode(const std::filesystem::path& path);

/// zlib's CRC-32 of the samples, as eight hexadecimal digits.
std::string Crc(const Image& image);

std::vector<uint8_t> Pixels(const Image& image);

/// Pixels of any bytes.
Image RandomImage(std::mt19937& random, int width, int height, int channels);

/// The rectangle of `image` from (x, y) on.
Image Cut(const Image& image, int x, int y, int width, int height);

inline Interpolation InterpolationOf(const std::string& name) {
  if (name == "nearest") return Interpolation::kNearest;
  if (name == "bilinear") return Interpolation::kBilinear;
  if (name == "lanczos") return Interpolation::kLanczos;
  return Interpolation::kBicubic;
}

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_IMAGE_SUPPORT_H_
