#include "vitrine/plan.h"

#include <cmath>
#include <utility>

#include "vitrine/text.h"

namespace vitrine {
namespace {

/// Appends buffers, parameters and steps; the forward pass below is written with it.
class Builder {
 public:
  explicit Builder(const VitConfig& config) { plan_.config = config; }

  int AddBuffer(std::string name, int rows, int cols) {
    plan_.buffers.push_back({std::move(name), rows, cols});
    return static_cast<int>(plan_.buffers.size()) - 1;
  }

  /// The step's rows default to its whole output.
  Step& AddStep(StepKind kind, std::string name, int input, int output) {
    const int rows = plan_.buffers[output].rows;
    plan_.steps.push_back({.kind = kind,
                           .name = std::move(name),
                           .input = input,
                           .output = output,
                           .rows = rows,
                           .head_rows = rows});
    return plan_.steps.back();
  }

  /// A parameter of the step added last; they stand in the order of StepKind's formulas.
  void AddParameter(std::string name, std::vector<int64_t> shape) {
    const int index = static_cast<int>(plan_.parameters.size());
    plan_.parameters.push_back(
        {std::move(name), std::move(shape), static_cast<int>(plan_.steps.size()) - 1});
    plan_.steps.back().parameters.push_back(index);
  }

  Step& LayerNorm(const std::string& name, int input, int output) {
    AddStep(StepKind::kLayerNorm, name, input, output).eps = plan_.config.layer_norm_eps;
    AddParameter(name + ".weight", {plan_.buffers[output].cols});
    AddParameter(name + ".bias", {plan_.buffers[output].cols});
    return plan_.steps.back();
  }

  Step& Linear(const std::string& name, int input, int output, bool bias = true) {
    AddStep(StepKind::kLinear, name, input, output);
    AddParameter(name + ".weight", {plan_.buffers[output].cols, plan_.buffers[input].cols});
    if (bias) AddParameter(name + ".bias", {plan_.buffers[output].cols});
    return plan_.steps.back();
  }

  /// out = softmax(q k^T * scale) v of the rows of `qkv`.
  Step& Attention(const std::string& name, int qkv, int output) {
    const VitConfig& config = plan_.config;
    Step& step = AddStep(StepKind::kAttention, name, qkv, output);
    step.num_heads = config.num_heads;
    step.head_dim = config.head_dim();
    step.scale = config.qk_scale.value_or(1.0f / std::sqrt(static_cast<float>(config.head_dim())));
    return step;
  }

  /// output = input + other, row by row.
  Step& Add(const std::string& name, int input, int other, int output) {
    Step& step = AddStep(StepKind::kAdd, name, input, output);
    step.other = other;
    return step;
  }

  /// A token in front of the patches, or (the first) what is added to all of them.
  void EmbedParameter(const std::string& name, int row, int num_rows) {
    AddParameter(name, {1, num_rows, plan_.config.embed_dim});
    plan_.steps.back().parameter_rows.push_back(row);
  }

  Plan& plan() { return plan_; }

 private:
  Plan plan_;
};

}  // namespace

std::string_view StepKindName(StepKind kind) {
  switch (kind) {
    case StepKind::kPatchEmbed:
      return "patch_embed";
    case StepKind::kEmbed:
      return "embed";
    case StepKind::kLayerNorm:
      return "layer_norm";
    case StepKind::kLinear:
      return "linear";
    case StepKind::kAttention:
      return "attention";
    case StepKind::kAdd:
      return "add";
    case StepKind::kPool:
      return "pool";
    case StepKind::kAverage:
      return "average";
  }
  return "";
}

int64_t Plan::num_parameters() const {
  int64_t count = 0;
  for (const Parameter& parameter : parameters) count += parameter.num_elements();
  return count;
}

double Plan::flops(Want want) const {
  double total = 0;
  for (const Step& step : steps) total += flops(step, want);
  return total;
}

double Plan::flops(const Step& step, Want want) const {
  const double rows = step.Rows(want);
  if (step.kind == StepKind::kPatchEmbed || step.kind == StepKind::kLinear) {
    return 2.0 * rows * buffers[step.input].cols * buffers[step.output].cols;
  }
  if (step.kind == StepKind::kAttention) {  // q k^T and the product with v
    return 4.0 * rows * buffers[step.input].rows * buffers[step.output].cols;
  }
  return 0;
}

// timm/models/vision_transformer.py: VisionTransformer.forward, line by line.
Result<Plan> BuildPlan(const VitConfig& config) {
  if (Result<void> valid = Validate(config); !valid) return Forward(valid);

  const int num_tokens = config.num_tokens();
  const int embed_dim = config.embed_dim;
  const int num_prefix = config.num_prefix_tokens();
  const bool pool_tokens = config.global_pool == GlobalPool::kToken;

  Builder build(config);
  Plan& plan = build.plan();
  plan.input = build.AddBuffer("patches", config.num_patches(), config.patch_dim());
  const int x = build.AddBuffer("x", num_tokens, embed_dim);  // the residual stream
  const int y = build.AddBuffer("y", num_tokens, embed_dim);  // a branch's input
  const int z = build.AddBuffer("z", num_tokens, embed_dim);  // a branch's output
  const int qkv = build.AddBuffer("qkv", num_tokens, 3 * embed_dim);
  const int hidden = build.AddBuffer("hidden", num_tokens, config.mlp_hidden_dim);

  // x = self.patch_embed(x)
  Step& patch_embed = build.AddStep(StepKind::kPatchEmbed, "patch_embed", plan.input, x);
  patch_embed.rows = patch_embed.head_rows = config.num_patches();
  patch_embed.output_row = num_prefix;
  build.AddParameter("patch_embed.proj.weight",
                     {embed_dim, config.in_chans, config.patch_size[0], config.patch_size[1]});
  build.AddParameter("patch_embed.proj.bias", {embed_dim});

  // x = self._pos_embed(x)
  build.AddStep(StepKind::kEmbed, "embed", x, x);
  build.EmbedParameter("pos_embed", 0, num_tokens);
  if (config.class_token) build.EmbedParameter("cls_token", 0, 1);
  if (config.distilled) build.EmbedParameter("dist_token", num_prefix - 1, 1);

  // x = self.blocks(x)
  for (int i = 0; i < config.depth; ++i) {
    const std::string block = Concat("blocks.", i);
    const size_t first_of_block = plan.steps.size();
    // x = x + self.attn(self.norm1(x))
    build.LayerNorm(block + ".norm1", x, y);
    build.Linear(block + ".attn.qkv", y, qkv, config.qkv_bias);
    build.Attention(block + ".attn.heads", qkv, y);
    build.Linear(block + ".attn.proj", y, z);
    build.Add(block + ".attn.residual", z, x, x);
    // x = x + self.mlp(self.norm2(x))
    build.LayerNorm(block + ".norm2", x, y);
    build.Linear(block + ".mlp.fc1", y, hidden).activation = config.act_layer;
    build.Linear(block + ".mlp.fc2", hidden, z);
    build.Add(block, z, x, x);
    // The last block's patch tokens are read by its own keys and values only.
    if (i == config.depth - 1 && pool_tokens) {
      for (size_t s = first_of_block + 2; s < plan.steps.size(); ++s)
        plan.steps[s].head_rows = num_prefix;
    }
  }

  // x = self.norm(x)
  plan.tokens = x;
  if (!config.fc_norm) {
    plan.tokens = y;
    Step& norm = build.LayerNorm("norm", x, y);
    if (pool_tokens) norm.head_rows = num_prefix;
  }

  // x = self.fc_norm(pool(x)): the class token, the mean of the patch tokens, or, for the features
  // of a distilled model, the mean of its two prefix tokens.
  plan.features = build.AddBuffer("pooled", 1, embed_dim);
  Step& pool = build.AddStep(StepKind::kPool, "pool", plan.tokens, plan.features);
  pool.input_row = pool_tokens ? 0 : num_prefix;
  pool.input_rows =
      pool_tokens ? (config.distilled && config.head_dist ? 2 : 1) : config.num_patches();
  if (config.fc_norm) build.LayerNorm("fc_norm", plan.features, plan.features);

  // x = self.pre_logits(x)
  if (config.representation_size > 0 && !config.distilled) {
    const int pooled =
        std::exchange(plan.features, build.AddBuffer("pre_logits", 1, config.representation_size));
    Step& pre_logits = build.AddStep(StepKind::kLinear, "pre_logits", pooled, plan.features);
    pre_logits.activation = Activation::kTanh;
    build.AddParameter("pre_logits.fc.weight", {config.representation_size, embed_dim});
    build.AddParameter("pre_logits.fc.bias", {config.representation_size});
  }

  // x = self.head(x)
  plan.output = plan.features;
  if (config.num_classes > 0) {
    plan.output = build.AddBuffer("logits", 1, config.num_classes);
    if (config.distilled && config.head_dist) {
      // x, x_dist = self.head(x[0]), self.head_dist(x[1]); return (x + x_dist) / 2
      const int logits_dist = build.AddBuffer("logits_dist", 1, config.num_classes);
      build.Linear("head", plan.tokens, plan.output);
      build.Linear("head_dist", plan.tokens, logits_dist).input_row = 1;
      build.AddStep(StepKind::kAverage, "average", logits_dist, plan.output).other = plan.output;
    } else {
      build.Linear("head", plan.features, plan.output);
    }
  }
  return std::move(plan);
}

}  // namespace vitrine
