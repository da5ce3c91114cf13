// Pictures: decoding, Pillow-exact resizing, and the network's input made from them.
#ifndef VITRINE_IMAGE_H_
#define VITRINE_IMAGE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"

namespace vitrine {

/// 8-bit samples, rows top to bottom, `channels` interleaved: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  std::vector<uint8_t> pixels;  // [height, width, channels]
};

/// What becomes of transparency on the way to RGB.
enum class Alpha {
  kWhite,  // composited on white, as a page would show it
  kDrop,   // discarded, as Pillow's convert('RGB') does
};

/// Pictures of more pixels than this are refused (kTooLarge), before memory is taken for them.
inline constexpr int64_t kMaxPixels = int64_t{1} << 27;

/// Decodes what stb_image reads (JPEG, PNG, GIF's first frame, BMP, TGA, PSD, PNM): palettes expanded, 16 bits
/// reduced to 8 as Pillow does, EXIF orientation (JPEG APP1, PNG eXIf) applied.
/// Errors: kInvalidImage, kTooLarge, kOutOfMemory.
[[nodiscard]] Result<Image> DecodeImage(std::span<const uint8_t> encoded);

/// Any channels -> RGB [height, width, 3].
[[nodiscard]] Result<Image> ToRgb(Image image, Alpha alpha);

/// Pillow's Image.resize(size, resample) for 1, 3 or 4 channels, bit for bit.
/// Source: Pillow src/libImaging/Resample.c (antialiased, fixed-point, two passes).
[[nodiscard]] Result<Image> Resize(const Image& image, int width, int height, Interpolation interpolation);

/// timm's / torchvision's evaluation transform up to the tensor: resize and centre crop of an RGB
/// picture to config.input_size.
[[nodiscard]] Result<Image> ResizeAndCrop(const Image& rgb, const PreprocessConfig& config);

/// Normalises an RGB picture of exactly the network's img_size and unfolds it:
/// patches [num_patches, 3 * patch_h * patch_w], value (pixel / 255 - mean) / std in float32.
[[nodiscard]] Result<void> Unfold(const Image& rgb, const PreprocessConfig& preprocess, const VitConfig& vit,
                                  std::span<float> patches);

/// Unfolds a normalised tensor [in_chans, height, width] (PyTorch's NCHW of one picture).
[[nodiscard]] Result<void> UnfoldTensor(std::span<const float> tensor, const VitConfig& vit,
                                        std::span<float> patches);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_H_
