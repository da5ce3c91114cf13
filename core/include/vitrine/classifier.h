// The whole job: a model folder's files in, labels for pictures out.
#ifndef VITRINE_CLASSIFIER_H_
#define VITRINE_CLASSIFIER_H_

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"
#include "vitrine/executor.h"
#include "vitrine/image.h"
#include "vitrine/weights.h"

namespace vitrine {

struct Label {
  int index;
  std::string label;  // "" where the model has no names
  float score;        // softmax probability
};

/// Milliseconds spent on one picture.
struct Timing {
  double decode = 0;
  double preprocess = 0;
  double inference = 0;
};

struct Classification {
  std::vector<Label> labels;  // best first
  Timing ms;
};

/// Config, preprocessing, labels, weights and executor of one model. Not thread-safe.
class Classifier {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Classifier>> Create(const ModelFiles& files,
                                                                  int num_threads);
  ~Classifier();

  /// Weights are written here until Finish() succeeds; before that the calls below fail.
  WeightStream& weights();

  const ModelConfig& config() const;
  Executor& executor();

  /// Softmax over the classes, the top_k best (all when top_k exceeds num_classes).
  /// kInvalidArgument when top_k < 1, or the model has no head (num_classes 0: use Features).
  [[nodiscard]] Result<Classification> Classify(const Image& image, int top_k,
                                                Alpha alpha = Alpha::kWhite);
  /// DecodeImage, then Classify; Timing has the decoding as well.
  [[nodiscard]] Result<Classification> Classify(std::span<const uint8_t> encoded, int top_k,
                                                Alpha alpha = Alpha::kWhite);
  /// Preprocesses and runs; the spans are valid until the next run.
  [[nodiscard]] Result<std::span<const float>> Features(const Image& image,
                                                        Alpha alpha = Alpha::kWhite);
  [[nodiscard]] Result<std::span<const float>> Logits(const Image& image,
                                                      Alpha alpha = Alpha::kWhite);
  /// Of a normalised tensor [in_chans, height, width].
  [[nodiscard]] Result<std::span<const float>> LogitsOfTensor(std::span<const float> tensor);

  /// {"architecture":…, "parameters":…, "img_size":…, "num_classes":…, "threads":…, "isa":…,
  ///  "memory": {"weights":…, "activations":…}} : what `vitrine info` prints and the page shows.
  std::string InfoJson() const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The JSON of one result, as `vitrine classify --json` and the C ABI give it:
/// {"labels":[{"index":7,"label":"cock","score":0.93},…],"ms":{"decode":…,"preprocess":…,"inference":…}}
std::string ClassificationJson(const Classification& classification);
/// {"status":"invalid_image","message":"…"}
std::string ErrorJson(const Error& error);

}  // namespace vitrine

#endif  // VITRINE_CLASSIFIER_H_
