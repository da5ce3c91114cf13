// How pictures are prepared. Rules and defaults: timm/data/config.py and transforms_factory.py;
// transformers' ViTImageProcessor and DeiTImageProcessor.

#include <cmath>

#include "config/internal.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

using ResizeMode = PreprocessConfig::ResizeMode;

constexpr std::array<float, 3> kImagenetMean = {0.485f, 0.456f, 0.406f};
constexpr std::array<float, 3> kImagenetStd = {0.229f, 0.224f, 0.225f};
constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f};

/// One value per channel, or one for all. Models of other than three channels take tensors, not
/// pictures, so their values are checked and left.
std::array<float, 3> ReadChannels(const Json& value, std::array<float, 3> fallback, bool positive) {
  if (!value.present()) return fallback;
  std::vector<float> channels;
  if (value.is_number()) {
    channels = {static_cast<float>(value.Number(0))};
  } else {
    for (const Json& item : value.Items()) channels.push_back(static_cast<float>(item.Number(0)));
  }
  for (float channel : channels) {
    if (!std::isfinite(channel) || (positive && channel <= 0)) {
      value.Fail(Status::kInvalidConfig,
                 positive ? "expected values above 0" : "expected finite values");
      return fallback;
    }
  }
  if (channels.size() == 1) return {channels[0], channels[0], channels[0]};
  if (channels.size() != 3) {
    value.Fail(Status::kInvalidConfig, Concat(channels.size(), " values, expected 3"));
    return fallback;
  }
  return {channels[0], channels[1], channels[2]};
}

Interpolation ReadTimmInterpolation(const Json& value) {
  std::string_view name = value.String("bicubic");
  if (name == "bicubic") return Interpolation::kBicubic;
  if (name == "bilinear") return Interpolation::kBilinear;
  if (name == "lanczos") return Interpolation::kLanczos;
  if (name == "nearest") return Interpolation::kNearest;
  value.Fail(Status::kUnsupported,
             Concat(value.Describe(), ", supported are bicubic, bilinear, lanczos, nearest"));
  return Interpolation::kBicubic;
}

ResizeMode ReadCropMode(const Json& value) {
  std::string_view name = value.String("center");
  if (name == "center") return ResizeMode::kShortestEdge;
  if (name == "squash") return ResizeMode::kExact;
  if (name == "border") return ResizeMode::kLongestEdge;
  value.Fail(Status::kUnsupported,
             Concat(value.Describe(), ", supported are center, squash, border"));
  return ResizeMode::kShortestEdge;
}

/// Pillow's numbering of its filters.
Interpolation ReadResample(const Json& value, Interpolation fallback) {
  if (!value.present()) return fallback;
  switch (value.Int(-1)) {
    case 0:
      return Interpolation::kNearest;
    case 1:
      return Interpolation::kLanczos;
    case 2:
      return Interpolation::kBilinear;
    case 3:
      return Interpolation::kBicubic;
    default:
      value.Fail(Status::kUnsupported, Concat(value.Describe(),
                                              ", supported are 0 (nearest), 1 (lanczos), "
                                              "2 (bilinear), 3 (bicubic)"));
      return fallback;
  }
}

/// "size" or "crop_size": an integer, {"height", "width"} or {"shortest_edge"}.
struct Size {
  std::array<int, 2> extent;
  bool shortest_edge = false;
};

Size ReadSize(const Json& value, std::array<int, 2> fallback) {
  Size size = {fallback};
  if (!value.is_object()) {
    size.extent = ReadPair(value, fallback);
  } else if (Json edge = value.Get("shortest_edge"); edge.present()) {
    size = {ReadPair(edge, fallback), true};
  } else if (value.Get("height").present() && value.Get("width").present()) {
    size.extent = {value.Get("height").Int(0), value.Get("width").Int(0)};
  } else {
    value.Fail(Status::kUnsupported,
               R"(expected an integer, {"height", "width"} or {"shortest_edge"})");
  }
  for (int extent : size.extent) {
    if (extent >= 1 && extent <= 65536) continue;
    value.Fail(Status::kInvalidConfig, Concat(ShapeText(size.extent), ", expected 1 to 65536"));
    return {fallback};
  }
  return size;
}

void CheckProcessorType(const Json& root) {
  Json type = root.Get("image_processor_type");
  if (!type.present()) type = root.Get("feature_extractor_type");
  std::string_view name = type.String("ViTImageProcessor");
  for (std::string_view family : {"ViT", "DeiT"}) {
    for (std::string_view suffix : {"ImageProcessor", "ImageProcessorFast", "FeatureExtractor"}) {
      if (name == Concat(family, suffix)) return;
    }
  }
  type.Fail(Status::kUnsupported,
            Concat(type.Describe(), ", supported are ViTImageProcessor and DeiTImageProcessor"));
}

/// Which processor's defaults apply: the named one's, else the model's.
bool HasDeitDefaults(const Json& root, bool deit) {
  Json type = root.Get("image_processor_type");
  if (!type.present()) type = root.Get("feature_extractor_type");
  return type.present() ? type.String("").starts_with("DeiT") : deit;
}

/// (pixel * rescale_factor - mean) / std, written for pixels divided by 255.
void ReadNormalisation(const Json& root, PreprocessConfig& preprocess) {
  preprocess.mean = ReadChannels(root.Get("image_mean"), kHalf, false);
  preprocess.std = ReadChannels(root.Get("image_std"), kHalf, true);
  if (!root.Get("do_normalize").Bool(true)) {
    preprocess.mean = {0, 0, 0};
    preprocess.std = {1, 1, 1};
  }
  Json factor = root.Get("rescale_factor");
  double scale = root.Get("do_rescale").Bool(true) ? 255 * factor.Number(1.0 / 255) : 255;
  if (!(scale > 1e-6 && scale < 1e6)) {
    factor.Fail(Status::kInvalidConfig, "expected a factor such as 1/255");
    return;
  }
  if (std::fabs(scale - 1) < 1e-9) return;
  for (float& mean : preprocess.mean) mean = static_cast<float>(mean / scale);
  for (float& std : preprocess.std) std = static_cast<float>(std / scale);
}

}  // namespace

void ReadTimmPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess) {
  Json pretrained = PretrainedConfig(root);
  // timm's PretrainedCfg has other defaults than the models' own, which hold where no part of it is
  // given.
  bool given = false;
  for (std::string_view key :
       {"input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std"}) {
    given = given || pretrained.Get(key).present();
  }
  bool imagenet = given || vit.architecture.starts_with("deit_");
  preprocess.input_size = vit.img_size;
  preprocess.interpolation = ReadTimmInterpolation(pretrained.Get("interpolation"));
  preprocess.resize_mode = ReadCropMode(pretrained.Get("crop_mode"));
  if (vit.in_chans == 3) {
    preprocess.mean = ReadChannels(pretrained.Get("mean"), imagenet ? kImagenetMean : kHalf, false);
    preprocess.std = ReadChannels(pretrained.Get("std"), imagenet ? kImagenetStd : kHalf, true);
  }
  Json crop_pct = pretrained.Get("crop_pct");
  double fraction = crop_pct.Number(given ? 0.875 : 0.9);
  if (!(fraction >= 0.01 && fraction <= 100)) {
    crop_pct.Fail(Status::kInvalidConfig, "expected a fraction such as 0.9");
    return;
  }
  for (int i : {0, 1}) {
    preprocess.resize_size[i] = static_cast<int>(std::floor(vit.img_size[i] / fraction));
    if (preprocess.resize_size[i] < 1) {
      crop_pct.Fail(Status::kInvalidConfig, "resizes pictures to nothing, expected about 0.9");
    }
  }
}

void ReadHfPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess) {
  CheckProcessorType(root);
  bool deit = HasDeitDefaults(root, vit.distilled);
  if (!root.Get("do_resize").Bool(true)) {
    root.Get("do_resize")
        .Fail(Status::kUnsupported,
              "false is not supported: pictures of any size must become the "
              "network's");
  }
  bool crops = root.Get("do_center_crop").Bool(deit);
  // DeiT resizes to 256 for a crop of 224.
  std::array<int, 2> resize_default = vit.img_size;
  if (crops && deit) {
    for (int& extent : resize_default) extent = static_cast<int>(int64_t{extent} * 256 / 224);
  }
  Size resize = ReadSize(root.Get("size"), resize_default);
  Size crop = crops ? ReadSize(root.Get("crop_size"), vit.img_size) : resize;
  preprocess.resize_size = resize.extent;
  preprocess.resize_mode = resize.shortest_edge ? ResizeMode::kShortestEdge : ResizeMode::kExact;
  preprocess.input_size = crop.extent;
  preprocess.interpolation =
      ReadResample(root.Get("resample"), deit ? Interpolation::kBicubic : Interpolation::kBilinear);
  Json decisive = root.Get(crops ? "crop_size" : "size");
  if (resize.shortest_edge && !crops) {
    decisive.Fail(Status::kUnsupported,
                  "shortest_edge without do_center_crop gives pictures of varying shape, expected "
                  R"({"height", "width"})");
  }
  if (crop.extent != vit.img_size) {
    decisive.Fail(Status::kInvalidConfig,
                  Concat(ShapeText(crop.extent), ", expected ", ShapeText(vit.img_size),
                         " (image_size of config.json)"));
  }
  if (vit.in_chans == 3) ReadNormalisation(root, preprocess);
}

}  // namespace vitrine
