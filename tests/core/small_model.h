// A network small enough to fill by hand, for tests of what is built around networks.
#ifndef VITRINE_TESTS_SMALL_MODEL_H_
#define VITRINE_TESTS_SMALL_MODEL_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vitrine/classifier.h"

namespace vitrine::test {

/// config.json of a VisionTransformer(img_size=8, patch_size=4, embed_dim=8, depth=1, num_heads=2)
/// with `more` model_args (", \"in_chans\": 1") of `num_classes`.
std::string SmallConfig(int num_classes, const std::string& more = "");

/// The value of element `i` of the parameter called `name`.
using Fill = std::function<float(const std::string& name, int64_t i)>;

/// All zero but head.bias, which is therefore the output whatever the picture.
Fill HeadBias(std::vector<float> logits);
/// Small varied numbers: every pixel has a say in the output.
float Varied(const std::string& name, int64_t i);

/// A model.safetensors with every parameter of the plan, as F32.
std::vector<uint8_t> MakeSafetensors(const Plan& plan, const Fill& fill);

/// A classifier of SmallConfig, filled.
std::unique_ptr<Classifier> MakeSmallClassifier(const std::string& config, const Fill& fill,
                                                const std::string& labels = "");

/// A picture of one colour; as many channels as the colour has.
Image MakePicture(int width, int height, const std::vector<uint8_t>& colour);

/// The same as a BMP file (three channels only).
std::vector<uint8_t> MakeBmp(int width, int height, const std::vector<uint8_t>& rgb);

}  // namespace vitrine::test

#endif  // VITRINE_TESTS_SMALL_MODEL_H_
