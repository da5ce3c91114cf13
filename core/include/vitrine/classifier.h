// The whole job: a model folder's files in, labels for pictures out.
#ifndef VITRINE_CLASSIFIER_H_
#define VITRINE_CLASSIFIER_H_

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vitrine/config.h"
#include "vitrine/error.h"
#include "vitrine/executor.h"
#include "vitrine/image.h"
#include "vitrine/model.h"
#include "vitrine/weights.h"

namespace vitrine {

/// Milliseconds spent on one picture.
struct Timing {
  std::optional<double> decode;  // where the classifier decoded it
  double preprocess = 0;
  double inference = 0;
};

struct Classification {
  std::vector<Label> labels;  // best first
  Timing ms;
};

/// A model, the CPU executor and the stream that fills it. Not thread-safe.
class Classifier {
 public:
  /// `isa`: as CpuWeights::Create.
  [[nodiscard]] static Result<std::unique_ptr<Classifier>> Create(const ModelFiles& files,
                                                                  int num_threads,
                                                                  std::string_view isa = "");
  [[nodiscard]] static Result<std::unique_ptr<Classifier>> Create(
      std::shared_ptr<const Model> model, int num_threads, std::string_view isa = "");
  ~Classifier();

  /// Weights are written here until Finish() succeeds; before that the calls below fail.
  WeightStream& weights();
  /// Where the stream puts them; for callers that have values of their own.
  ParameterSink& parameters();

  const Model& model() const;
  const ModelConfig& config() const { return model().config(); }
  Executor& executor() const;

  /// Model::ReadLabels of the picture's logits.
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

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// {"labels":[{"index":7,"label":"cock","score":0.93},…]}
std::string LabelsJson(const std::vector<Label>& labels);
/// The same with "ms":{"decode":…,"preprocess":…,"inference":…}, decode where it was timed.
std::string ClassificationJson(const Classification& classification);

}  // namespace vitrine

#endif  // VITRINE_CLASSIFIER_H_
