// config.json of timm folders, and what makes a valid network.
#include <catch2/catch_test_macros.hpp>
#include <cmath>

#include "config_support.h"
#include "test_support.h"

namespace vitrine::test {
namespace {

using ResizeMode = PreprocessConfig::ResizeMode;

TEST_CASE("timm's architecture names give timm's dimensions", "[config]") {
  const struct {
    const char* name;
    int embed_dim, depth, num_heads, patch_size, img_size;
    bool distilled;
  } kCases[] = {
      {"vit_tiny_patch16_224", 192, 12, 3, 16, 224, false},
      {"vit_small_patch32_384.augreg_in21k_ft_in1k", 384, 12, 6, 32, 384, false},
      {"vit_base_patch8_224.dino", 768, 12, 12, 8, 224, false},
      {"vit_base_patch16_224_in21k", 768, 12, 12, 16, 224, false},
      {"vit_large_patch14_224", 1024, 24, 16, 14, 224, false},
      {"vit_huge_patch14_224", 1280, 32, 16, 14, 224, false},
      {"deit_small_patch16_224.fb_in1k", 384, 12, 6, 16, 224, false},
      {"deit_base_distilled_patch16_384", 768, 12, 12, 16, 384, true},
      {"deit_tiny_distilled_patch8_64", 192, 12, 3, 8, 64, true},
  };
  for (const auto& c : kCases) {
    VitConfig vit = Read(Timm(c.name)).vit;
    CHECK(vit.architecture == c.name);
    CHECK(vit.embed_dim == c.embed_dim);
    CHECK(vit.depth == c.depth);
    CHECK(vit.num_heads == c.num_heads);
    CHECK(vit.mlp_hidden_dim == 4 * c.embed_dim);
    CHECK(vit.patch_size == std::array{c.patch_size, c.patch_size});
    CHECK(vit.img_size == std::array{c.img_size, c.img_size});
    CHECK(vit.distilled == c.distilled);
    CHECK(vit.head_dist);
    CHECK(vit.num_classes == 1000);
    CHECK(vit.layer_norm_eps == 1e-6f);
    CHECK_FALSE(vit.fc_norm);
  }
}

TEST_CASE("Absurd sizes are refused before anything is computed from them", "[config]") {
  for (const char* size : {"2147483647", "-2147483648", "0", "[1, 2147483647]"}) {
    CHECK(ErrorOf(Args("\"img_size\": " + std::string(size))).status == Status::kInvalidConfig);
    CHECK(ErrorOf(Args("\"patch_size\": " + std::string(size))).status == Status::kInvalidConfig);
  }
  CHECK(ErrorOf(Timm("vit_tiny_patch16_99999999999")).status == Status::kUnsupported);
}

TEST_CASE("Other architectures are refused with what is supported", "[config]") {
  for (const char* name :
       {"swin_tiny_patch4_window7_224", "resnet50", "deit3_small_patch16_224",
        "vit_base_patch16_clip_224.openai", "vit_base_patch16_siglip_224", "vit_base_r50_s16_224",
        "vit_small_patch14_dinov2", "vit_tiny_patch16", "vit_tiny_patch_224",
        "vit_tiny_patch16_224_miil", "vit_", "eva02_tiny_patch14_224", "beit_base_patch16_224",
        "VIT_tiny_patch16_224", ""}) {
    Error error = ErrorOf(Timm(name));
    CHECK(error.status == Status::kUnsupported);
    CHECK(Mentions(error, "vit_tiny_patch16_224"));
  }
  CHECK(Mentions(ErrorOf(Timm("swin_tiny")),
                 "config.json: architecture: the string \"swin_tiny\" is not supported"));
}

TEST_CASE("model_args override every argument", "[config]") {
  VitConfig vit =
      Read(Timm("VisionTransformer",
                R"(, "num_classes": 7, "model_args": {"img_size": [64, 96], "patch_size": [8, 16],
      "in_c": 1, "embed_dim": 48, "depth": 3, "num_heads": 6, "mlp_ratio": 2.5, "qkv_bias": false, "qk_scale": 0.3,
      "representation_size": 20, "distilled": false, "drop_ratio": 0.1, "attn_drop_ratio": 0.1,
      "drop_path_ratio": 0.1, "embed_layer": "PatchEmbed", "norm_layer": null, "act_layer": "nn.ReLU",
      "norm_eps": 1e-5, "reg_tokens": 0, "init_values": null, "qk_norm": false})"))
          .vit;
  CHECK(vit.img_size == std::array{64, 96});
  CHECK(vit.patch_size == std::array{8, 16});
  CHECK(vit.in_chans == 1);
  CHECK(vit.num_classes == 7);
  CHECK(vit.embed_dim == 48);
  CHECK(vit.depth == 3);
  CHECK(vit.num_heads == 6);
  CHECK(vit.mlp_hidden_dim == 120);
  CHECK_FALSE(vit.qkv_bias);
  CHECK(vit.qk_scale == 0.3f);
  CHECK(vit.representation_size == 20);
  CHECK(vit.act_layer == Activation::kRelu);
  CHECK(vit.layer_norm_eps == 1e-5f);
  CHECK(vit.num_tokens() == 8 * 6 + 1);
}

TEST_CASE("timm's spellings of arguments", "[config]") {
  CHECK(Read(Args(R"("in_chans": 3)")).vit.in_chans == 3);
  CHECK(Read(Args(R"("qk_scale": null)")).vit.qk_scale == std::nullopt);
  CHECK(Read(Args(R"("qk_scale": 0)")).vit.qk_scale == std::nullopt);
  CHECK(Read(Args(R"("representation_size": false)")).vit.representation_size == 0);
  CHECK(Read(Args(R"("representation_size": null)")).vit.representation_size == 0);
  CHECK(Read(Args(R"("distilled": true)")).vit.distilled);
  CHECK(Read(Args(R"("mlp_ratio": 3)")).vit.mlp_hidden_dim == 576);
  CHECK(Read(Args(R"("norm_layer": "layernorm")")).vit.depth == 12);
  CHECK(Read(Args(R"("act_layer": "gelu_tanh")")).vit.act_layer == Activation::kGeluTanh);
  CHECK(Read(Args(R"("act_layer": "quick_gelu")")).vit.act_layer == Activation::kQuickGelu);
  CHECK(Read(Args(R"("act_layer": "silu")")).vit.act_layer == Activation::kSilu);
  CHECK(Read(Args(R"("act_layer": null)")).vit.act_layer == Activation::kGelu);
  VitConfig avg = Read(Args(R"("global_pool": "avg")")).vit;
  CHECK(avg.global_pool == GlobalPool::kAvg);
  CHECK(avg.fc_norm);
  CHECK_FALSE(Read(Args(R"("global_pool": "avg", "fc_norm": false)")).vit.fc_norm);
  CHECK(Read(Timm("vit_tiny_patch16_224", R"(, "global_pool": "avg")")).vit.fc_norm);
  VitConfig tokens = Read(Args(R"("global_pool": "avg", "class_token": false)")).vit;
  CHECK(tokens.num_prefix_tokens() == 0);
  CHECK(Read(Timm("vit_tiny_patch16_224", R"(, "num_classes": 0)")).vit.num_classes == 0);
}

TEST_CASE("Arguments without code here are refused by name", "[config]") {
  for (const char* argument :
       {R"("reg_tokens": 4)", R"("init_values": 1e-5)", R"("qk_norm": true)",
        R"("no_embed_class": true)", R"("pre_norm": true)", R"("proj_bias": false)",
        R"("final_norm": false)", R"("scale_attn_norm": true)",
        R"("dynamic_img_pad": true, "img_size": 20)", R"("norm_layer": "rmsnorm")",
        R"("embed_layer": "HybridEmbed")", R"("act_layer": "tanhshrink")", R"("global_pool": "")",
        R"("global_pool": "map")", R"("pos_embed": "none")"}) {
    Error error = ErrorOf(Args(argument));
    std::string name = std::string(argument).substr(1, std::string(argument).find('"', 1) - 1);
    INFO(error.message);
    CHECK(error.status == Status::kUnsupported);
    CHECK(error.message.starts_with("config.json: model_args." + name + ": "));
  }
  Error unknown = ErrorOf(Args(R"("window_size": 7)"));
  CHECK(unknown.status == Status::kUnsupported);
  CHECK(Mentions(unknown,
                 "model_args.window_size: unknown argument; known are img_size, patch_size"));
}

TEST_CASE("Arguments at their default are accepted whoever states them", "[config]") {
  for (const char* argument :
       {R"("proj_bias": true)", R"("final_norm": true)", R"("scale_attn_norm": false)",
        R"("scale_mlp_norm": false)", R"("dynamic_img_size": true)", R"("dynamic_img_pad": true)",
        R"("reg_tokens": 0)", R"("init_values": null)", R"("pos_embed": "learn")"}) {
    CHECK(Read(Args(argument)).vit.embed_dim == 192);
  }
}

TEST_CASE("JSON may begin with a byte order mark; gzip and UTF-16 are named", "[config]") {
  CHECK(Read("\xEF\xBB\xBF" + Timm("vit_tiny_patch16_224")).vit.embed_dim == 192);
  CHECK(Mentions(ErrorOf("\x1F\x8B\x08"), "config.json: a gzip file"));
  CHECK(Mentions(ErrorOf("\xFF\xFE{"), "config.json: UTF-16 text"));
}

TEST_CASE("scores are sigmoids where a class stands alone", "[config]") {
  const auto scores = [](const std::string& config) { return Read(config).scores; };
  CHECK(scores(Timm("vit_tiny_patch16_224")) == Scores::kSoftmax);
  CHECK(scores(Timm("vit_tiny_patch16_224", R"(, "num_classes": 1)")) == Scores::kSigmoid);
  CHECK(scores(R"({"model_type": "vit"})") == Scores::kSoftmax);
  CHECK(scores(R"({"model_type": "vit", "id2label": {"0": "NSFW"}})") == Scores::kSigmoid);
  CHECK(scores(R"({"model_type": "vit", "num_labels": 1})") == Scores::kSigmoid);
  CHECK(scores(R"({"model_type": "vit", "problem_type": "multi_label_classification"})") ==
        Scores::kSigmoid);
  CHECK(scores(R"({"model_type": "vit", "problem_type": null})") == Scores::kSoftmax);
  CHECK(scores(R"({"model_type": "vit", "num_labels": 1,
                   "problem_type": "single_label_classification"})") == Scores::kSigmoid);
  CHECK(ErrorOf(R"({"model_type": "vit", "problem_type": "multi"})").status ==
        Status::kInvalidConfig);
}

TEST_CASE("model_args win over the input_size of pretrained_cfg, as in timm", "[config]") {
  const VitConfig vit = Read(R"({"architecture": "vit_tiny_patch16_224",
               "model_args": {"in_chans": 1, "img_size": 64},
               "pretrained_cfg": {"input_size": [3, 224, 224]}})")
                            .vit;
  CHECK(vit.img_size == std::array{64, 64});
  CHECK(vit.in_chans == 1);
}

TEST_CASE("Contradictions are refused", "[config]") {
  for (
      const char* config :
      {R"({"architecture": "vit_tiny_patch16_224", "num_features": 384})",
       R"({"architecture": "vit_tiny_patch16_224", "num_classes": 10, "model_args": {"num_classes": 11}})",
       R"({"architecture": "vit_tiny_patch16_224", "global_pool": "token", "model_args": {"global_pool": "avg"}})",
       R"({"architecture": "vit_tiny_patch16_224", "model_args": {"depth": 3, "depth": 4}})"}) {
    CHECK(ErrorOf(config).status == Status::kInvalidConfig);
  }
}

TEST_CASE("Wrong types and texts that are no config are refused", "[config]") {
  for (const char* config :
       {"",
        " ",
        "[]",
        "3",
        "null",
        "{",
        "{}",
        "nonsense",
        R"({"architecture": 3})",
        R"({"architecture": "vit_tiny_patch16_224", "num_classes": "ten"})",
        R"({"architecture": "vit_tiny_patch16_224", "num_classes": 1.5})",
        R"({"architecture": "vit_tiny_patch16_224", "model_args": []})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": "x"})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"input_size": [224, 224]}})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"mean": [1, 2]}})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"std": [1, 2, 0]}})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"crop_pct": 0}})",
        R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"crop_pct": 1e-9}})",
        R"({"architecture": "vit_tiny_patch16_224", "model_args": {"mlp_ratio": 1e300}})",
        R"({"architecture": "vit_tiny_patch16_224", "model_args": {"mlp_ratio": -1}})",
        R"({"architecture": "vit_tiny_patch16_224", "model_args": {"patch_size": [16]}})"}) {
    CHECK(ErrorOf(config).status == Status::kInvalidConfig);
  }
  CHECK(Mentions(ErrorOf(""), "config.json: empty or missing"));
}

TEST_CASE("pretrained_cfg says how pictures are prepared", "[config]") {
  PreprocessConfig p =
      Read(
          R"({"architecture": "vit_tiny_patch16_224", "pretrained_cfg": {"input_size": [3, 224, 224],
      "interpolation": "bilinear", "crop_pct": 0.875, "crop_mode": "squash", "mean": [0.1, 0.2, 0.3],
      "std": [0.4, 0.5, 0.6]}})")
          .preprocess;
  CHECK(p.input_size == std::array{224, 224});
  CHECK(p.resize_size == std::array{256, 256});
  CHECK(p.resize_mode == ResizeMode::kExact);
  CHECK(p.interpolation == Interpolation::kBilinear);
  CHECK(p.mean == std::array{0.1f, 0.2f, 0.3f});
  CHECK(p.std == std::array{0.4f, 0.5f, 0.6f});
}

TEST_CASE("Folders of older versions have the keys at the top", "[config]") {
  ModelConfig config = Read(
      R"({"architecture": "vit_base_patch16_224", "num_classes": 10, "input_size": [3, 384, 384],
      "interpolation": "lanczos", "crop_pct": 1.0, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]})");
  CHECK(config.vit.img_size == std::array{384, 384});
  CHECK(config.preprocess.input_size == std::array{384, 384});
  CHECK(config.preprocess.resize_size == std::array{384, 384});
  CHECK(config.preprocess.interpolation == Interpolation::kLanczos);
}

TEST_CASE("Preprocessing that is not given is the family's", "[config]") {
  PreprocessConfig vit = Read(Timm("vit_tiny_patch16_224")).preprocess;
  CHECK(vit.mean == std::array{0.5f, 0.5f, 0.5f});
  CHECK(vit.resize_size == std::array{248, 248});  // floor(224 / 0.9)
  CHECK(vit.resize_mode == ResizeMode::kShortestEdge);
  CHECK(vit.interpolation == Interpolation::kBicubic);
  PreprocessConfig deit = Read(Timm("deit_tiny_patch16_224")).preprocess;
  CHECK(deit.mean == std::array{0.485f, 0.456f, 0.406f});
  CHECK(deit.std == std::array{0.229f, 0.224f, 0.225f});
  CHECK(deit.resize_size == std::array{248, 248});
}

TEST_CASE("The network's size is the preprocessing's", "[config]") {
  ModelConfig args = Read(Args(R"("img_size": [64, 128], "patch_size": 16)"));
  CHECK(args.preprocess.input_size == std::array{64, 128});
  CHECK(args.preprocess.resize_size == std::array{71, 142});
  ModelConfig input =
      Read(Timm("vit_tiny_patch16_224", R"(, "pretrained_cfg": {"input_size": [3, 256, 256]})"));
  CHECK(input.vit.img_size == std::array{256, 256});
  ModelConfig grey =
      Read(Timm("vit_tiny_patch16_224",
                R"(, "pretrained_cfg": {"input_size": [1, 224, 224], "mean": [0.5]})"));
  CHECK(grey.vit.in_chans == 1);
}

TEST_CASE("Interpolations and crops without code here are refused by name", "[config]") {
  for (const char* key :
       {R"("interpolation": "random")", R"("interpolation": "box")", R"("crop_mode": "corner")"}) {
    Error error =
        ErrorOf(Timm("vit_tiny_patch16_224", std::string(R"(, "pretrained_cfg": {)") + key + "}"));
    CHECK(error.status == Status::kUnsupported);
    CHECK(Mentions(error, "pretrained_cfg."));
  }
}

TEST_CASE("Validate names what cannot be built", "[config]") {
  CHECK(Validate(VitConfig()).has_value());
  auto check = [](auto change, Status status, std::string_view text) {
    VitConfig config;
    change(config);
    auto valid = Validate(config);
    REQUIRE_FALSE(valid.has_value());
    INFO(valid.error().message);
    CHECK(valid.error().status == status);
    CHECK(valid.error().message.starts_with(text));
  };
  auto kInvalid = Status::kInvalidConfig;
  check([](auto& c) { c.depth = 0; }, kInvalid, "depth: 0, expected 1 to 256");
  check([](auto& c) { c.depth = 257; }, kInvalid, "depth: ");
  check([](auto& c) { c.embed_dim = -1; }, kInvalid, "embed_dim: -1");
  check([](auto& c) { c.num_heads = 0; }, kInvalid, "num_heads: 0");
  check([](auto& c) { c.num_heads = 5; }, kInvalid,
        "embed_dim: 768, expected a multiple of num_heads 5");
  check([](auto& c) { c.patch_size = {0, 16}; }, kInvalid, "patch_size[0]: 0");
  check([](auto& c) { c.patch_size = {225, 16}; }, kInvalid,
        "img_size: [224, 224], expected at least one patch");
  check([](auto& c) { c.img_size = {8, 8}; }, kInvalid, "img_size: [8, 8]");
  check([](auto& c) { c.in_chans = 0; }, kInvalid, "in_chans: 0");
  check([](auto& c) { c.num_classes = -1; }, kInvalid, "num_classes: -1");
  check([](auto& c) { c.mlp_hidden_dim = 0; }, kInvalid, "mlp_ratio");
  check([](auto& c) { c.representation_size = 65537; }, kInvalid, "representation_size: ");
  check([](auto& c) { c.class_token = false; }, kInvalid, "global_pool: ");
  check(
      [](auto& c) {
        c.distilled = true;
        c.global_pool = GlobalPool::kAvg;
      },
      kInvalid, "global_pool: ");
  check([](auto& c) { c.qk_scale = INFINITY; }, kInvalid, "qk_scale");
  check([](auto& c) { c.layer_norm_eps = NAN; }, kInvalid, "layer_norm_eps");
  check([](auto& c) { c.layer_norm_eps = -1e-6f; }, kInvalid, "layer_norm_eps");
  check([](auto& c) { c.img_size = {65536, 65536}; }, Status::kTooLarge, "img_size: ");
  check([](auto& c) { c.img_size = {4096, 4096}; }, Status::kTooLarge, "img_size: ");
  check([](auto& c) { c.img_size = c.patch_size = {65536, 65536}; }, Status::kTooLarge,
        "img_size: ");
  check([](auto& c) { c.embed_dim = 65536, c.num_heads = 1; }, Status::kTooLarge,
        "the network has about ");
  check([](auto& c) { c.depth = 256; }, Status::kTooLarge, "the network has about ");
}

TEST_CASE("A real timm folder", "[config][shared]") {
  ModelFolder folder(NeedSharedDir() / "models/vit_tiny_patch16_224");
  auto read = ReadModelConfig(folder.files());
  REQUIRE(read.has_value());
  CHECK(read->vit.embed_dim == 192);
  CHECK(read->preprocess.resize_size == std::array{248, 248});
  CHECK(read->labels.size() == 1000);
}

}  // namespace
}  // namespace vitrine::test
