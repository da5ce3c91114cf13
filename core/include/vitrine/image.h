// Pictures: decoding, Pillow-exact resizing, and the network's input made from them.
#ifndef VITRINE_IMAGE_H_
#define VITRINE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "vitrine/buffer.h"
#include "vitrine/config.h"
#include "vitrine/error.h"

namespace vitrine {

/// 8-bit samples, rows top to bottom, `channels` interleaved: 1 grey, 2 grey + alpha, 3 RGB, 4 RGBA
/// (alpha not premultiplied).
struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;
  Buffer<uint8_t> pixels;  // [height, width, channels]
};

/// What becomes of transparency on the way to RGB.
enum class Alpha {
  kWhite,  // composited on white, as a page would show it: Pillow's Image.alpha_composite
  kDrop,   // discarded, as Pillow's convert('RGB') does
};

/// Pictures of more pixels than this are refused (kTooLarge), before memory is taken for them.
inline constexpr int64_t kMaxPixels = int64_t{1} << 27;

/// A picture of undefined pixels. Errors: kInvalidArgument (a side below 1, channels outside 1..4),
/// kTooLarge (over kMaxPixels), kOutOfMemory.
[[nodiscard]] Result<Image> MakeImage(int width, int height, int channels);

/// Decodes JPEG (baseline and progressive), PNG, BMP and a GIF's first frame: what pages show and
/// stb_image reads safely (its PSD, TGA, PNM, PIC and HDR readers are left out). Palettes are
/// expanded; of 16 bits the upper 8 are kept, as Pillow does; EXIF orientation (JPEG APP1, PNG
/// eXIf) is applied as Pillow's ImageOps.exif_transpose does. Colour profiles are ignored. Errors:
/// kInvalidImage (empty, truncated, corrupt, another format, which is named), kTooLarge (over
/// min(max_pixels, kMaxPixels), or a JPEG with absurdly many scans), kOutOfMemory.
[[nodiscard]] Result<Image> DecodeImage(std::span<const uint8_t> encoded,
                                        int64_t max_pixels = kMaxPixels);

/// MIME types of what DecodeImage reads.
std::span<const std::string_view> DecodableTypes();

/// Any channels -> RGB [height, width, 3]. Composited on white, a sample c becomes
/// round((c * a + 255 * (255 - a)) / 255).
/// Errors: kInvalidArgument (no pixels, or not as many as the sides say), kOutOfMemory.
[[nodiscard]] Result<Image> ToRgb(const Image& image, Alpha alpha);

/// Pillow's Image.resize(size, resample) for 1 or 3 channels, bit for bit.
/// Source: Pillow src/libImaging/Resample.c (antialiased, fixed-point, two passes).
/// Errors: kInvalidArgument (as ToRgb; a size below 1), kTooLarge, kOutOfMemory.
[[nodiscard]] Result<Image> Resize(const Image& image, int width, int height,
                                   Interpolation interpolation);

/// The evaluation transform of timm and torchvision up to the tensor: RGB of config.input_size, bit
/// for bit what resizing the whole ToRgb(image, alpha) with Pillow and cropping give; computes only
/// what the crop shows. Rules (timm/data/transforms_factory.py, transforms_imagenet_eval):
/// - kShortestEdge, square resize_size: torchvision Resize(int); non-square: timm's
/// ResizeKeepRatio,
///   which timm calls without an interpolation there, so that it is bilinear whatever config says;
/// - kExact: torchvision Resize([height, width]);
/// - kLongestEdge: ResizeKeepRatio(longest=1), padding of the colour `mean`;
/// - do_resize off: nothing;
/// then the centre crop of config.crop_rule, which pads pictures smaller than the crop (with black,
/// but for kLongestEdge). Errors: as Resize; kInvalidArgument for a picture of another size where
/// config neither resizes nor crops.
[[nodiscard]] Result<Image> ResizeAndCrop(const Image& image, const PreprocessConfig& config,
                                          Alpha alpha = Alpha::kWhite);

/// Normalises an RGB picture of exactly the network's img_size and unfolds it:
/// patches [num_patches, 3 * patch_h * patch_w], each patch [3, patch_h, patch_w], value
/// (pixel * rescale_factor - mean) / std in float32, in that order, as torchvision and transformers
/// do.
/// Errors: kInvalidArgument (sizes that differ).
[[nodiscard]] Result<void> Unfold(const Image& rgb, const PreprocessConfig& preprocess,
                                  const VitConfig& vit, std::span<float> patches);

/// Unfolds a normalised tensor [in_chans, height, width] (PyTorch's NCHW of one picture).
/// Errors: kInvalidArgument (sizes that differ).
[[nodiscard]] Result<void> UnfoldTensor(std::span<const float> tensor, const VitConfig& vit,
                                        std::span<float> patches);

}  // namespace vitrine

#endif  // VITRINE_IMAGE_H_
