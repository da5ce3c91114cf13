// config.json and preprocessor_config.json of Hugging Face folders.
#include <catch2/catch_test_macros.hpp>

#include "config_support.h"

namespace vitrine::test {
namespace {

using ResizeMode = PreprocessConfig::ResizeMode;

TEST_CASE("Hugging Face's ViTForImageClassification", "[config]") {
  VitConfig vit =
      Read(
          R"({"architectures": ["ViTForImageClassification"], "model_type": "vit", "hidden_size": 48,
      "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 100, "hidden_act": "gelu_new",
      "layer_norm_eps": 1e-5, "image_size": [32, 64], "patch_size": 16, "num_channels": 1, "qkv_bias": false,
      "id2label": {"0": "cat", "1": "dog", "2": "emu"}, "hidden_dropout_prob": 0.1, "encoder_stride": 16})")
          .vit;
  CHECK(vit.architecture == "ViTForImageClassification");
  CHECK(vit.embed_dim == 48);
  CHECK(vit.depth == 3);
  CHECK(vit.num_heads == 4);
  CHECK(vit.mlp_hidden_dim == 100);
  CHECK(vit.act_layer == Activation::kGeluTanh);
  CHECK(vit.layer_norm_eps == 1e-5f);
  CHECK(vit.img_size == std::array{32, 64});
  CHECK(vit.in_chans == 1);
  CHECK_FALSE(vit.qkv_bias);
  CHECK(vit.num_classes == 3);
  CHECK_FALSE(vit.distilled);
}

TEST_CASE("Hugging Face's defaults", "[config]") {
  ModelConfig config = Read(R"({"model_type": "vit", "num_labels": 5})");
  CHECK(config.vit.embed_dim == 768);
  CHECK(config.vit.depth == 12);
  CHECK(config.vit.mlp_hidden_dim == 3072);
  CHECK(config.vit.layer_norm_eps == 1e-12f);
  CHECK(config.vit.act_layer == Activation::kGelu);
  CHECK(config.vit.num_classes == 5);
  CHECK(config.labels.empty());
  CHECK(Read(R"({"model_type": "vit"})").vit.num_classes == 2);
}

TEST_CASE("Hugging Face's DeiT has its distillation token with and without the teacher's head",
          "[config]") {
  VitConfig teacher =
      Read(R"({"architectures": ["DeiTForImageClassificationWithTeacher"], "model_type": "deit"})")
          .vit;
  CHECK(teacher.distilled);
  CHECK(teacher.head_dist);
  VitConfig student =
      Read(R"({"architectures": ["DeiTForImageClassification"], "model_type": "deit"})").vit;
  CHECK(student.distilled);
  CHECK_FALSE(student.head_dist);
  CHECK(student.num_prefix_tokens() == 2);
  VitConfig bare = Read(R"({"architectures": ["DeiTModel"], "model_type": "deit"})").vit;
  CHECK(bare.num_classes == 0);
  CHECK_FALSE(bare.head_dist);
  CHECK(Read(R"({"architectures": ["ViTModel"]})").vit.num_classes == 0);
}

TEST_CASE("Other Hugging Face models are refused with what is supported", "[config]") {
  for (const char* config :
       {R"({"architectures": ["SwinForImageClassification"], "model_type": "swin"})",
        R"({"architectures": ["ViTForMaskedImageModeling"], "model_type": "vit"})",
        R"({"model_type": "beit"})", R"({"architectures": ["Dinov2Model"]})"}) {
    Error error = ErrorOf(config);
    CHECK(error.status == Status::kUnsupported);
    CHECK(Mentions(error, "supported are ViTForImageClassification, "));
  }
  CHECK(ErrorOf(R"({"architectures": "ViTModel"})").status == Status::kInvalidConfig);
  CHECK(ErrorOf(R"({"architectures": [3]})").status == Status::kInvalidConfig);
  CHECK(ErrorOf(R"({"architectures": ["ViTModel"], "model_type": "deit"})").status ==
        Status::kInvalidConfig);
  CHECK(ErrorOf(R"({"model_type": "vit", "num_labels": 2, "id2label": {"0": "a"}})").status ==
        Status::kInvalidConfig);
}

constexpr const char* kVit = R"({"model_type": "vit"})";
constexpr const char* kDeit = R"({"model_type": "deit"})";

TEST_CASE("Hugging Face's image processors by default", "[config]") {
  for (const char* processor : {"", "{}"}) {
    PreprocessConfig vit = Read(kVit, processor).preprocess;
    CHECK(vit.input_size == std::array{224, 224});
    CHECK(vit.resize_size == std::array{224, 224});
    CHECK(vit.resize_mode == ResizeMode::kExact);
    CHECK(vit.interpolation == Interpolation::kBilinear);
    CHECK(vit.mean == std::array{0.5f, 0.5f, 0.5f});
    PreprocessConfig deit = Read(kDeit, processor).preprocess;
    CHECK(deit.input_size == std::array{224, 224});
    CHECK(deit.resize_size == std::array{256, 256});
    CHECK(deit.resize_mode == ResizeMode::kExact);
    CHECK(deit.interpolation == Interpolation::kBicubic);
  }
}

TEST_CASE("preprocessor_config.json of Hugging Face", "[config]") {
  // As facebook/deit-base-distilled-patch16-224 has it.
  PreprocessConfig deit =
      Read(kDeit,
           R"({"crop_size": 224, "do_center_crop": true, "do_normalize": true, "do_resize": true,
      "feature_extractor_type": "DeiTFeatureExtractor", "image_mean": [0.485, 0.456, 0.406],
      "image_std": [0.229, 0.224, 0.225], "resample": 3, "size": 256})")
          .preprocess;
  CHECK(deit.resize_size == std::array{256, 256});
  CHECK(deit.mean == std::array{0.485f, 0.456f, 0.406f});
  // As google/vit-base-patch16-224 has it.
  PreprocessConfig vit = Read(kVit, R"({"do_normalize": true, "do_rescale": true, "do_resize": true,
      "image_mean": [0.5, 0.5, 0.5], "image_processor_type": "ViTImageProcessor", "image_std": [0.5, 0.5, 0.5],
      "resample": 2, "rescale_factor": 0.00392156862745098, "size": {"height": 224, "width": 224}})")
                             .preprocess;
  CHECK(vit.resize_size == std::array{224, 224});
  CHECK(vit.mean == std::array{0.5f, 0.5f, 0.5f});
  CHECK(vit.std == std::array{0.5f, 0.5f, 0.5f});
  PreprocessConfig shortest =
      Read(kVit, R"({"size": {"shortest_edge": 248}, "do_center_crop": true, "resample": 1,
      "crop_size": {"height": 224, "width": 224}})")
          .preprocess;
  CHECK(shortest.resize_mode == ResizeMode::kShortestEdge);
  CHECK(shortest.resize_size == std::array{248, 248});
  CHECK(shortest.interpolation == Interpolation::kLanczos);
  PreprocessConfig raw = Read(kVit, R"({"do_normalize": false})").preprocess;
  CHECK(raw.mean == std::array{0.0f, 0.0f, 0.0f});
  CHECK(raw.std == std::array{1.0f, 1.0f, 1.0f});
  // (pixel - 127.5) / 127.5
  PreprocessConfig unscaled =
      Read(kVit, R"({"do_rescale": false, "image_mean": [127.5, 127.5, 127.5],
      "image_std": [127.5, 127.5, 127.5]})")
          .preprocess;
  CHECK(unscaled.rescale_factor == 1);
  CHECK(unscaled.mean == std::array{127.5f, 127.5f, 127.5f});
}

TEST_CASE("Image processors of related models have their own defaults", "[config]") {
  for (const char* clip : {R"({"image_processor_type": "CLIPImageProcessor", "size": 224})",
                           R"({"image_processor_type": "BitImageProcessor"})"}) {
    PreprocessConfig read = Read(kVit, clip).preprocess;
    CHECK(read.resize_mode == ResizeMode::kShortestEdge);
    CHECK(read.interpolation == Interpolation::kBicubic);
    CHECK(read.mean[0] == 0.48145466f);
    CHECK(read.crop_rule == PreprocessConfig::CropRule::kTransformers);
    CHECK(read.note.empty());
  }
  PreprocessConfig beit =
      Read(kVit, R"({"feature_extractor_type": "BeitFeatureExtractor"})").preprocess;
  CHECK(beit.resize_size == std::array{256, 256});
  CHECK(beit.resize_mode == ResizeMode::kExact);
  PreprocessConfig siglip =
      Read(kVit, R"({"image_processor_type": "SiglipImageProcessor"})").preprocess;
  CHECK(siglip.resize_size == std::array{224, 224});
  CHECK(siglip.interpolation == Interpolation::kBicubic);
  PreprocessConfig convnext = Read(kVit, R"({"image_processor_type": "ConvNextImageProcessor",
      "size": {"shortest_edge": 224}})")
                                  .preprocess;
  CHECK(convnext.resize_size == std::array{256, 256});
  CHECK(convnext.resize_mode == ResizeMode::kShortestEdge);
  PreprocessConfig large = Read(R"({"model_type": "vit", "image_size": 384})",
                                R"({"image_processor_type": "ConvNextImageProcessor"})")
                               .preprocess;
  CHECK(large.resize_size == std::array{384, 384});
  CHECK(large.resize_mode == ResizeMode::kExact);
}

TEST_CASE("Fast image processors crop as torchvision and say what differs", "[config]") {
  PreprocessConfig fast =
      Read(kVit, R"({"image_processor_type": "ViTImageProcessorFast"})").preprocess;
  CHECK(fast.crop_rule == PreprocessConfig::CropRule::kTorchvision);
  CHECK(fast.note.starts_with("ViTImageProcessorFast resizes with PyTorch"));
}

TEST_CASE("Image processors without code here are refused by name", "[config]") {
  for (const char* processor :
       {R"({"image_processor_type": "SwinImageProcessor"})", R"({"resample": 4})",
        R"({"size": {"longest_edge": 224}})", R"({"size": {"shortest_edge": 224}})"}) {
    Error error = ErrorOf(kVit, processor);
    CHECK(error.status == Status::kUnsupported);
    CHECK(error.message.starts_with("preprocessor_config.json: "));
  }
  for (const char* processor :
       {"nonsense", "[]", R"({"size": 256})", R"({"size": "big"})", R"({"size": 0})",
        R"({"size": {"height": -1, "width": 5}})", R"({"rescale_factor": 0})",
        R"({"do_center_crop": true, "crop_size": 200})", R"({"image_std": [0, 1, 1]})"}) {
    CHECK(ErrorOf(kVit, processor).status == Status::kInvalidConfig);
  }
}

}  // namespace
}  // namespace vitrine::test
