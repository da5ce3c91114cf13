// The model stated once: a VitConfig lowered to a flat list of steps over named buffers.
#ifndef VITRINE_PLAN_H_
#define VITRINE_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"

namespace vitrine {

/// A float32 matrix [rows, cols] that steps read and write.
struct PlanBuffer {
  std::string name;
  int rows;
  int cols;
};

/// A weight tensor by timm's name and shape, float32 once loaded.
struct Parameter {
  std::string name;            // "blocks.3.attn.qkv.weight"
  std::vector<int64_t> shape;  // [3 * embed_dim, embed_dim]
  int step;                    // index of the step that uses it

  int64_t num_elements() const;
};

enum class StepKind {
  kPatchEmbed,  // linear over unfolded patches, written below the prefix tokens
  kEmbed,       // prefix tokens put in front, position embedding added; in place
  kLayerNorm,
  kLinear,     // x W^T + b, then `activation`
  kAttention,  // softmax(q k^T * scale) v over the heads of a qkv buffer
  kAdd,        // output += input (a residual)
  kPool,       // the mean of `input_rows` rows -> one row (one row: the class token)
  kAverage,    // output = (output + input) / 2: the two heads of a distilled model
};

std::string_view StepKindName(StepKind kind);

/// One operation. Names are the prefixes of the timm tensors it uses ("blocks.3.attn.qkv"), or of
/// the module whose output it completes ("blocks.3" for the block's last residual).
struct Step {
  StepKind kind;
  std::string name;
  int input;      // buffer index
  int output;     // buffer index
  int rows;       // rows computed when every token is wanted
  int head_rows;  // rows computed when only the head's output is: after the last attention nobody
                  // reads the patch tokens of a model that classifies by its prefix tokens
  int input_row = 0;   // first row read from `input`
  int input_rows = 0;  // kPool: how many rows are averaged
  int output_row = 0;  // first row written to `output`
  Activation activation = Activation::kNone;
  std::vector<int> parameters =
      {};  // indices into Plan::parameters; see plan.cc for the order per kind
};

/// Buffers, parameters and steps of one network; what executors run and what `vitrine info` prints.
struct Plan {
  VitConfig config;
  std::vector<PlanBuffer> buffers;
  std::vector<Parameter> parameters;
  std::vector<Step> steps;
  int input;     // buffer of unfolded patches [num_patches, in_chans * patch_h * patch_w]
  int tokens;    // buffer of forward_features [num_tokens, embed_dim]
  int features;  // buffer of the embedding before the head(s) [1, num_features]
  int output;    // buffer of the logits [1, num_classes]; the features when num_classes is 0

  int64_t num_parameters() const;  // elements, not tensors
  /// Floating-point operations of the linear and attention steps of one run, a multiply-add counted
  /// as two: with every token, or only what the head needs.
  double flops(bool every_token) const;
  /// Those of one step; 0 for the kinds that are not counted.
  double flops(const Step& step, bool every_token) const;
};

/// Lowers a validated config. Reads like timm's VisionTransformer.forward().
[[nodiscard]] Result<Plan> BuildPlan(const VitConfig& config);

/// The plan as JSON ({"buffers": [...], "parameters": [...], "steps": [...]}).
std::string PlanJson(const Plan& plan);

}  // namespace vitrine

#endif  // VITRINE_PLAN_H_
