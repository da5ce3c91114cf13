// The model stated once: a VitConfig lowered to a flat list of steps over named buffers.
#ifndef VITRINE_PLAN_H_
#define VITRINE_PLAN_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"
#include "vitrine/tensor.h"

namespace vitrine {

/// A float32 matrix [rows, cols] that steps read and write.
struct PlanBuffer {
  std::string name;
  int rows;
  int cols;
};

/// A weight tensor by timm's name and shape.
struct Parameter {
  std::string name;            // "blocks.3.attn.qkv.weight"
  std::vector<int64_t> shape;  // [3 * embed_dim, embed_dim]
  int step;                    // index of the step that uses it

  int64_t num_elements() const { return NumElements(shape); }
};

/// What a run has to compute.
enum class Want {
  kHead,    // the head's output and the features; patch tokens nobody reads are skipped
  kTokens,  // every row of every step: forward_features, golden tests, profiles
};

/// In the formulas `in`, `other` and `out` are rows of the step's buffers, P its parameters in
/// their order.
enum class StepKind {
  kPatchEmbed,  // out = in P0^T + P1: linear over unfolded patches (P0 as a matrix)
  kEmbed,       // out rows parameter_rows[i].. = Pi (i > 0); then rows parameter_rows[0].. += P0
  kLayerNorm,   // out = (in - mean) / sqrt(variance + eps) * P0 + P1
  kLinear,      // out = activation(in P0^T + P1); P1 may be absent
  kAttention,   // out = softmax(q k^T * scale) v for each head; a row of `in` is [q, k, v], each
                // [num_heads, head_dim]; keys and values are all rows of `in`
  kAdd,         // out = in + other: a residual
  kPool,        // out = the mean of `input_rows` rows of in
  kAverage,     // out = (in + other) / 2: the two heads of a distilled model
};

std::string_view StepKindName(StepKind kind);

/// One operation with all that is needed to run it. Names are the prefixes of the timm tensors it
/// uses ("blocks.3.attn.qkv"), or of the module whose output it completes ("blocks.3" for the
/// block's last residual). `output` may be `input` or `other`.
struct Step {
  StepKind kind;
  std::string name;
  int input;       // buffer index
  int other = -1;  // kAdd, kAverage: buffer index of the second operand
  int output;      // buffer index
  int rows;        // rows computed when every token is wanted
  int head_rows;   // rows computed when only the head's output is: after the last attention nobody
                   // reads the patch tokens of a model that classifies by its prefix tokens
  int input_row = 0;                          // first row read from `input`
  int input_rows = 0;                         // kPool: how many rows are averaged
  int output_row = 0;                         // first row written to `output` and read from `other`
  Activation activation = Activation::kNone;  // kLinear
  float eps = 0;                              // kLayerNorm
  int num_heads = 0;                          // kAttention
  int head_dim = 0;                           // kAttention
  float scale = 0;                            // kAttention: of q k^T
  std::vector<int> parameters = {};           // indices into Plan::parameters
  std::vector<int> parameter_rows = {};       // kEmbed: each parameter's first row of `output`

  int Rows(Want want) const { return want == Want::kHead ? head_rows : rows; }
};

/// Buffers, parameters and steps of one network. An executor needs nothing else but the values of
/// the parameters.
struct Plan {
  VitConfig config;  // what the plan was made of: for messages and names; no executor reads it
  std::vector<PlanBuffer> buffers;
  std::vector<Parameter> parameters;
  std::vector<Step> steps;
  // The roles of buffers, as indices.
  int input;     // unfolded patches [num_patches, in_chans * patch_h * patch_w], each patch in the
                 // order of patch_embed.proj.weight ([in_chans, patch_h, patch_w])
  int tokens;    // forward_features [num_tokens, embed_dim]
  int features;  // the embedding before the head(s) [1, num_features]
  int output;    // the logits [1, num_classes]; the features when num_classes is 0

  int64_t num_parameters() const;  // elements, not tensors
  /// Floating-point operations of the linear and attention steps of one run, a multiply-add counted
  /// as two.
  double flops(Want want) const;
  /// Those of one step; 0 for the kinds that are not counted.
  double flops(const Step& step, Want want) const;
};

/// Lowers a validated config. Reads like timm's VisionTransformer.forward().
[[nodiscard]] Result<Plan> BuildPlan(const VitConfig& config);

/// All of the plan but its config, for executors in other languages:
/// {"input":0,"tokens":2,"features":6,"output":7,
///  "buffers":[{"name":"patches","rows":196,"cols":768},…],
///  "parameters":[{"name":…,"dtype":"F32","shape":[…]},…],
///  "steps":[{"kind":"linear","name":…,"input":2,"output":4,"rows":197,"head_rows":197,
///            "parameters":[4,5],"activation":"gelu"},…]}
/// A step's other keys are those of Step that its kind uses; input_row and output_row are always
/// there.
std::string PlanJson(const Plan& plan);

}  // namespace vitrine

#endif  // VITRINE_PLAN_H_
