// timm's architecture names that this build has code for, as patterns. Arguments and data configs:
// timm 1.0's vision_transformer.py, deit.py, eva.py.

#include <algorithm>
#include <charconv>

#include "config/internal.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

struct Size {
  std::string_view name;
  int embed_dim, depth, num_heads;
  double mlp_ratio;
};

// A name that begins with another one comes first.
constexpr Size kSizes[] = {
    {"tiny", 192, 12, 3, 4},
    {"small", 384, 12, 6, 4},
    {"base", 768, 12, 12, 4},
    {"large", 1024, 24, 16, 4},
    {"huge", 1280, 32, 16, 4},
    {"giantopt", 1536, 40, 16, 4},
    {"giant", 1408, 40, 16, 48.0 / 11},
    {"gigantic", 1664, 48, 16, 64.0 / 13},
    {"so400m", 1152, 27, 16, 3.7362},
};

bool Consume(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool ConsumeInt(std::string_view& text, int& number) {
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(end - text.data());
  return true;
}

bool ConsumeSize(std::string_view& name, TimmArchitecture& found) {
  auto size = std::find_if(std::begin(kSizes), std::end(kSizes),
                           [&](const Size& known) { return Consume(name, known.name); });
  if (size == std::end(kSizes)) return false;
  found.vit.embed_dim = size->embed_dim;
  found.vit.depth = size->depth;
  found.vit.num_heads = size->num_heads;
  found.mlp_ratio = size->mlp_ratio;
  return true;
}

/// "_patch16_224" and what stands between the two, which it gives back.
bool ConsumeShape(std::string_view& name, VitConfig& vit, std::string_view& between) {
  int patch_size = 0, img_size = 0;
  if (!Consume(name, "_patch") || !ConsumeInt(name, patch_size)) return false;
  for (std::string_view known : {"_siglip_gap", "_gap"}) {
    if (between.empty() && Consume(name, known)) between = known;
  }
  if (!Consume(name, "_") || !ConsumeInt(name, img_size)) return false;
  vit.patch_size = {patch_size, patch_size};
  vit.img_size = {img_size, img_size};
  return true;
}

void UseMeanPooling(TimmArchitecture& found) {
  found.vit.class_token = false;
  found.vit.global_pool = GlobalPool::kAvg;
  found.fc_norm = false;
}

/// SigLIP with its attention pooling replaced by the mean.
void ReadSiglip(std::string_view size, std::string_view tag, TimmArchitecture& found) {
  const int patch_size = found.vit.patch_size[0], img_size = found.vit.img_size[0];
  UseMeanPooling(found);
  const bool tanh = patch_size == 32 || size == "giantopt" ||
                    (size == "so400m" && patch_size == 16) || (size == "large" && img_size == 512);
  if (tanh) found.vit.act_layer = Activation::kGeluTanh;
  const bool whole = size == "so400m" && patch_size == 14 &&
                     (img_size >= 384 || (img_size == 378 && tag.starts_with("webli")));
  found.crop_pct = whole ? 1.0 : 0.9;
  found.squash = img_size == 378 && tag == "webli_ft_in1k";
}

/// vit_<size>_patch<P>[_siglip_gap|_gap]_<S>[_miil], deit_<size>[_distilled]_patch<P>_<S>
bool ReadViT(std::string_view name, std::string_view tag, TimmArchitecture& found) {
  const bool deit = Consume(name, "deit_");
  if (!deit && !Consume(name, "vit_")) return false;
  const std::string_view from_size = name;
  std::string_view between;
  if (!ConsumeSize(name, found)) return false;
  const std::string_view size = from_size.substr(0, from_size.size() - name.size());
  found.vit.distilled = Consume(name, "_distilled");
  if (!ConsumeShape(name, found.vit, between)) return false;
  const int img_size = found.vit.img_size[0];
  found.crop_pct = img_size == 384 || img_size == 448 ? 1.0 : 0.9;
  const bool self_supervised = tag == "dino" || tag == "mae" || tag.ends_with("ijepa") ||
                               (between == "_gap" && size != "base") ||
                               (size == "small" && found.vit.patch_size[0] == 8);
  if (deit || self_supervised) found.statistics = Statistics::kImagenet;
  if (between == "_siglip_gap") {
    ReadSiglip(size, tag, found);
  } else if (between == "_gap") {
    UseMeanPooling(found);
    if (size == "base") found.vit.num_heads = 16;
  } else if (size == "base" && Consume(name, "_miil")) {
    found.vit.qkv_bias = false;
    found.crop_pct = 0.875;
    found.interpolation = Interpolation::kBilinear;
    found.statistics = Statistics::kNone;
  }
  Consume(name, "_in21k");  // of older versions
  return name.empty();
}

/// eva_large_patch14_<S>: of timm's EVA the one that is a plain ViT.
bool ReadEvaLarge(std::string_view name, TimmArchitecture& found) {
  std::string_view between;
  if (!Consume(name, "eva_") || !name.starts_with("large_patch14_")) return false;
  if (!ConsumeSize(name, found) || !ConsumeShape(name, found.vit, between)) return false;
  found.vit.global_pool = GlobalPool::kAvg;
  found.crop_pct = 1.0;
  found.squash = found.vit.img_size[0] == 336;
  found.statistics = Statistics::kClip;
  return name.empty();
}

bool ReadTestViT(std::string_view name, TimmArchitecture& found) {
  if (name != "test_vit") return false;
  found.vit.img_size = {160, 160};
  found.vit.embed_dim = 64;
  found.vit.depth = 6;
  found.vit.num_heads = 2;
  found.mlp_ratio = 3;
  found.crop_pct = 0.95;
  return true;
}

bool ReadPlain(std::string_view name, TimmArchitecture& found) {
  found.vit.distilled = name.ends_with("istilled");
  return name == "VisionTransformer" || name == "vision_transformer" ||
         name == "VisionTransformerDistilled" || name == "vision_transformer_distilled";
}

}  // namespace

std::optional<TimmArchitecture> FindTimmArchitecture(std::string_view name) {
  const size_t dot = std::min(name.find('.'), name.size());
  const std::string_view tag = name.substr(std::min(dot + 1, name.size()));
  name = name.substr(0, dot);
  for (auto read : {ReadPlain, ReadTestViT, ReadEvaLarge}) {
    if (TimmArchitecture found; read(name, found)) return found;
  }
  if (TimmArchitecture found; ReadViT(name, tag, found)) return found;
  return std::nullopt;
}

std::string_view MissingArgument(std::string_view name) {
  // The first mark that the name contains decides.
  static constexpr std::string_view kMarks[][2] = {
      {"aimv2_", "norm_layer"},
      {"beit3_", "scale_attn_norm"},
      {"beit", "use_rel_pos_bias"},
      {"deit3_", "init_values"},
      {"eva02_enormous", "use_post_norm"},
      {"eva02_", "use_rot_pos_emb"},
      {"eva_giant", "q_bias and v_bias (class Eva)"},
      {"flexivit", "no_embed_class"},
      {"_rope_", "use_rot_pos_emb"},
      {"dinov3", "use_rot_pos_emb"},
      {"vit_pe_", "use_rot_pos_emb"},
      {"test_vit", "reg_tokens"},
      {"_reg", "reg_tokens"},
      {"dinov2", "init_values"},
      {"_clip_", "pre_norm"},
      {"_xp_", "pre_norm"},
      {"_siglip_", "global_pool \"map\""},
      {"_plus_", "init_values"},
      {"vit_betwixt_", "init_values"},
      {"vit_medium_", "init_values"},
      {"vit_intern300m_", "init_values"},
      {"_36x1_", "init_values"},
      {"_18x2_", "block_fn"},
      {"_rpn_", "block_fn"},
  };
  for (const auto& [mark, argument] : kMarks) {
    if (name.find(mark) != std::string_view::npos) return argument;
  }
  return "";
}

}  // namespace vitrine
