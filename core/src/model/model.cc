#include "vitrine/model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/finite.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

/// What the logits are worth, in double: the sum is exact enough to show.
std::vector<float> ScoresOf(std::span<const float> logits, Scores kind) {
  std::vector<float> scores;
  scores.reserve(logits.size());
  if (kind == Scores::kSigmoid) {
    for (const double logit : logits)
      scores.push_back(static_cast<float>(1 / (1 + std::exp(-logit))));
    return scores;
  }
  // Relative to the largest logit: no overflow.
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);
  for (const float logit : logits)
    scores.push_back(static_cast<float>(std::exp(logit - largest) / sum));
  return scores;
}

}  // namespace

Model::Model(ModelConfig config, Plan plan)
    : config_(std::move(config)), plan_(std::make_shared<const Plan>(std::move(plan))) {}

Result<std::shared_ptr<const Model>> Model::Create(const ModelFiles& files) {
  Result<ModelConfig> config = ReadModelConfig(files);
  if (!config) return Forward(config);
  Result<Plan> plan = BuildPlan(config->vit);
  if (!plan) return Forward(plan);
  return std::shared_ptr<const Model>(new Model(std::move(*config), std::move(*plan)));
}

size_t Model::num_patch_values() const {
  const PlanBuffer& input = plan_->buffers[plan_->input];
  return static_cast<size_t>(input.rows) * input.cols;
}

Result<void> Model::ReadPatches(const Image& image, Alpha alpha, std::span<float> patches) const {
  if (config_.vit.in_chans != 3) {
    return Fail(Status::kInvalidArgument,
                Expected("in_chans", config_.vit.in_chans, "3 to run on pictures",
                         "give this model a normalised tensor"));
  }
  const Result<Image> cropped = ResizeAndCrop(image, config_.preprocess, alpha);
  if (!cropped) return Forward(cropped);
  return Unfold(*cropped, config_.preprocess, config_.vit, patches);
}

Result<void> Model::ReadPatchesOfTensor(std::span<const float> tensor,
                                        std::span<float> patches) const {
  if (!AllFinite(tensor)) {
    return Fail(Status::kInvalidArgument,
                "tensor: holds infinite or NaN values, expected finite ones");
  }
  return UnfoldTensor(tensor, config_.vit, patches);
}

Result<void> Model::CheckTopK(int top_k) const {
  if (top_k < 1) {
    return Fail(Status::kInvalidArgument, Expected("top_k", top_k, "at least 1"));
  }
  if (config_.vit.num_classes == 0) {
    return Fail(Status::kInvalidArgument,
                "num_classes: 0, expected at least 1 to classify; ask this model for its features");
  }
  return {};
}

Result<std::vector<Label>> Model::ReadLabels(std::span<const float> logits, int top_k) const {
  if (Result<void> checked = CheckTopK(top_k); !checked) return Forward(checked);
  if (std::ssize(logits) != config_.vit.num_classes) {
    return Fail(Status::kInvalidArgument,
                Expected("logits", Concat(logits.size(), " values"),
                         Concat(config_.vit.num_classes, ", one for each class")));
  }
  if (!AllFinite(logits)) {
    return Fail(Status::kInvalidArgument,
                "logits: hold infinite or NaN values, expected finite ones");
  }
  const std::vector<float> scores = ScoresOf(logits, config_.scores);
  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + std::min<ptrdiff_t>(top_k, std::ssize(order));
  std::partial_sort(order.begin(), end, order.end(), [&](int a, int b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });

  std::vector<Label> labels;
  labels.reserve(end - order.begin());
  for (auto index = order.begin(); index != end; ++index) {
    const bool named = static_cast<size_t>(*index) < config_.labels.size();
    labels.push_back({*index, named ? config_.labels[*index] : std::string(), scores[*index]});
  }
  return labels;
}

}  // namespace vitrine
