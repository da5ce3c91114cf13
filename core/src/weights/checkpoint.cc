#include "weights/checkpoint.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include "base/json.h"
#include "base/order.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Tensors outside the blocks: Hugging Face's name, timm's.
constexpr std::string_view kNames[][2] = {
    {"embeddings.cls_token", "cls_token"},
    {"embeddings.distillation_token", "dist_token"},
    {"embeddings.position_embeddings", "pos_embed"},
    {"embeddings.patch_embeddings.projection.weight", "patch_embed.proj.weight"},
    {"embeddings.patch_embeddings.projection.bias", "patch_embed.proj.bias"},
    {"layernorm.weight", "norm.weight"},
    {"layernorm.bias", "norm.bias"},
    {"classifier.weight", "head.weight"},
    {"classifier.bias", "head.bias"},
    {"cls_classifier.weight", "head.weight"},
    {"cls_classifier.bias", "head.bias"},
    {"distillation_classifier.weight", "head_dist.weight"},
    {"distillation_classifier.bias", "head_dist.bias"},
};

/// Modules of a block: "encoder.layer.N.<first>." is "blocks.N.<second>.".
constexpr struct {
  std::string_view hugging_face, timm;
  int part, num_parts;
} kBlockModules[] = {
    {"attention.attention.query.", "attn.qkv.", 0, 3},
    {"attention.attention.key.", "attn.qkv.", 1, 3},
    {"attention.attention.value.", "attn.qkv.", 2, 3},
    {"attention.output.dense.", "attn.proj.", 0, 1},
    {"layernorm_before.", "norm1.", 0, 1},
    {"layernorm_after.", "norm2.", 0, 1},
    {"intermediate.dense.", "mlp.fc1.", 0, 1},
    {"output.dense.", "mlp.fc2.", 0, 1},
};

/// torch.compile, DataParallel and Lightning put their own name before every tensor's, one around
/// the other; transformers' wrapper of timm models does too.
std::string_view WithoutWrappers(std::string_view name) {
  while (Consume(name, "_orig_mod.") || Consume(name, "module.") || Consume(name, "model.") ||
         Consume(name, "timm_model.")) {
  }
  return name;
}

/// Not part of inference: a head the config has not, the pooler of ViTModel, the token of masked
/// pre-training, constant buffers.
bool IsIgnorable(std::string_view timm_name, const VitConfig& config) {
  if (timm_name.starts_with("pooler.") || timm_name == "mask_token" ||
      timm_name == "embeddings.mask_token" || timm_name == "embeddings.position_ids" ||
      timm_name.ends_with(".num_batches_tracked")) {
    return true;
  }
  // With two heads timm leaves representation_size, and so pre_logits, aside.
  if (timm_name.starts_with("pre_logits.")) return config.num_classes == 0 || config.distilled;
  return config.num_classes == 0 &&
         (timm_name.starts_with("head.") || timm_name.starts_with("head_dist."));
}

std::unexpected<Error> UnknownTensor(const TensorInfo& tensor, std::string_view timm_name,
                                     const VitConfig& config) {
  std::string name = Excerpt(tensor.name);
  constexpr struct {
    std::string_view mark, what;
  } kUnsupportedParts[] = {{".ls1.", "layer scale (init_values)"},
                           {".ls2.", "layer scale (init_values)"},
                           {".gamma_", "layer scale (init_values)"},
                           {"reg_token", "register tokens (reg_tokens)"},
                           {"q_norm.", "qk_norm"},
                           {"k_norm.", "qk_norm"},
                           {"norm_pre.", "pre_norm"},
                           {"attn_pool.", "attention pooling"},
                           {"relative_position", "relative positions"}};
  for (const auto& part : kUnsupportedParts) {
    if (timm_name.find(part.mark) != std::string_view::npos) {
      return Fail(Status::kUnsupported, Concat(name, ": ", part.what, " is not supported"));
    }
  }
  std::string_view advice = "is config.json from another model?";
  if (timm_name.starts_with("pre_logits.")) {
    advice = "set model_args.representation_size in config.json";
  } else if (timm_name.starts_with("fc_norm.") || timm_name.starts_with("norm.")) {
    advice = "check global_pool and model_args.fc_norm in config.json";
  } else if (timm_name.starts_with("dist_token") || timm_name.starts_with("head_dist.")) {
    advice = "is the architecture in config.json a distilled one?";
  } else if (timm_name.ends_with("qkv.bias")) {
    advice = "check qkv_bias in config.json";
  }
  return Fail(
      Status::kInvalidCheckpoint,
      Concat(name, ": not a tensor of ",
             config.architecture.empty() ? "this network" : config.architecture, " with depth ",
             config.depth, " and ", config.num_classes, " classes; ", advice));
}

bool ReadDType(std::string_view name, DType& dtype) {
  if (name == "F32")
    dtype = DType::kF32;
  else if (name == "F16")
    dtype = DType::kF16;
  else if (name == "BF16")
    dtype = DType::kBF16;
  else
    return false;
  return true;
}

/// plan.parameters by name.
class ParameterIndex {
 public:
  explicit ParameterIndex(const Plan& plan)
      : plan_(plan),
        order_(
            SortedOrder(plan.parameters.size(), [&](int a, int b) { return Name(a) < Name(b); })) {}

  /// -1 when there is none of that name.
  int Find(std::string_view name) const {
    auto found =
        std::lower_bound(order_.begin(), order_.end(), name,
                         [&](int index, std::string_view key) { return Name(index) < key; });
    return found != order_.end() && Name(*found) == name ? *found : -1;
  }

 private:
  std::string_view Name(int index) const { return plan_.parameters[index].name; }

  const Plan& plan_;
  std::vector<int> order_;
};

Result<TensorTarget> MapTensor(const TensorInfo& tensor, const ParameterIndex& index,
                               const Plan& plan) {
  TimmName timm = ToTimmName(tensor.name);
  TensorTarget target;
  target.parameter = index.Find(timm.name);
  if (target.parameter < 0) {
    if (IsIgnorable(timm.name, plan.config)) return target;
    return UnknownTensor(tensor, timm.name, plan.config);
  }
  const Parameter& parameter = plan.parameters[target.parameter];
  std::vector<int64_t> shape = parameter.shape;
  shape[0] /= timm.num_parts;
  if (tensor.shape != shape) {
    std::string advice = "is config.json from another model?";
    if (timm.name == "pos_embed")
      advice = "is it for another img_size? (they are not interpolated)";
    if (timm.name.starts_with("head") && !plan.config.num_classes_stated)
      advice = "config.json has no id2label, so 2 classes; add id2label, a name for every class";
    return Fail(
        Status::kInvalidCheckpoint,
        Expected(Excerpt(tensor.name), Concat("shape ", Excerpt(ShapeText(tensor.shape))),
                 Concat(ShapeText(shape), " for embed_dim ", plan.config.embed_dim), advice));
  }
  if (!ReadDType(tensor.dtype, target.dtype)) {
    return Fail(Status::kUnsupported, Concat(Excerpt(tensor.name), ": dtype ", tensor.dtype,
                                             ", supported are F32, F16 and BF16"));
  }
  target.count = static_cast<size_t>(parameter.num_elements()) / timm.num_parts;
  target.offset = target.count * timm.part;
  return target;
}

/// Every element of every parameter must come from exactly one tensor.
Result<void> CheckCoverage(const std::vector<TensorInfo>& tensors,
                           const std::vector<TensorTarget>& targets, const Plan& plan) {
  std::vector<int> order = SortedOrder(targets.size(), [&](int a, int b) {
    return targets[a].parameter != targets[b].parameter
               ? targets[a].parameter < targets[b].parameter
               : targets[a].offset < targets[b].offset;
  });
  std::vector<size_t> covered(plan.parameters.size());
  for (size_t i = 0; i < order.size(); ++i) {
    const TensorTarget& target = targets[order[i]];
    if (target.parameter < 0) continue;
    if (i > 0 && targets[order[i - 1]].parameter == target.parameter &&
        target.offset < targets[order[i - 1]].offset + targets[order[i - 1]].count) {
      return Fail(
          Status::kInvalidCheckpoint,
          Concat(Excerpt(tensors[order[i]].name), " and ", Excerpt(tensors[order[i - 1]].name),
                 ": both are ", plan.parameters[target.parameter].name, ", expected one of them"));
    }
    covered[target.parameter] += target.count;
  }
  constexpr int kNamed = 4;
  int num_missing = 0;
  std::string names;
  for (size_t i = 0; i < covered.size(); ++i) {
    if (covered[i] == static_cast<size_t>(plan.parameters[i].num_elements())) continue;
    if (++num_missing <= kNamed)
      names += Concat(names.empty() ? "" : ", ", plan.parameters[i].name);
  }
  if (num_missing == 0) return {};
  return Fail(Status::kInvalidCheckpoint,
              Concat("model.safetensors: ", num_missing, " of ", covered.size(),
                     " tensors missing: ", names, num_missing > kNamed ? ", ..." : "",
                     "; is config.json from another model?"));
}

/// IEEE 754 half precision. The exponent is rebased by a multiplication, which is exact and turns
/// half's subnormals into float's normals.
float FromF16(uint16_t half) {
  uint32_t magnitude = static_cast<uint32_t>(half & 0x7FFF) << 13;
  float value = std::bit_cast<float>(magnitude) * 0x1p112f;
  uint32_t bits = std::bit_cast<uint32_t>(value);
  if ((half & 0x7C00) == 0x7C00) bits |= 0x7F800000;  // infinity, NaN
  return std::bit_cast<float>(bits | static_cast<uint32_t>(half & 0x8000) << 16);
}

float FromBF16(uint16_t brain) { return std::bit_cast<float>(static_cast<uint32_t>(brain) << 16); }

}  // namespace

TimmName ToTimmName(std::string_view name) {
  name = WithoutWrappers(name);
  if (!Consume(name, "vit.")) Consume(name, "deit.");
  for (const auto& [hugging_face, timm] : kNames) {
    if (name == hugging_face) return {std::string(timm)};
  }
  std::string_view rest = name;
  if (Consume(rest, "encoder.layer.")) {
    std::string_view block = rest.substr(0, rest.find('.'));
    rest.remove_prefix(std::min(rest.size(), block.size() + 1));
    for (const auto& module : kBlockModules) {
      if (!Consume(rest, module.hugging_face)) continue;
      return {Concat("blocks.", block, ".", module.timm, rest), module.part, module.num_parts};
    }
  }
  return {std::string(name)};
}

Result<std::vector<TensorTarget>> MapTensors(const std::vector<TensorInfo>& tensors,
                                             const Plan& plan) {
  ParameterIndex index(plan);
  std::vector<TensorTarget> targets;
  targets.reserve(tensors.size());
  for (const TensorInfo& tensor : tensors) {
    auto target = MapTensor(tensor, index, plan);
    if (!target) return Forward(target);
    targets.push_back(*target);
  }
  if (auto covered = CheckCoverage(tensors, targets, plan); !covered) {
    return Forward(covered);
  }
  return targets;
}

// Front to back: the block of floats written at [i, i + n) ends at byte 4 (i + n), and the halves
// not read yet begin at byte 2 count + 2 (i + n), which is never before it.
void WidenInPlace(DType dtype, std::span<float> values) {
  constexpr size_t kBlock = 256;
  uint16_t halves[kBlock];
  float floats[kBlock];
  auto* bytes = reinterpret_cast<uint8_t*>(values.data());
  for (size_t i = 0; i < values.size(); i += kBlock) {
    size_t n = std::min(kBlock, values.size() - i);
    std::memcpy(halves, bytes + 2 * values.size() + 2 * i, 2 * n);
    if (dtype == DType::kF16) {
      for (size_t k = 0; k < n; ++k) floats[k] = FromF16(halves[k]);
    } else {
      for (size_t k = 0; k < n; ++k) floats[k] = FromBF16(halves[k]);
    }
    std::memcpy(bytes + 4 * i, floats, 4 * n);
  }
}

}  // namespace vitrine
