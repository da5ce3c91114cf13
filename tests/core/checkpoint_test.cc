#include "weights/checkpoint.h"

#include <bit>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <limits>

#include "base/finite.h"
#include "checkpoint_support.h"

namespace vitrine::test {
namespace {

std::string Mapped(std::string_view name) {
  TimmName timm = ToTimmName(name);
  return timm.num_parts == 1
             ? timm.name
             : timm.name + " " + std::to_string(timm.part) + "/" + std::to_string(timm.num_parts);
}

TEST_CASE("Hugging Face's names become timm's", "[checkpoint]") {
  CHECK(Mapped("vit.embeddings.cls_token") == "cls_token");
  CHECK(Mapped("embeddings.cls_token") == "cls_token");
  CHECK(Mapped("deit.embeddings.distillation_token") == "dist_token");
  CHECK(Mapped("vit.embeddings.position_embeddings") == "pos_embed");
  CHECK(Mapped("vit.embeddings.patch_embeddings.projection.weight") == "patch_embed.proj.weight");
  CHECK(Mapped("vit.encoder.layer.11.attention.attention.query.weight") ==
        "blocks.11.attn.qkv.weight 0/3");
  CHECK(Mapped("vit.encoder.layer.0.attention.attention.key.bias") == "blocks.0.attn.qkv.bias 1/3");
  CHECK(Mapped("encoder.layer.3.attention.attention.value.weight") ==
        "blocks.3.attn.qkv.weight 2/3");
  CHECK(Mapped("deit.encoder.layer.3.attention.output.dense.bias") == "blocks.3.attn.proj.bias");
  CHECK(Mapped("vit.encoder.layer.3.layernorm_before.weight") == "blocks.3.norm1.weight");
  CHECK(Mapped("vit.encoder.layer.3.layernorm_after.weight") == "blocks.3.norm2.weight");
  CHECK(Mapped("vit.encoder.layer.3.intermediate.dense.weight") == "blocks.3.mlp.fc1.weight");
  CHECK(Mapped("vit.encoder.layer.3.output.dense.weight") == "blocks.3.mlp.fc2.weight");
  CHECK(Mapped("vit.layernorm.bias") == "norm.bias");
  CHECK(Mapped("classifier.weight") == "head.weight");
  CHECK(Mapped("cls_classifier.bias") == "head.bias");
  CHECK(Mapped("distillation_classifier.weight") == "head_dist.weight");
}

TEST_CASE("timm's names stay, and so does what nobody knows", "[checkpoint]") {
  for (const char* name :
       {"cls_token", "blocks.3.attn.qkv.weight", "norm.weight", "head.bias", "", "encoder.layer.",
        "encoder.layer.3", "encoder.layer.3.", "encoder.layer.x.y"}) {
    CHECK(Mapped(name) == name);
  }
  CHECK(Mapped("timm_model.blocks.3.norm1.weight") == "blocks.3.norm1.weight");
}

TEST_CASE("the names of wrappers around a model are taken off, also nested", "[checkpoint]") {
  for (const char* wrapper :
       {"_orig_mod.", "module.", "model.", "module._orig_mod.", "model._orig_mod.module."}) {
    CHECK(Mapped(std::string(wrapper) + "blocks.3.norm1.weight") == "blocks.3.norm1.weight");
    CHECK(Mapped(std::string(wrapper) + "vit.layernorm.bias") == "norm.bias");
  }
}

float Widen(DType dtype, uint16_t half) {
  float value = 0;
  std::memcpy(reinterpret_cast<char*>(&value) + 2, &half, 2);
  WidenInPlace(dtype, {&value, 1});
  return value;
}

TEST_CASE("Every half-precision number widens exactly", "[checkpoint]") {
  CHECK(Widen(DType::kF16, 0x3C00) == 1.0f);
  CHECK(Widen(DType::kF16, 0xC000) == -2.0f);
  CHECK(Widen(DType::kF16, 0x7BFF) == 65504.0f);
  CHECK(Widen(DType::kF16, 0x0001) == 0x1p-24f);
  CHECK(Widen(DType::kF16, 0x03FF) == 0x1.ff8p-15f);
  CHECK(std::signbit(Widen(DType::kF16, 0x8000)));
  CHECK(Widen(DType::kF16, 0xFC00) == -std::numeric_limits<float>::infinity());
  CHECK(std::isnan(Widen(DType::kF16, 0x7E00)));
  int wrong = 0;
  for (int half = 0; half < 0x7C00; ++half) {
    int exponent = half >> 10, mantissa = half & 0x3FF;
    double expected =
        exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    wrong += Widen(DType::kF16, static_cast<uint16_t>(half)) != expected;
    wrong += Widen(DType::kF16, static_cast<uint16_t>(half | 0x8000)) != -expected;
  }
  CHECK(wrong == 0);
}

TEST_CASE("bfloat16 is the upper half of float32", "[checkpoint]") {
  CHECK(Widen(DType::kBF16, 0x3F80) == 1.0f);
  CHECK(Widen(DType::kBF16, 0xC049) == -3.140625f);
  CHECK(std::isnan(Widen(DType::kBF16, 0x7FC0)));
}

TEST_CASE("Widening in place loses nothing whatever the length", "[checkpoint]") {
  for (size_t count : {1, 2, 3, 255, 256, 257, 511, 512, 513, 1000, 4097}) {
    std::vector<float> values(count);
    auto* halves = reinterpret_cast<char*>(values.data()) + 2 * count;
    for (size_t i = 0; i < count; ++i) {
      auto half = static_cast<uint16_t>(i * 7919 % 0x7C00);
      std::memcpy(halves + 2 * i, &half, 2);
    }
    WidenInPlace(DType::kF16, values);
    size_t wrong = 0;
    for (size_t i = 0; i < count; ++i) {
      wrong += values[i] != Widen(DType::kF16, static_cast<uint16_t>(i * 7919 % 0x7C00));
    }
    CHECK(wrong == 0);
  }
}

TEST_CASE("The first value that is not finite is found", "[checkpoint]") {
  for (size_t count : {0, 1, 1023, 1024, 1025, 5000}) {
    std::vector<float> values(count, std::numeric_limits<float>::max());
    CHECK(FindNonFinite(values) == count);
    for (size_t place : {size_t{0}, count / 2, count - 1}) {
      if (place >= count) continue;
      std::vector<float> bad = values;
      bad[place] = -std::numeric_limits<float>::infinity();
      CHECK(FindNonFinite(bad) == place);
      bad[place] = std::numeric_limits<float>::quiet_NaN();
      CHECK(FindNonFinite(bad) == place);
    }
  }
}

// ---- MapTensors ----

Plan LittlePlan(const VitConfig& config = LittleConfig()) {
  auto plan = BuildPlan(config);
  REQUIRE(plan.has_value());
  return *plan;
}

std::vector<TensorInfo> InfosOf(const Plan& plan) {
  std::vector<TensorInfo> infos;
  for (const Parameter& parameter : plan.parameters)
    infos.push_back({parameter.name, "F32", parameter.shape, 0, 0});
  return infos;
}

TensorInfo& Named(std::vector<TensorInfo>& infos, std::string_view name) {
  for (TensorInfo& info : infos) {
    if (info.name == name) return info;
  }
  FAIL("no tensor " << name);
  return infos[0];
}

Error ErrorOf(const std::vector<TensorInfo>& infos, const Plan& plan) {
  auto mapped = MapTensors(infos, plan);
  REQUIRE_FALSE(mapped.has_value());
  return mapped.error();
}

TEST_CASE("Every tensor of a timm checkpoint has its parameter", "[checkpoint]") {
  Plan plan = LittlePlan();
  auto targets = MapTensors(InfosOf(plan), plan);
  REQUIRE(targets.has_value());
  for (size_t i = 0; i < targets->size(); ++i) {
    CHECK((*targets)[i].parameter == static_cast<int>(i));
    CHECK((*targets)[i].offset == 0);
    CHECK((*targets)[i].count == static_cast<size_t>(plan.parameters[i].num_elements()));
  }
}

TEST_CASE("Query, key and value are rows of qkv", "[checkpoint]") {
  Plan plan = LittlePlan();
  std::vector<TensorInfo> infos = InfosOf(plan);
  Named(infos, "blocks.0.attn.qkv.weight") = {
      "vit.encoder.layer.0.attention.attention.query.weight", "F16", {6, 6}, 0, 0};
  infos.push_back({"vit.encoder.layer.0.attention.attention.value.weight", "F16", {6, 6}, 0, 0});
  CHECK(ErrorOf(infos, plan).message.find("1 of 20 tensors missing: blocks.0.attn.qkv.weight") !=
        std::string::npos);
  infos.push_back({"vit.encoder.layer.0.attention.attention.key.weight", "BF16", {6, 6}, 0, 0});
  auto targets = MapTensors(infos, plan);
  REQUIRE(targets.has_value());
  const TensorTarget& key = targets->back();
  CHECK(plan.parameters[key.parameter].name == "blocks.0.attn.qkv.weight");
  CHECK(key.offset == 36);
  CHECK(key.count == 36);
  CHECK(key.dtype == DType::kBF16);
}

TEST_CASE("A shape of another model is refused in words", "[checkpoint]") {
  Plan plan = LittlePlan();
  std::vector<TensorInfo> infos = InfosOf(plan);
  Named(infos, "blocks.0.attn.qkv.weight").shape = {9, 3};
  Error error = ErrorOf(infos, plan);
  CHECK(error.status == Status::kInvalidCheckpoint);
  CHECK(error.message ==
        "blocks.0.attn.qkv.weight: shape [9, 3], expected [18, 6] for embed_dim 6; is config.json "
        "from "
        "another model?");
  // Equal numbers of elements are not equal shapes.
  infos = InfosOf(plan);
  Named(infos, "blocks.0.mlp.fc1.weight").shape = {6, 10};
  CHECK(ErrorOf(infos, plan).status == Status::kInvalidCheckpoint);
  infos = InfosOf(plan);
  Named(infos, "pos_embed").shape = {1, 17, 6};
  CHECK(ErrorOf(infos, plan).message.find("another img_size") != std::string::npos);
}

TEST_CASE("A tensor that nobody knows is refused with what to check", "[checkpoint]") {
  Plan plan = LittlePlan();
  const struct {
    const char* name;
    Status status;
    const char* part;
  } kCases[] = {
      {"blocks.1.norm1.weight", Status::kInvalidCheckpoint, "depth 1"},
      {"pre_logits.fc.weight", Status::kInvalidCheckpoint, "representation_size"},
      {"fc_norm.weight", Status::kInvalidCheckpoint, "global_pool"},
      {"dist_token", Status::kInvalidCheckpoint, "distilled"},
      {"head_dist.weight", Status::kInvalidCheckpoint, "distilled"},
      {"blocks.0.ls1.gamma", Status::kUnsupported, "layer scale"},
      {"reg_token", Status::kUnsupported, "register tokens"},
      {"blocks.0.attn.q_norm.weight", Status::kUnsupported, "qk_norm"},
      {"conv1.weight", Status::kInvalidCheckpoint, "another model"},
  };
  for (const auto& c : kCases) {
    std::vector<TensorInfo> infos = InfosOf(plan);
    infos.push_back({c.name, "F32", {6}, 0, 0});
    Error error = ErrorOf(infos, plan);
    INFO(error.message);
    CHECK(error.status == c.status);
    CHECK(error.message.starts_with(std::string(c.name) + ": "));
    CHECK(error.message.find(c.part) != std::string::npos);
  }
}

TEST_CASE("What inference does not need is skipped", "[checkpoint]") {
  VitConfig config = LittleConfig();
  config.num_classes = 0;
  Plan plan = LittlePlan(config);
  std::vector<TensorInfo> infos = InfosOf(plan);
  size_t needed = infos.size();
  for (const char* name :
       {"vit.pooler.dense.weight", "pooler.dense.bias", "mask_token", "vit.embeddings.mask_token",
        "embeddings.position_ids", "head.weight", "classifier.bias", "head_dist.weight"}) {
    infos.push_back({name, "I64", {3, 4, 5}, 0, 0});
  }
  auto targets = MapTensors(infos, plan);
  REQUIRE(targets.has_value());
  for (size_t i = needed; i < targets->size(); ++i) CHECK((*targets)[i].parameter == -1);
}

TEST_CASE("A head that the config has is needed", "[checkpoint]") {
  Plan plan = LittlePlan();
  std::vector<TensorInfo> infos = InfosOf(plan);
  std::erase_if(infos, [](const TensorInfo& info) { return info.name.starts_with("head."); });
  CHECK(ErrorOf(infos, plan).message ==
        "model.safetensors: 2 of 20 tensors missing: head.weight, head.bias; is config.json from "
        "another "
        "model?");
  infos.clear();
  CHECK(ErrorOf(infos, plan).message.find("20 of 20 tensors missing: ") != std::string::npos);
}

TEST_CASE("Two names of one parameter are refused", "[checkpoint]") {
  Plan plan = LittlePlan();
  std::vector<TensorInfo> infos = InfosOf(plan);
  infos.push_back({"vit.layernorm.weight", "F32", {6}, 0, 0});
  CHECK(ErrorOf(infos, plan).message.find("both are norm.weight") != std::string::npos);
  infos = InfosOf(plan);
  infos.push_back({"encoder.layer.0.attention.attention.key.weight", "F32", {6, 6}, 0, 0});
  CHECK(ErrorOf(infos, plan).message.find("both are blocks.0.attn.qkv.weight") !=
        std::string::npos);
}

TEST_CASE("A dtype that is not read is refused, but only where it matters", "[checkpoint]") {
  Plan plan = LittlePlan();
  std::vector<TensorInfo> infos = InfosOf(plan);
  Named(infos, "norm.weight").dtype = "F64";
  Error error = ErrorOf(infos, plan);
  CHECK(error.status == Status::kUnsupported);
  CHECK(error.message == "norm.weight: dtype F64, supported are F32, F16 and BF16");
}

}  // namespace
}  // namespace vitrine::test
