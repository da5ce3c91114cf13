// What a model folder's JSON files say: the network's shape and how pictures are prepared for it.
#ifndef VITRINE_CONFIG_H_
#define VITRINE_CONFIG_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/error.h"

namespace vitrine {

/// timm names: 'token' classifies the class token, 'avg' the mean of the patch tokens.
enum class GlobalPool { kToken, kAvg };

/// "token", "avg".
std::string_view GlobalPoolName(GlobalPool global_pool);

/// `act_layer`: the MLP's activation. kGelu is exact (erf), kGeluTanh the tanh approximation,
/// kQuickGelu x * sigmoid(1.702 x); kTanh is what pre_logits uses.
enum class Activation { kNone, kGelu, kGeluTanh, kQuickGelu, kRelu, kSilu, kTanh };

/// timm's name: "gelu", "gelu_tanh", "quick_gelu", "relu", "silu", "tanh"; "" for kNone.
std::string_view ActivationName(Activation activation);

/// The arguments of timm's classic `VisionTransformer`, by the same names and with the same
/// defaults. drop_ratio, attn_drop_ratio and drop_path_ratio are identities in inference: accepted,
/// not kept.
struct VitConfig {
  std::string architecture;                  // as written in config.json; for people only
  std::array<int, 2> img_size = {224, 224};  // [height, width], pixels
  std::array<int, 2> patch_size = {16, 16};  // [height, width], pixels
  int in_chans = 3;
  int num_classes = 1000;          // 0: no head, the network returns features
  bool num_classes_stated = true;  // false: transformers' 2, config.json having no id2label
  int embed_dim = 768;
  int depth = 12;
  int num_heads = 12;
  int mlp_hidden_dim = 3072;  // int(embed_dim * mlp_ratio)
  bool qkv_bias = true;
  std::optional<float> qk_scale;  // head_dim ** -0.5 when absent
  int representation_size = 0;    // 0: no pre_logits; ignored (as in timm) when distilled
  bool distilled = false;         // a dist_token beside the class token
  bool head_dist =
      true;  // distilled: head_dist reads the dist_token and the two heads are averaged;
             // false: one head on the class token (Hugging Face DeiT without teacher)
  bool class_token = true;
  GlobalPool global_pool = GlobalPool::kToken;
  bool fc_norm =
      false;  // norm after pooling instead of before it; timm: true when pooling is 'avg'
  Activation act_layer = Activation::kGelu;
  float layer_norm_eps = 1e-6f;

  // Derived.
  int head_dim() const { return embed_dim / num_heads; }
  std::array<int, 2> grid_size() const {
    return {img_size[0] / patch_size[0], img_size[1] / patch_size[1]};
  }
  int num_patches() const { return grid_size()[0] * grid_size()[1]; }
  int num_prefix_tokens() const { return (class_token ? 1 : 0) + (distilled ? 1 : 0); }
  int num_tokens() const { return num_patches() + num_prefix_tokens(); }
  int patch_dim() const { return in_chans * patch_size[0] * patch_size[1]; }
};

/// Pillow's resampling filters, by Pillow's names.
enum class Interpolation { kNearest, kBilinear, kBicubic, kLanczos };

/// "nearest", "bilinear", "bicubic", "lanczos".
std::string_view InterpolationName(Interpolation interpolation);

/// How an RGB picture becomes the network's input: resize, crop, scale, normalise.
struct PreprocessConfig {
  /// kShortestEdge: keep the ratio, the shorter edge becomes resize_size (timm 'center' crop).
  /// kExact: squash to resize_size (timm crop_mode 'squash', Hugging Face ViT).
  /// kLongestEdge: keep the ratio, fit inside resize_size, pad to the crop (timm 'border').
  enum class ResizeMode { kShortestEdge, kExact, kLongestEdge };

  /// Where a centre crop begins in a size of odd difference. kTorchvision: round((size - crop) /
  /// 2), halves to even, padding (crop - size) / 2 before it; kTransformers: (size - crop) / 2
  /// rounded down, padding rounded up (transformers/image_transforms.py, center_crop).
  enum class CropRule { kTorchvision, kTransformers };

  std::array<int, 2> input_size = {224, 224};   // [height, width] after the centre crop
  std::array<int, 2> resize_size = {248, 248};  // [height, width]: floor(input_size / crop_pct)
  ResizeMode resize_mode = ResizeMode::kShortestEdge;
  Interpolation interpolation = Interpolation::kBicubic;
  bool do_resize = true;       // false: pictures keep their size
  bool do_center_crop = true;  // false: without do_resize they must have input_size already
  CropRule crop_rule = CropRule::kTorchvision;
  double rescale_factor = 1.0 / 255;  // float32(pixel * rescale_factor); 1 where do_rescale is off
  std::array<float, 3> mean = {0.5f, 0.5f, 0.5f};  // of rescaled pixels
  std::array<float, 3> std = {0.5f, 0.5f, 0.5f};
  std::string note;  // where the pixels cannot be the library's to the last bit: why; else empty
};

/// "shortest_edge", "exact", "longest_edge".
std::string_view ResizeModeName(PreprocessConfig::ResizeMode mode);

/// The JSON files of a model folder as text; empty where the folder has none.
struct ModelFiles {
  std::string_view config;               // config.json (timm or Hugging Face transformers)
  std::string_view preprocessor_config;  // preprocessor_config.json (Hugging Face), optional
  std::string_view labels;  // labels.json, optional: ["tench", ...] or {"0": "tench", ...}
};

/// How logits become scores. kSoftmax: one class of several, scores sum to 1; kSigmoid: every class
/// alone (several labels at once, or a head of one class).
enum class Scores { kSoftmax, kSigmoid };

/// "softmax", "sigmoid".
std::string_view ScoresName(Scores scores);

/// Everything the JSON files say about a model.
struct ModelConfig {
  VitConfig vit;
  PreprocessConfig preprocess;
  Scores scores = Scores::kSoftmax;
  std::vector<std::string> labels;  // num_classes names, or empty when there are none to show
};

/// Reads a timm or Hugging Face (ViTForImageClassification,
/// DeiTForImageClassification[WithTeacher]) folder's JSON. Errors: kInvalidConfig (not JSON, wrong
/// types, contradicting values) and kUnsupported (an architecture or argument this build has no
/// code for, named in the message).
[[nodiscard]] Result<ModelConfig> ReadModelConfig(const ModelFiles& files);

/// Checks that the values describe a network that can be built and stay within sane bounds (no
/// product of dimensions overflows; at most 4 GiB of parameters). Errors: kInvalidConfig,
/// kTooLarge.
[[nodiscard]] Result<void> Validate(const VitConfig& config);

}  // namespace vitrine

#endif  // VITRINE_CONFIG_H_
