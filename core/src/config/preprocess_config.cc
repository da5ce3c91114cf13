// How pictures are prepared. Rules and defaults: timm/data/config.py and transforms_factory.py;
// transformers' image processors of ViT, DeiT, CLIP, SigLIP, BiT, BEiT and ConvNext.

#include <cmath>
#include <utility>

#include "config/internal.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

using ResizeMode = PreprocessConfig::ResizeMode;
using CropRule = PreprocessConfig::CropRule;

constexpr std::array<float, 3> kImagenetMean = {0.485f, 0.456f, 0.406f};
constexpr std::array<float, 3> kImagenetStd = {0.229f, 0.224f, 0.225f};
constexpr std::array<float, 3> kClipMean = {0.48145466f, 0.4578275f, 0.40821073f};
constexpr std::array<float, 3> kClipStd = {0.26862954f, 0.26130258f, 0.27577711f};
constexpr std::array<float, 3> kHalf = {0.5f, 0.5f, 0.5f};

std::pair<std::array<float, 3>, std::array<float, 3>> MeanAndStd(Statistics statistics) {
  switch (statistics) {
    case Statistics::kHalf:
      return {kHalf, kHalf};
    case Statistics::kImagenet:
      return {kImagenetMean, kImagenetStd};
    case Statistics::kClip:
      return {kClipMean, kClipStd};
    case Statistics::kNone:
      return {{0, 0, 0}, {1, 1, 1}};
  }
  return {kHalf, kHalf};
}

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

Interpolation ReadTimmInterpolation(const Json& value, Interpolation fallback) {
  if (!value.present()) return fallback;
  std::string_view name = value.String("bicubic");
  if (name == "bicubic") return Interpolation::kBicubic;
  if (name == "bilinear") return Interpolation::kBilinear;
  if (name == "lanczos") return Interpolation::kLanczos;
  if (name == "nearest") return Interpolation::kNearest;
  value.Fail(Status::kUnsupported,
             Concat(value.Describe(), ", supported are bicubic, bilinear, lanczos, nearest"));
  return Interpolation::kBicubic;
}

ResizeMode ReadCropMode(const Json& value, ResizeMode fallback) {
  if (!value.present()) return fallback;
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

/// What transformers' image processors do where a key is absent, and what "size": 224 means.
struct Processor {
  std::string_view family;
  Interpolation interpolation;
  bool shortest_edge;    // a size of one number is the shorter edge's, the ratio is kept
  bool do_center_crop;   // the default; ViT, SigLIP and ConvNext have no such key
  bool larger_resize;    // 256 for a crop of 224
  bool clip_statistics;  // mean and std of OpenAI's CLIP, else 0.5
};

constexpr Processor kProcessors[] = {
    {"ViT", Interpolation::kBilinear, false, false, false, false},
    {"DeiT", Interpolation::kBicubic, false, true, true, false},
    {"CLIP", Interpolation::kBicubic, true, true, false, true},
    {"Siglip", Interpolation::kBicubic, false, false, false, false},
    {"Bit", Interpolation::kBicubic, true, true, false, true},
    {"Beit", Interpolation::kBicubic, false, true, true, false},
    {"ConvNext", Interpolation::kBilinear, true, false, false, false},
};

/// The named processor, else the model's own.
const Processor& FindProcessor(const Json& root, bool deit, bool& fast) {
  const Processor& own = kProcessors[deit ? 1 : 0];
  Json type = root.Get("image_processor_type");
  if (!type.present()) type = root.Get("feature_extractor_type");
  fast = false;
  if (!type.present()) return own;
  std::string_view name = type.String("");
  std::string known;
  for (const Processor& each : kProcessors) {
    for (std::string_view suffix : {"ImageProcessor", "FeatureExtractor"}) {
      if (name == Concat(each.family, suffix)) return each;
    }
    fast = name == Concat(each.family, "ImageProcessorFast");
    if (fast) return each;
    known += Concat(known.empty() ? "" : ", ", each.family, "ImageProcessor");
  }
  type.Fail(Status::kUnsupported, Concat(type.Describe(), ", supported are ", known));
  return own;
}

/// (pixel * rescale_factor - mean) / std.
void ReadNormalisation(const Json& root, const Processor& processor, PreprocessConfig& preprocess) {
  bool clip = processor.clip_statistics;
  preprocess.mean = ReadChannels(root.Get("image_mean"), clip ? kClipMean : kHalf, false);
  preprocess.std = ReadChannels(root.Get("image_std"), clip ? kClipStd : kHalf, true);
  if (!root.Get("do_normalize").Bool(true)) {
    preprocess.mean = {0, 0, 0};
    preprocess.std = {1, 1, 1};
  }
  Json factor = root.Get("rescale_factor");
  double scale = factor.Number(1.0 / 255);
  if (!(scale > 1e-8 && scale < 1e4)) {
    factor.Fail(Status::kInvalidConfig, "expected a factor such as 1/255");
    return;
  }
  preprocess.rescale_factor = root.Get("do_rescale").Bool(true) ? scale : 1;
}

/// ConvNext's own rule: below 384 the shorter edge becomes int(size / crop_pct), then the centre is
/// cropped; from 384 on pictures are squashed.
void ReadConvNextSize(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess) {
  Json stated = root.Get("size");
  Size size = ReadSize(stated, vit.img_size);
  preprocess.input_size = preprocess.resize_size = size.extent;
  preprocess.resize_mode = ResizeMode::kExact;
  if (size.extent[0] != size.extent[1]) {
    stated.Fail(Status::kUnsupported,
                Concat(ShapeText(size.extent), R"(, expected {"shortest_edge"} for ConvNext)"));
    return;
  }
  if (size.extent[0] >= 384) return;
  Json crop_pct = root.Get("crop_pct");
  double fraction = crop_pct.Number(224.0 / 256);
  if (!(fraction >= 0.01 && fraction <= 1)) {
    crop_pct.Fail(Status::kInvalidConfig, "expected a fraction such as 0.875");
    return;
  }
  int edge = static_cast<int>(size.extent[0] / fraction);
  preprocess.resize_size = {edge, edge};
  preprocess.resize_mode = ResizeMode::kShortestEdge;
}

/// "size" and "crop_size" of the other processors.
void ReadSizes(const Json& root, const VitConfig& vit, const Processor& processor,
               PreprocessConfig& preprocess) {
  bool crops = root.Get("do_center_crop").Bool(processor.do_center_crop);
  std::array<int, 2> resize_default = vit.img_size;
  if (crops && processor.larger_resize) {
    for (int& extent : resize_default) extent = static_cast<int>(int64_t{extent} * 256 / 224);
  }
  Json stated = root.Get("size");
  Size resize = ReadSize(stated, resize_default);
  if (!stated.is_object()) resize.shortest_edge = processor.shortest_edge;
  Size crop = crops ? ReadSize(root.Get("crop_size"), vit.img_size) : resize;
  // Then the size is not used.
  if (!preprocess.do_resize && !crops) crop = {vit.img_size};
  preprocess.do_center_crop = crops;
  preprocess.resize_size = resize.extent;
  preprocess.resize_mode = resize.shortest_edge ? ResizeMode::kShortestEdge : ResizeMode::kExact;
  preprocess.input_size = crop.extent;
  if (resize.shortest_edge && !crops && preprocess.do_resize) {
    stated.Fail(Status::kUnsupported,
                "shortest_edge without do_center_crop gives pictures of varying shape, expected "
                R"({"height", "width"})");
  }
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
  const TimmArchitecture own = FindTimmArchitecture(vit.architecture).value_or(TimmArchitecture{});
  preprocess.input_size = vit.img_size;
  preprocess.interpolation = ReadTimmInterpolation(
      pretrained.Get("interpolation"), given ? Interpolation::kBicubic : own.interpolation);
  preprocess.resize_mode =
      ReadCropMode(pretrained.Get("crop_mode"),
                   !given && own.squash ? ResizeMode::kExact : ResizeMode::kShortestEdge);
  if (vit.in_chans == 3) {
    auto [mean, std] = MeanAndStd(given ? Statistics::kImagenet : own.statistics);
    preprocess.mean = ReadChannels(pretrained.Get("mean"), mean, false);
    preprocess.std = ReadChannels(pretrained.Get("std"), std, true);
  }
  Json crop_pct = pretrained.Get("crop_pct");
  double fraction = crop_pct.Number(given ? 0.875 : own.crop_pct);
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
  bool fast = false;
  const Processor& processor = FindProcessor(root, vit.distilled, fast);
  preprocess.do_resize = root.Get("do_resize").Bool(true);
  preprocess.interpolation = ReadResample(root.Get("resample"), processor.interpolation);
  preprocess.crop_rule = fast ? CropRule::kTorchvision : CropRule::kTransformers;
  if (fast) {
    preprocess.note = Concat(processor.family,
                             "ImageProcessorFast resizes with PyTorch, whose rounding differs; "
                             "pictures are resized as Pillow does");
  }
  if (processor.family == "ConvNext" && preprocess.do_resize) {
    ReadConvNextSize(root, vit, preprocess);
  } else {
    ReadSizes(root, vit, processor, preprocess);
  }
  if (preprocess.input_size != vit.img_size) {
    root.Get(preprocess.do_center_crop && root.Get("crop_size").present() ? "crop_size" : "size")
        .Fail(Status::kInvalidConfig,
              Concat(ShapeText(preprocess.input_size), ", expected ", ShapeText(vit.img_size),
                     " (image_size of config.json)"));
  }
  if (vit.in_chans == 3) ReadNormalisation(root, processor, preprocess);
}

}  // namespace vitrine
