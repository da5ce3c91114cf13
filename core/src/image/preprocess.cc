// From a picture to the network's input: the evaluation transform of timm and torchvision, and the
// unfolding that turns patch embedding into one matrix product.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "image/resample.h"
#include "image/rgb.h"
#include "vitrine/image.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

using ResizeMode = PreprocessConfig::ResizeMode;

struct Size {
  int64_t width, height;
};

/// Python's round(): halves go to the even neighbour.
int64_t Round(double value) { return static_cast<int64_t>(std::nearbyint(value)); }

/// torchvision.transforms.Resize(int), _compute_resized_output_size.
Size ShortestEdge(const Image& image, int64_t size) {
  const int64_t shorter = std::min(image.width, image.height);
  const int64_t longer = std::max(image.width, image.height);
  const auto long_size =
      static_cast<int64_t>(static_cast<double>(size * longer) / static_cast<double>(shorter));
  return image.width <= image.height ? Size{size, long_size} : Size{long_size, size};
}

/// timm/data/transforms.py, ResizeKeepRatio.get_params with longest = 0 or 1.
Size KeepRatio(const Image& image, const std::array<int, 2>& target, bool longest) {
  const double height_ratio = static_cast<double>(image.height) / target[0];
  const double width_ratio = static_cast<double>(image.width) / target[1];
  const double ratio =
      longest ? std::max(height_ratio, width_ratio) : std::min(height_ratio, width_ratio);
  // timm fails where a side rounds to nothing; one pixel is kept here.
  return {std::max(Round(image.width / ratio), int64_t{1}),
          std::max(Round(image.height / ratio), int64_t{1})};
}

/// Which part of an axis of `size` samples a centre crop of `crop` shows, and how much padding
/// comes before it: torchvision.transforms.functional.center_crop, transformers' center_crop.
struct CropSpan {
  int64_t start;
  int padding;
  int length;
};
CropSpan CenterCrop(int64_t size, int crop, PreprocessConfig::CropRule rule) {
  const bool transformers = rule == PreprocessConfig::CropRule::kTransformers;
  if (crop > size) {
    return {0, static_cast<int>((crop - size + transformers) / 2), static_cast<int>(size)};
  }
  if (transformers) return {(size - crop) / 2, 0, crop};
  return {Round(static_cast<double>(size - crop) / 2.0), 0, crop};
}

/// timm: fill = [round(255 * v) for v in mean].
std::array<uint8_t, 3> MeanColour(const std::array<float, 3>& mean) {
  std::array<uint8_t, 3> colour;
  for (int c = 0; c < 3; ++c) {
    colour[c] = static_cast<uint8_t>(std::clamp<int64_t>(Round(255.0f * mean[c]), 0, 255));
  }
  return colour;
}

void Fill(Image& rgb, const std::array<uint8_t, 3>& colour) {
  for (size_t i = 0; i < rgb.pixels.size(); ++i) rgb.pixels.data()[i] = colour[i % 3];
}

Result<void> CheckPatches(const VitConfig& vit, std::span<float> patches) {
  const size_t expected = size_t{1} * vit.num_patches() * vit.patch_dim();
  if (patches.size() == expected) return {};
  return Fail(Status::kInvalidArgument,
              Concat("patches: ", patches.size(), " values, expected ", expected, " (",
                     vit.num_patches(), " patches of ", vit.patch_dim(), ")"));
}

/// Calls copy(c, y, x, out) for every row of patch_w values: those from (y, x) on of channel c.
template <typename CopyRow>
void ForEachPatchRow(const VitConfig& vit, std::span<float> patches, CopyRow copy) {
  const auto [rows, columns] = vit.grid_size();
  const auto [patch_height, patch_width] = vit.patch_size;
  float* out = patches.data();
  for (int row = 0; row < rows; ++row) {
    for (int column = 0; column < columns; ++column) {
      for (int c = 0; c < vit.in_chans; ++c) {
        for (int y = 0; y < patch_height; ++y, out += patch_width) {
          copy(c, row * patch_height + y, column * patch_width, out);
        }
      }
    }
  }
}

}  // namespace

Result<Image> ResizeAndCrop(const Image& image, const PreprocessConfig& config, Alpha alpha) {
  if (Result<void> checked = CheckImage(image); !checked) return Forward(checked);
  const auto [resize_height, resize_width] = config.resize_size;
  if (resize_height < 1 || resize_width < 1) {
    return Fail(Status::kInvalidArgument, Concat("resize_size: ", ShapeText(config.resize_size),
                                                 ", expected [height, width] of at least 1"));
  }
  Interpolation interpolation = config.interpolation;
  Size full = {resize_width, resize_height};
  if (!config.do_resize) {
    full = {image.width, image.height};
    if (!config.do_center_crop && config.input_size != std::array{image.height, image.width}) {
      return Fail(Status::kInvalidArgument,
                  Concat("picture of ", image.width, " x ", image.height, " pixels, expected ",
                         config.input_size[1], " x ", config.input_size[0],
                         ": do_resize is false in preprocessor_config.json; resize it first"));
    }
  } else if (config.resize_mode == ResizeMode::kLongestEdge) {
    full = KeepRatio(image, config.resize_size, /*longest=*/true);
  } else if (config.resize_mode == ResizeMode::kShortestEdge) {
    if (resize_height == resize_width) {
      full = ShortestEdge(image, resize_height);
    } else {
      full = KeepRatio(image, config.resize_size, /*longest=*/false);
      interpolation = Interpolation::kBilinear;
    }
  }
  if (std::max(full.width, full.height) > kMaxPixels) {
    return Fail(Status::kTooLarge, Concat("picture of ", image.width, " x ", image.height,
                                          " pixels would be resized to ", full.width, " x ",
                                          full.height, "; crop it first"));
  }

  const auto [height, width] = config.input_size;
  Result<Image> cropped = MakeImage(width, height, 3);
  if (!cropped) return cropped;
  const CropSpan x = CenterCrop(full.width, width, config.crop_rule);
  const CropSpan y = CenterCrop(full.height, height, config.crop_rule);
  if (x.length < width || y.length < height) {
    const bool border = config.resize_mode == ResizeMode::kLongestEdge;
    Fill(*cropped, border ? MeanColour(config.mean) : std::array<uint8_t, 3>{});
  }
  const size_t row_bytes = size_t{3} * width;
  const ResizeTarget target = {
      .full_width = full.width,
      .full_height = full.height,
      .x = x.start,
      .y = y.start,
      .width = x.length,
      .height = y.length,
      .pixels = cropped->pixels.data() + y.padding * row_bytes + size_t{3} * x.padding,
      .row_bytes = row_bytes};
  if (Result<void> done = ResizePart(image, 3, alpha, interpolation, target); !done) {
    return Forward(done);
  }
  return cropped;
}

Result<void> Unfold(const Image& rgb, const PreprocessConfig& preprocess, const VitConfig& vit,
                    std::span<float> patches) {
  if (Result<void> checked = CheckImage(rgb); !checked) return checked;
  const auto [height, width] = vit.img_size;
  if (rgb.channels != 3 || rgb.width != width || rgb.height != height || vit.in_chans != 3) {
    return Fail(Status::kInvalidArgument,
                Concat("picture of ", rgb.width, " x ", rgb.height, " pixels and ", rgb.channels,
                       " channels, expected ", width, " x ", height, " and ", vit.in_chans,
                       " for this network; is preprocess.input_size its img_size?"));
  }
  if (Result<void> checked = CheckPatches(vit, patches); !checked) return checked;

  // transformers rescales in float64 and rounds, which for 1/255 gives torchvision's pixel / 255 in
  // float32 for all 256 values; both subtract the mean and divide in float32.
  float normalised[3][256];
  for (int c = 0; c < 3; ++c) {
    for (int value = 0; value < 256; ++value) {
      const float scaled = static_cast<float>(value * preprocess.rescale_factor);
      normalised[c][value] = (scaled - preprocess.mean[c]) / preprocess.std[c];
    }
  }
  const int patch_width = vit.patch_size[1];
  ForEachPatchRow(vit, patches, [&](int c, int y, int x, float* out) {
    const uint8_t* pixel = rgb.pixels.data() + 3 * (size_t{1} * y * width + x) + c;
    for (int i = 0; i < patch_width; ++i) out[i] = normalised[c][pixel[3 * i]];
  });
  return {};
}

Result<void> UnfoldTensor(std::span<const float> tensor, const VitConfig& vit,
                          std::span<float> patches) {
  const auto [height, width] = vit.img_size;
  const size_t expected = size_t{1} * vit.in_chans * height * width;
  if (tensor.size() != expected) {
    return Fail(Status::kInvalidArgument,
                Concat("tensor: ", tensor.size(), " values, expected ", expected, " for [",
                       vit.in_chans, ", ", height, ", ", width, "]"));
  }
  if (Result<void> checked = CheckPatches(vit, patches); !checked) return checked;
  const size_t row_bytes = sizeof(float) * vit.patch_size[1];
  ForEachPatchRow(vit, patches, [&](int c, int y, int x, float* out) {
    std::memcpy(out, tensor.data() + (size_t{1} * c * height + y) * width + x, row_bytes);
  });
  return {};
}

}  // namespace vitrine
