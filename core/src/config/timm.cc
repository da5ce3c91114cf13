// config.json of a timm folder. Architecture names and defaults: timm/models/vision_transformer.py,
// timm/models/deit.py.

#include <algorithm>
#include <cmath>

#include "config/internal.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

constexpr std::string_view kSupported =
    "supported are plain vit_* and deit_* such as "
    "vit_tiny_patch16_224 and deit_small_distilled_patch16_224, and VisionTransformer with its "
    "arguments in model_args";

/// What a model_args key may be.
enum class Kind {
  kRead,      // read below
  kIdentity,  // changes nothing in inference
  kOff,       // supported only with its default: absent, null, false, 0 or `text`
  kOn,        // supported only with its default: absent, null or true
};

struct Argument {
  std::string_view name;
  Kind kind;
  std::string_view text;  // the default of a kOff argument that is a string
};

constexpr Argument kArguments[] = {
    {"img_size", Kind::kRead},
    {"patch_size", Kind::kRead},
    {"in_chans", Kind::kRead},
    {"in_c", Kind::kRead},
    {"num_classes", Kind::kRead},
    {"embed_dim", Kind::kRead},
    {"depth", Kind::kRead},
    {"num_heads", Kind::kRead},
    {"mlp_ratio", Kind::kRead},
    {"qkv_bias", Kind::kRead},
    {"qk_scale", Kind::kRead},
    {"representation_size", Kind::kRead},
    {"distilled", Kind::kRead},
    {"class_token", Kind::kRead},
    {"global_pool", Kind::kRead},
    {"fc_norm", Kind::kRead},
    {"act_layer", Kind::kRead},
    {"norm_eps", Kind::kRead},
    {"layer_norm_eps", Kind::kRead},
    {"drop_ratio", Kind::kIdentity},
    {"attn_drop_ratio", Kind::kIdentity},
    {"drop_path_ratio", Kind::kIdentity},
    {"drop_rate", Kind::kIdentity},
    {"attn_drop_rate", Kind::kIdentity},
    {"drop_path_rate", Kind::kIdentity},
    {"pos_drop_rate", Kind::kIdentity},
    {"proj_drop_rate", Kind::kIdentity},
    {"patch_drop_rate", Kind::kIdentity},
    {"weight_init", Kind::kIdentity},
    {"fix_init", Kind::kIdentity},
    {"strict_img_size", Kind::kIdentity},
    {"embed_layer", Kind::kOff, "PatchEmbed"},
    {"norm_layer", Kind::kOff, "LayerNorm"},
    {"mlp_layer", Kind::kOff, "Mlp"},
    {"block_fn", Kind::kOff, "Block"},
    {"pos_embed", Kind::kOff, "learn"},
    {"embed_norm_layer", Kind::kOff},
    {"reg_tokens", Kind::kOff},
    {"init_values", Kind::kOff},
    {"qk_norm", Kind::kOff},
    {"no_embed_class", Kind::kOff},
    {"pre_norm", Kind::kOff},
    {"pool_include_prefix", Kind::kOff},
    {"scale_attn_norm", Kind::kOff},
    {"scale_mlp_norm", Kind::kOff},
    {"proj_bias", Kind::kOn},
    {"final_norm", Kind::kOn},
    {"dynamic_img_size", Kind::kIdentity},  // at the network's own size
    {"dynamic_img_pad", Kind::kRead},
};

bool SameIgnoringCase(std::string_view a, std::string_view b) {
  auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

bool IsDefault(const Argument& argument, const Json& value) {
  if (!value.present()) return true;
  if (argument.kind == Kind::kOn) return value.is_bool() && value.Bool(false);
  if (value.is_bool()) return !value.Bool(true);
  if (value.is_number()) return value.Number(1) == 0;
  if (!value.is_string()) return false;
  std::string_view text = value.String("");
  if (text.starts_with("nn.")) text.remove_prefix(3);
  return !argument.text.empty() && SameIgnoringCase(text, argument.text);
}

void CheckArguments(const Json& args) {
  args.CheckUniqueKeys();
  for (const auto& [key, value] : args.Members()) {
    auto argument = std::find_if(std::begin(kArguments), std::end(kArguments),
                                 [&](const Argument& known) { return known.name == key; });
    if (argument == std::end(kArguments)) {
      std::string known;
      for (const Argument& each : kArguments) {
        if (each.kind == Kind::kRead || each.kind == Kind::kIdentity)
          known += Concat(known.empty() ? "" : ", ", each.name);
      }
      value.Fail(Status::kUnsupported, Concat("unknown argument; known are ", known));
    } else if ((argument->kind == Kind::kOff || argument->kind == Kind::kOn) &&
               !IsDefault(*argument, value)) {
      std::string_view usual = argument->kind == Kind::kOn ? "true, its default"
                               : argument->text.empty()    ? "its default (off)"
                                                           : argument->text;
      value.Fail(Status::kUnsupported, Concat(value.Describe(), " is not supported, only ", usual));
    }
  }
}

/// The value of `key` where model_args and the root may both state it; they must agree.
Json ArgumentOrRoot(const Json& args, const Json& root, std::string_view key) {
  Json argument = args.Get(key);
  Json stated = root.Get(key);
  if (!argument.present()) return stated;
  if (stated.present() && argument.Describe() != stated.Describe()) {
    argument.Fail(Status::kInvalidConfig,
                  Concat(argument.Describe(), ", but ", stated.path(), " is ", stated.Describe()));
  }
  return argument;
}

GlobalPool ReadGlobalPool(const Json& value, GlobalPool fallback) {
  if (!value.present()) return fallback;
  std::string_view name = value.String("token");
  if (name == "avg") return GlobalPool::kAvg;
  if (name != "token") {
    value.Fail(Status::kUnsupported,
               Concat(value.Describe(), ", supported are \"token\" and \"avg\""));
  }
  return GlobalPool::kToken;
}

/// timm's input_size: [channels, height, width].
struct InputSize {
  bool present = false;
  int channels = 0;
  std::array<int, 2> size = {};
};

InputSize ReadInputSize(const Json& value) {
  if (!value.present()) return {};
  std::vector<Json> items = value.Items();
  if (items.size() != 3) {
    value.FailExpected("[channels, height, width]");
    return {};
  }
  return {true, items[0].Int(0), {items[1].Int(0), items[2].Int(0)}};
}

/// model_args win: timm's save_for_hf leaves pretrained_cfg.input_size as the architecture has it.
void ReadImageShape(const Json& args, const Json& input_size, VitConfig& vit) {
  InputSize input = ReadInputSize(input_size);
  Json img_size = args.Get("img_size");
  Json in_chans = args.Get("in_chans").present() ? args.Get("in_chans") : args.Get("in_c");
  vit.img_size = ReadPair(img_size, input.present ? input.size : vit.img_size);
  vit.in_chans = in_chans.Int(input.present ? input.channels : vit.in_chans);
  vit.patch_size = ReadPair(args.Get("patch_size"), vit.patch_size);
  // Padding does nothing where the patches cover the picture.
  Json pad = args.Get("dynamic_img_pad");
  if (!pad.Bool(false)) return;
  for (int i : {0, 1}) {
    if (vit.patch_size[i] < 1 || vit.img_size[i] % vit.patch_size[i] == 0) continue;
    pad.Fail(Status::kUnsupported,
             Concat("true is not supported for img_size ", ShapeText(vit.img_size),
                    ", which is no multiple of ", "patch_size ", ShapeText(vit.patch_size)));
    return;
  }
}

void ReadEmbedding(const Json& args, const Json& root, double own_mlp_ratio, VitConfig& vit) {
  vit.embed_dim = args.Get("embed_dim").Int(vit.embed_dim);
  vit.depth = args.Get("depth").Int(vit.depth);
  vit.num_heads = args.Get("num_heads").Int(vit.num_heads);
  Json mlp_ratio = args.Get("mlp_ratio");
  double hidden = vit.embed_dim * mlp_ratio.Number(own_mlp_ratio);
  if (!(hidden >= 1 && hidden <= 65536)) {
    mlp_ratio.Fail(Status::kInvalidConfig,
                   Concat("gives an MLP of no or over 65536 units for embed_dim ", vit.embed_dim));
    return;
  }
  vit.mlp_hidden_dim = static_cast<int>(hidden);
  // false and 0 mean none, as in timm.
  Json representation = args.Get("representation_size");
  if (!representation.is_bool() || representation.Bool(false)) {
    vit.representation_size = representation.Int(0);
  }
  Json num_features = root.Get("num_features");
  int stated = num_features.Int(vit.embed_dim);
  if (stated != vit.embed_dim && stated != vit.representation_size) {
    num_features.Fail(Status::kInvalidConfig,
                      Concat(stated, ", but the architecture has embed_dim ", vit.embed_dim,
                             "; set model_args.embed_dim if that is meant"));
  }
}

void ReadOptions(const Json& args, const Json& root, const Json& pretrained, bool own_fc_norm,
                 VitConfig& vit) {
  Json num_classes = ArgumentOrRoot(args, root, "num_classes");
  vit.num_classes = num_classes.Int(pretrained.Get("num_classes").Int(1000));
  vit.qkv_bias = args.Get("qkv_bias").Bool(vit.qkv_bias);
  // timm: qk_scale or head_dim ** -0.5.
  if (double scale = args.Get("qk_scale").Number(0); scale != 0) {
    vit.qk_scale = static_cast<float>(scale);
  }
  vit.distilled = args.Get("distilled").Bool(vit.distilled);
  vit.class_token = args.Get("class_token").Bool(vit.class_token);
  vit.global_pool = ReadGlobalPool(ArgumentOrRoot(args, root, "global_pool"), vit.global_pool);
  vit.fc_norm = args.Get("fc_norm").Bool(own_fc_norm && vit.global_pool == GlobalPool::kAvg);
  if (Json act = args.Get("act_layer"); act.present()) vit.act_layer = ReadActivation(act);
  Json eps = args.Get("norm_eps").present() ? args.Get("norm_eps") : args.Get("layer_norm_eps");
  vit.layer_norm_eps = static_cast<float>(eps.Number(1e-6));
}

}  // namespace

Json PretrainedConfig(const Json& root) {
  Json pretrained = root.Get("pretrained_cfg");
  return pretrained.present() ? pretrained : root;
}

void ReadTimmConfig(const Json& root, VitConfig& vit) {
  Json architecture = root.Get("architecture");
  Json args = root.Get("model_args");
  if (!architecture.present()) {
    root.Fail(
        Status::kInvalidConfig,
        "neither \"architecture\" (timm) nor \"architectures\" (Hugging Face transformers) is "
        "there; is it the config.json of a model folder?");
    return;
  }
  std::string_view name = architecture.String("");
  const std::optional<TimmArchitecture> known = FindTimmArchitecture(name);
  if (!known) {
    const std::string_view missing = MissingArgument(name);
    architecture.Fail(
        Status::kUnsupported,
        Concat(architecture.Describe(), " is not supported",
               missing.empty() ? "" : ": there is no code for its ", missing, "; ", kSupported));
    return;
  }
  vit = known->vit;
  vit.architecture = Excerpt(name);
  Json pretrained = PretrainedConfig(root);
  CheckArguments(args);
  ReadImageShape(args, pretrained.Get("input_size"), vit);
  ReadEmbedding(args, root, known->mlp_ratio, vit);
  ReadOptions(args, root, pretrained, known->fc_norm, vit);
}

}  // namespace vitrine
