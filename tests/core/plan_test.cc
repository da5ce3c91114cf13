#include "vitrine/plan.h"

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

namespace vitrine {
namespace {

VitConfig Tiny() {
  VitConfig config;
  config.embed_dim = 192;
  config.depth = 12;
  config.num_heads = 3;
  config.mlp_hidden_dim = 768;
  return config;
}

Plan Build(const VitConfig& config) {
  Result<Plan> plan = BuildPlan(config);
  REQUIRE(plan.has_value());
  return *plan;
}

const Step* Find(const Plan& plan, const std::string& name) {
  for (const Step& step : plan.steps) {
    if (step.name == name) return &step;
  }
  return nullptr;
}

bool HasParameter(const Plan& plan, const std::string& name) {
  return std::ranges::any_of(plan.parameters, [&](const Parameter& p) { return p.name == name; });
}

TEST_CASE("ViT-Tiny has timm's parameters", "[plan]") {
  const Plan plan = Build(Tiny());
  CHECK(plan.num_parameters() == 5717416);  // timm: sum(p.numel() for p in model.parameters())
  CHECK(plan.parameters.size() == 152);
  CHECK(plan.flops(Want::kTokens) / 2e9 > 1.25);  // timm's results table: 1.3 GMACs
  CHECK(plan.flops(Want::kTokens) / 2e9 < 1.3);
  CHECK(HasParameter(plan, "blocks.11.attn.qkv.bias"));
  CHECK(Find(plan, "blocks.11")->kind == StepKind::kAdd);
}

TEST_CASE("every index of a plan is in range and every buffer is big enough", "[plan]") {
  VitConfig avg = Tiny();
  avg.global_pool = GlobalPool::kAvg;
  avg.fc_norm = true;
  VitConfig distilled = Tiny();
  distilled.distilled = true;
  VitConfig headless = Tiny();
  headless.num_classes = 0;
  headless.representation_size = 100;
  for (const VitConfig& config : {Tiny(), avg, distilled, headless}) {
    const Plan plan = Build(config);
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      CAPTURE(step.name);
      CHECK(step.head_rows <= step.rows);
      CHECK(step.output_row + step.rows <= plan.buffers[step.output].rows);
      CHECK(step.input_row + std::max(1, step.input_rows) <= plan.buffers[step.input].rows);
      for (int parameter : step.parameters)
        CHECK(plan.parameters[parameter].step == static_cast<int>(i));
    }
  }
}

TEST_CASE("a model that classifies by its token skips the last block's patch tokens", "[plan]") {
  const Plan token = Build(Tiny());
  CHECK(Find(token, "blocks.11.attn.qkv")->head_rows == 197);
  CHECK(Find(token, "blocks.11.attn.heads")->head_rows == 1);
  CHECK(Find(token, "blocks.11.mlp.fc1")->head_rows == 1);
  CHECK(Find(token, "blocks.10.mlp.fc1")->head_rows == 197);
  CHECK(token.flops(Want::kHead) < 0.95 * token.flops(Want::kTokens));

  VitConfig config = Tiny();
  config.global_pool = GlobalPool::kAvg;
  const Plan avg = Build(config);
  CHECK(avg.flops(Want::kHead) == avg.flops(Want::kTokens));
}

TEST_CASE("the constructor's arguments have their place in the plan", "[plan]") {
  VitConfig config = Tiny();
  config.qkv_bias = false;
  CHECK_FALSE(HasParameter(Build(config), "blocks.0.attn.qkv.bias"));

  config = Tiny();
  config.representation_size = 64;
  CHECK(Find(Build(config), "pre_logits")->activation == Activation::kTanh);
  config.distilled = true;  // timm: distilled models have no pre_logits
  CHECK(Find(Build(config), "pre_logits") == nullptr);
  CHECK(HasParameter(Build(config), "head_dist.weight"));
  config.head_dist = false;
  CHECK_FALSE(HasParameter(Build(config), "head_dist.weight"));
  CHECK(HasParameter(Build(config), "dist_token"));

  config = Tiny();
  config.num_classes = 0;
  const Plan headless = Build(config);
  CHECK(headless.output == headless.features);

  config = Tiny();
  config.global_pool = GlobalPool::kAvg;
  config.fc_norm = true;
  CHECK(Find(Build(config), "norm") == nullptr);
  CHECK(Find(Build(config), "fc_norm") != nullptr);
}

TEST_CASE("an invalid config gives an error, not a plan", "[plan]") {
  VitConfig config = Tiny();
  config.num_heads = 5;
  CHECK(BuildPlan(config).error().status == Status::kInvalidConfig);
}

TEST_CASE("a plan as JSON names its steps", "[plan]") {
  const std::string json = PlanJson(Build(Tiny()));
  CHECK(
      json.starts_with("{\"input\":0,\"tokens\":2,\"features\":6,\"output\":7,"
                       "\"buffers\":[{\"name\":\"patches\",\"rows\":196,\"cols\":768},"));
  CHECK(json.find("\"eps\":9.99999997e-7") != std::string::npos);
  CHECK(json.find("\"num_heads\":3,\"head_dim\":64,\"scale\":1.25e-1") != std::string::npos);
  CHECK(json.find("\"name\":\"blocks.11.mlp.fc2\"") != std::string::npos);
  CHECK(json.find("\"activation\":\"gelu\"") != std::string::npos);
}

}  // namespace
}  // namespace vitrine
