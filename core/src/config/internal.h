// The pieces of ReadModelConfig. They report problems to the JSON's document and go on; the caller
// asks the document for its result.
#ifndef VITRINE_CONFIG_INTERNAL_H_
#define VITRINE_CONFIG_INTERNAL_H_

#include <string_view>

#include "base/json.h"
#include "vitrine/config.h"

namespace vitrine {

/// A member that is an integer or a pair of them [height, width].
std::array<int, 2> ReadPair(const Json& value, std::array<int, 2> fallback);

/// `act_layer` of timm ("gelu", "gelu_tanh", "nn.GELU", ...) and `hidden_act` of Hugging Face.
Activation ReadActivation(const Json& value);

/// timm.cc: "architecture" and "model_args" of a timm folder.
void ReadTimmConfig(const Json& root, VitConfig& vit);
/// "pretrained_cfg", or in folders of older versions, which have its keys at the top, the root.
Json PretrainedConfig(const Json& root);

/// hugging_face.cc: a transformers config.json of model_type "vit" or "deit".
void ReadHfConfig(const Json& root, VitConfig& vit);

/// preprocess_config.cc: timm's data config for a validated network; defaults are those of the
/// "vit" or "deit" family.
void ReadTimmPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess);

/// preprocess_config.cc: a ViT or DeiT image processor (`root` of preprocessor_config.json) for a
/// validated network; its defaults where keys are absent.
void ReadHfPreprocess(const Json& root, const VitConfig& vit, PreprocessConfig& preprocess);

}  // namespace vitrine

#endif  // VITRINE_CONFIG_INTERNAL_H_
