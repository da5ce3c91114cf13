// The pieces of ReadModelConfig. They report problems to the JSON's document and go on; the caller
// asks the document for its result.
#ifndef VITRINE_CONFIG_INTERNAL_H_
#define VITRINE_CONFIG_INTERNAL_H_

#include <optional>
#include <string_view>

#include "base/json.h"
#include "vitrine/config.h"

namespace vitrine {

/// A member that is an integer or a pair of them [height, width].
std::array<int, 2> ReadPair(const Json& value, std::array<int, 2> fallback);

/// `act_layer` of timm ("gelu", "gelu_tanh", "nn.GELU", ...) and `hidden_act` of Hugging Face.
Activation ReadActivation(const Json& value);

/// timm_architectures.cc: which mean and std an architecture's own data config has. kNone: 0 and 1.
enum class Statistics { kHalf, kImagenet, kClip, kNone };

/// What timm passes to its class for an architecture name, and the name's evaluation data config.
struct TimmArchitecture {
  VitConfig vit;  // but for mlp_hidden_dim, fc_norm
  double mlp_ratio = 4;
  bool fc_norm = true;  // false: none, whatever the pooling
  double crop_pct = 0.9;
  bool squash = false;  // crop_mode "squash", else "center"
  Interpolation interpolation = Interpolation::kBicubic;
  Statistics statistics = Statistics::kHalf;
};
/// Nothing for names that this build has no code for.
std::optional<TimmArchitecture> FindTimmArchitecture(std::string_view name);
/// The argument of timm's model of that name that this build has no code for; "" where unknown.
std::string_view MissingArgument(std::string_view name);

/// timm.cc: "architecture" and "model_args" of a timm folder.
void ReadTimmConfig(const Json& root, VitConfig& vit);
/// "pretrained_cfg", or in folders of older versions, which have its keys at the top, the root.
Json PretrainedConfig(const Json& root);

/// hugging_face.cc: a transformers config.json of model_type "vit" or "deit".
void ReadHfConfig(const Json& root, VitConfig& vit);
/// Sigmoid for several labels at once and for heads of one class, else softmax: transformers'
/// pipelines/image_classification.py, postprocess (which has no case for "regression").
Scores ReadHfScores(const Json& root, int num_classes);

/// preprocess_config.cc: timm's data config for a validated network; defaults are those of the
/// "vit" or "deit" family.
void ReadTimmPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess);

/// preprocess_config.cc: an image processor (`root` of preprocessor_config.json) for a
/// validated network; its defaults where keys are absent.
void ReadHfPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess);

}  // namespace vitrine

#endif  // VITRINE_CONFIG_INTERNAL_H_
