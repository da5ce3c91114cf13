// The pieces of ReadModelConfig. They report problems to the JSON's document and go on; the caller
// asks the document for its result.
#ifndef VITRINE_CONFIG_INTERNAL_H_
#define VITRINE_CONFIG_INTERNAL_H_

#include <string_view>

#include "json.h"
#include "vitrine/config.h"

namespace vitrine {

/// A member that is an integer or a pair of them [height, width].
std::array<int, 2> ReadPair(const Json& value, std::array<int, 2> fallback);

/// `act_layer` of timm ("gelu", "gelu_tanh", "nn.GELU", ...) and `hidden_act` of Hugging Face.
Activation ReadActivation(const Json& value);

/// config_timm.cc: "architecture", "model_args" and "pretrained_cfg" of a timm folder.
void ReadTimmConfig(const Json& root, ModelConfig& config);

/// config_hf.cc: a transformers config.json of model_type "vit" or "deit".
void ReadHfConfig(const Json& root, ModelConfig& config);

/// preprocess_config.cc: timm's data config, `pretrained` being "pretrained_cfg" or, in older
/// folders, the root. vit.img_size must be known; defaults are those of the "vit" or "deit" family.
void ReadTimmPreprocess(const Json& pretrained, bool deit, const VitConfig& vit,
                        PreprocessConfig& preprocess);

/// preprocess_config.cc: a ViT or DeiT image processor; its defaults where keys are absent.
void ReadHfPreprocess(const Json& root, bool deit, const VitConfig& vit,
                      PreprocessConfig& preprocess);

}  // namespace vitrine

#endif  // VITRINE_CONFIG_INTERNAL_H_
