// What a model is, apart from what runs it: pictures to patches, logits to labels.
#ifndef VITRINE_MODEL_H_
#define VITRINE_MODEL_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"
#include "vitrine/image.h"
#include "vitrine/plan.h"

namespace vitrine {

struct Label {
  int index;
  std::string label;  // "" where the model has no names
  float score;        // softmax probability, or sigmoid: see ModelConfig::scores
};

/// Config, plan, preprocessing and labels of one model folder. Immutable.
class Model {
 public:
  /// Errors: those of ReadModelConfig and BuildPlan.
  [[nodiscard]] static Result<std::shared_ptr<const Model>> Create(const ModelFiles& files);

  const ModelConfig& config() const { return config_; }
  const Plan& plan() const { return *plan_; }
  std::shared_ptr<const Plan> shared_plan() const { return plan_; }

  /// Floats in what an executor reads: the plan's `input` [num_patches, patch_dim].
  size_t num_patch_values() const;
  /// Resizes, crops, normalises and unfolds a picture into `patches` [num_patch_values()].
  /// kInvalidArgument where the model is not for pictures of three channels.
  [[nodiscard]] Result<void> ReadPatches(const Image& image, Alpha alpha,
                                         std::span<float> patches) const;
  /// The same of a normalised tensor [in_chans, height, width] of finite values.
  [[nodiscard]] Result<void> ReadPatchesOfTensor(std::span<const float> tensor,
                                                 std::span<float> patches) const;

  /// Softmax over the classes, or each class's sigmoid as config().scores says; the top_k best (all
  /// when top_k exceeds num_classes), best first; of equal ones the lower index first.
  /// kInvalidArgument when CheckTopK says so, or on another number of logits than num_classes.
  [[nodiscard]] Result<std::vector<Label>> ReadLabels(std::span<const float> logits,
                                                      int top_k) const;
  /// kInvalidArgument when top_k < 1 or the model has no head (num_classes 0: use its features).
  [[nodiscard]] Result<void> CheckTopK(int top_k) const;

 private:
  Model(ModelConfig config, Plan plan);

  ModelConfig config_;
  std::shared_ptr<const Plan> plan_;
};

class Executor;

/// {"architecture":…, "parameters":…, "img_size":…, "num_classes":…, "preprocess":{…}}, and with an
/// executor {"threads":…, "isa":…, "memory":{"weights":…, "activations":…}}: what `vitrine info`
/// prints and the page shows.
std::string InfoJson(const Model& model, const Executor* executor);
/// {"status":"invalid_image","message":"…"}
std::string ErrorJson(const Error& error);

}  // namespace vitrine

#endif  // VITRINE_MODEL_H_
