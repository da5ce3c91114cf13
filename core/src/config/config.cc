#include "vitrine/config.h"

#include <algorithm>
#include <cmath>

#include "config/internal.h"
#include "config/labels.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

constexpr size_t kMaxJsonBytes = 16 << 20;

bool IsHuggingFace(const Json& root) {
  // timm models wrapped by transformers have an "architecture" beside its keys.
  return !root.Get("architecture").present() &&
         (root.Get("architectures").present() || root.Get("model_type").present());
}

/// Names from the config itself, where the folder has no labels.json.
std::vector<std::string> ReadConfigLabels(const Json& root) {
  if (Json names = root.Get("id2label"); names.present()) return ReadLabels(names);
  Json pretrained = root.Get("pretrained_cfg");
  bool in_root = root.Get("label_names").present() || root.Get("label_descriptions").present();
  const Json& holder = in_root ? root : pretrained;
  return ReadTimmLabels(holder.Get("label_names"), holder.Get("label_descriptions"));
}

Result<void> CheckLabelCount(std::string_view source, const std::vector<std::string>& labels,
                             int num_classes) {
  if (labels.empty() || labels.size() == static_cast<size_t>(num_classes)) return {};
  return Fail(Status::kInvalidConfig,
              Concat(source, ": ", labels.size(), " labels, expected ", num_classes,
                     " (num_classes of config.json); are they another model's?"));
}

Result<void> ReadLabelsOfFolder(const ModelFiles& files, const Json& root, ModelConfig& config) {
  int num_classes = config.vit.num_classes;
  if (num_classes == 0) return {};
  if (!files.labels.empty()) {
    JsonDocument document(files.labels, "labels.json", Status::kInvalidConfig, kMaxJsonBytes);
    config.labels = ReadLabels(document.root());
    if (!document.ok()) return document.result();
    return CheckLabelCount("labels.json", config.labels, num_classes);
  }
  config.labels = ReadConfigLabels(root);
  if (auto checked = CheckLabelCount("config.json", config.labels, num_classes); !checked) {
    return checked;
  }
  if (config.labels.empty() && num_classes == 1000) config.labels = ImagenetLabels();
  return {};
}

}  // namespace

Result<ModelConfig> ReadModelConfig(const ModelFiles& files) {
  if (files.config.empty()) {
    return Fail(Status::kInvalidConfig,
                "config.json: empty or missing, expected the config.json of a timm or Hugging Face "
                "model folder");
  }
  JsonDocument document(files.config, "config.json", Status::kInvalidConfig, kMaxJsonBytes);
  if (!document.ok()) return Forward(document.result());
  Json root = document.root();
  root.CheckUniqueKeys();

  ModelConfig config;
  bool hugging_face = IsHuggingFace(root);
  if (hugging_face) {
    ReadHfConfig(root, config.vit);
  } else {
    ReadTimmConfig(root, config.vit);
  }
  if (!document.ok()) return Forward(document.result());
  // Before the preprocessing and the labels, whose sizes derive from these values.
  if (auto valid = Validate(config.vit); !valid) return Forward(valid);

  if (hugging_face) {
    std::string_view text = files.preprocessor_config.empty() ? "{}" : files.preprocessor_config;
    JsonDocument processor(text, "preprocessor_config.json", Status::kInvalidConfig, kMaxJsonBytes);
    processor.root().CheckUniqueKeys();
    ReadHfPreprocess(processor.root(), config.vit, config.preprocess);
    config.scores = ReadHfScores(root, config.vit.num_classes);
    if (!processor.ok()) return Forward(processor.result());
  } else {
    ReadTimmPreprocess(root, config.vit, config.preprocess);
    if (config.vit.num_classes == 1) config.scores = Scores::kSigmoid;
  }
  auto labelled = ReadLabelsOfFolder(files, root, config);
  if (!document.ok()) return Forward(document.result());
  if (!labelled) return Forward(labelled);
  return config;
}

std::array<int, 2> ReadPair(const Json& value, std::array<int, 2> fallback) {
  if (!value.present()) return fallback;
  if (!value.is_array()) {
    if (!value.is_number()) {
      value.FailExpected("an integer or [height, width]");
      return fallback;
    }
    int extent = value.Int(0);
    return {extent, extent};
  }
  std::vector<Json> items = value.Items();
  if (items.size() != 2) {
    value.Fail(Status::kInvalidConfig,
               Concat(items.size(), " values, expected an integer or [height, width]"));
    return fallback;
  }
  return {items[0].Int(0), items[1].Int(0)};
}

Activation ReadActivation(const Json& value) {
  std::string_view name = value.String("gelu");
  if (name.starts_with("nn.")) name.remove_prefix(3);
  std::string lower;
  for (char c : name) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (lower == "gelu" || lower == "gelu_python") return Activation::kGelu;
  if (lower == "gelu_tanh" || lower == "gelu_new" || lower == "gelu_pytorch_tanh" ||
      lower == "gelu_fast") {
    return Activation::kGeluTanh;
  }
  if (lower == "quick_gelu" || lower == "quickgelu") return Activation::kQuickGelu;
  if (lower == "relu") return Activation::kRelu;
  if (lower == "silu" || lower == "swish") return Activation::kSilu;
  value.Fail(Status::kUnsupported,
             Concat(value.Describe(), ", supported are gelu, gelu_tanh, quick_gelu, relu, silu"));
  return Activation::kGelu;
}

namespace {

Result<void> CheckRange(std::string_view name, int64_t value, int64_t low, int64_t high) {
  if (value >= low && value <= high) return {};
  return Fail(Status::kInvalidConfig, Expected(name, value, Concat(low, " to ", high)));
}

/// Every extent alone, so that the products below cannot overflow 64 bits.
Result<void> CheckExtents(const VitConfig& c) {
  constexpr int kMaxExtent = 65536;
  const struct {
    std::string_view name;
    int value, low, high;
  } kExtents[] = {
      {"img_size[0]", c.img_size[0], 1, kMaxExtent},
      {"img_size[1]", c.img_size[1], 1, kMaxExtent},
      {"patch_size[0]", c.patch_size[0], 1, kMaxExtent},
      {"patch_size[1]", c.patch_size[1], 1, kMaxExtent},
      {"in_chans", c.in_chans, 1, kMaxExtent},
      {"num_classes", c.num_classes, 0, kMaxExtent},
      {"embed_dim", c.embed_dim, 1, kMaxExtent},
      {"depth", c.depth, 1, 256},
      {"num_heads", c.num_heads, 1, kMaxExtent},
      {"mlp_ratio * embed_dim", c.mlp_hidden_dim, 1, kMaxExtent},
      {"representation_size", c.representation_size, 0, kMaxExtent},
  };
  for (const auto& extent : kExtents) {
    auto checked = CheckRange(extent.name, extent.value, extent.low, extent.high);
    if (!checked) return checked;
  }
  return {};
}

Result<void> CheckDivisibility(const VitConfig& c) {
  if (c.embed_dim % c.num_heads != 0) {
    return Fail(Status::kInvalidConfig, Expected("embed_dim", c.embed_dim,
                                                 Concat("a multiple of num_heads ", c.num_heads)));
  }
  // Pixels beyond the last whole patch are left out, as the convolution in PyTorch does.
  for (int i : {0, 1}) {
    if (c.img_size[i] >= c.patch_size[i]) continue;
    return Fail(Status::kInvalidConfig,
                Expected("img_size", ShapeText(c.img_size),
                         Concat("at least one patch of ", ShapeText(c.patch_size))));
  }
  return {};
}

Result<void> CheckHeads(const VitConfig& c) {
  if (!c.class_token && c.global_pool == GlobalPool::kToken) {
    return Fail(
        Status::kInvalidConfig,
        "global_pool: \"token\" with class_token false, expected \"avg\": there is no class "
        "token to classify");
  }
  if (c.distilled && !c.class_token) {
    return Fail(Status::kInvalidConfig, "class_token: false, expected true for a distilled model");
  }
  if (c.distilled && c.global_pool != GlobalPool::kToken) {
    return Fail(Status::kInvalidConfig,
                "global_pool: \"avg\", expected \"token\" for a distilled model");
  }
  return {};
}

Result<void> CheckNumbers(const VitConfig& c) {
  if (c.qk_scale.has_value() && !std::isfinite(*c.qk_scale)) {
    return Fail(Status::kInvalidConfig, "qk_scale: not finite, expected a number such as 0.125");
  }
  if (!(c.layer_norm_eps >= 0 && c.layer_norm_eps <= 1)) {
    return Fail(Status::kInvalidConfig, "layer_norm_eps: expected 0 to 1");
  }
  return {};
}

Result<void> CheckSizes(const VitConfig& c) {
  // Extents are at most 2^16, so products of three stay below 2^48.
  constexpr int64_t kMaxElements = int64_t{1} << 30;
  constexpr int64_t kMaxActivations = int64_t{1} << 28;
  int64_t dim = c.embed_dim;
  int64_t grid = int64_t{c.grid_size()[0]} * c.grid_size()[1];
  int64_t patch = int64_t{c.patch_size[0]} * c.patch_size[1] * c.in_chans;
  int64_t tokens = grid + c.num_prefix_tokens();
  if (patch > kMaxActivations || tokens > 65536) {
    return Fail(Status::kTooLarge, Concat("img_size: ", ShapeText(c.img_size), " in patches of ",
                                          ShapeText(c.patch_size), " gives ", tokens, " tokens of ",
                                          patch, " values, expected at most 65536 tokens"));
  }
  int64_t block = dim * (3 * dim + dim + 2 * int64_t{c.mlp_hidden_dim} + 16);
  int64_t parameters = patch * dim + tokens * dim + c.depth * block + dim * c.representation_size +
                       2 * int64_t{c.num_classes} * std::max(c.embed_dim, c.representation_size);
  if (parameters > kMaxElements) {
    return Fail(Status::kTooLarge,
                Concat("the network has about ", parameters >> 20,
                       " Mi parameters, expected at most 1024 Mi; check embed_dim ", c.embed_dim,
                       " and depth ", c.depth));
  }
  int64_t widest = std::max({3 * dim, int64_t{c.mlp_hidden_dim}, patch});
  if (tokens * widest > kMaxActivations || tokens * tokens > kMaxActivations) {
    return Fail(Status::kTooLarge,
                Concat("img_size: ", ShapeText(c.img_size), " gives ", tokens,
                       " tokens, whose activations would take over 1 GiB; use a smaller img_size"));
  }
  return {};
}

}  // namespace

Result<void> Validate(const VitConfig& config) {
  for (auto check : {CheckExtents, CheckDivisibility, CheckHeads, CheckNumbers, CheckSizes}) {
    if (auto checked = check(config); !checked) return checked;
  }
  return {};
}

}  // namespace vitrine
