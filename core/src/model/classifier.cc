#include "vitrine/classifier.h"

#include <chrono>
#include <utility>

#include "base/finite.h"
#include "vitrine/cpu.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

/// A lap timer in milliseconds.
class Stopwatch {
 public:
  double Lap() {
    const Clock::time_point now = Clock::now();
    const double ms = std::chrono::duration<double, std::milli>(now - last_).count();
    last_ = now;
    return ms;
  }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
};

}  // namespace

struct Classifier::Impl {
  Impl(std::shared_ptr<const Model> m, std::shared_ptr<CpuWeights> w, std::unique_ptr<Executor> e)
      : model(std::move(m)),
        cpu_weights(std::move(w)),
        executor(std::move(e)),
        weights(model->plan(), *cpu_weights) {}

  const std::shared_ptr<const Model> model;
  const std::shared_ptr<CpuWeights> cpu_weights;
  const std::unique_ptr<Executor> executor;
  WeightStream weights;

  Result<void> CheckReady() const;
  Result<void> Run();
  Error NotFinite();
};

Result<void> Classifier::Impl::CheckReady() const {
  if (executor->ready()) return {};
  return Fail(
      Status::kInvalidArgument,
      "the weights are incomplete; write all of model.safetensors and finish before running");
}

Result<void> Classifier::Impl::Run() {
  if (Result<void> ran = executor->Run(Want::kHead); !ran) return ran;
  if (!AllFinite(executor->output())) return std::unexpected<Error>(NotFinite());
  return {};
}

/// Weights and pixels are finite, so a sum has overflowed: finds the step where.
Error Classifier::Impl::NotFinite() {
  std::string first;
  const StepObserver observer = [&first](const Step& step, std::span<const float> output, double) {
    if (first.empty() && !AllFinite(output)) first = step.name;
  };
  if (Result<void> ran = executor->Run(Want::kHead, &observer); !ran) return std::move(ran.error());
  return {Status::kInvalidCheckpoint,
          Concat(first.empty() ? "output" : first,
                 ": infinite or not a number, expected finite values; are the weights of ",
                 model->config().vit.architecture, " damaged?")};
}

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::~Classifier() = default;

Result<std::unique_ptr<Classifier>> Classifier::Create(const ModelFiles& files, int num_threads,
                                                       std::string_view isa) {
  Result<std::shared_ptr<const Model>> model = Model::Create(files);
  if (!model) return Forward(model);
  return Create(std::move(*model), num_threads, isa);
}

Result<std::unique_ptr<Classifier>> Classifier::Create(std::shared_ptr<const Model> model,
                                                       int num_threads, std::string_view isa) {
  Result<std::shared_ptr<CpuWeights>> weights = CpuWeights::Create(model->shared_plan(), isa);
  if (!weights) return Forward(weights);
  Result<std::unique_ptr<Executor>> executor = MakeCpuExecutor(*weights, num_threads);
  if (!executor) return Forward(executor);
  return std::unique_ptr<Classifier>(new Classifier(
      std::make_unique<Impl>(std::move(model), std::move(*weights), std::move(*executor))));
}

WeightStream& Classifier::weights() { return impl_->weights; }
ParameterSink& Classifier::parameters() { return *impl_->cpu_weights; }
const Model& Classifier::model() const { return *impl_->model; }
Executor& Classifier::executor() const { return *impl_->executor; }

Result<Classification> Classifier::Classify(const Image& image, int top_k, Alpha alpha) {
  if (Result<void> checked = model().CheckTopK(top_k); !checked) return Forward(checked);
  if (Result<void> ready = impl_->CheckReady(); !ready) return Forward(ready);
  Classification classification;
  Stopwatch stopwatch;
  if (Result<void> read = model().ReadPatches(image, alpha, executor().input()); !read) {
    return Forward(read);
  }
  classification.ms.preprocess = stopwatch.Lap();
  if (Result<void> ran = impl_->Run(); !ran) return Forward(ran);
  classification.ms.inference = stopwatch.Lap();
  Result<std::vector<Label>> labels = model().ReadLabels(executor().output(), top_k);
  if (!labels) return Forward(labels);
  classification.labels = std::move(*labels);
  return classification;
}

Result<Classification> Classifier::Classify(std::span<const uint8_t> encoded, int top_k,
                                            Alpha alpha) {
  Stopwatch stopwatch;
  const Result<Image> image = DecodeImage(encoded);
  if (!image) return Forward(image);
  const double decode = stopwatch.Lap();
  Result<Classification> classification = Classify(*image, top_k, alpha);
  if (classification) classification->ms.decode = decode;
  return classification;
}

Result<std::span<const float>> Classifier::Features(const Image& image, Alpha alpha) {
  if (Result<std::span<const float>> logits = Logits(image, alpha); !logits) return logits;
  return executor().features();
}

Result<std::span<const float>> Classifier::Logits(const Image& image, Alpha alpha) {
  if (Result<void> ready = impl_->CheckReady(); !ready) return Forward(ready);
  if (Result<void> read = model().ReadPatches(image, alpha, executor().input()); !read) {
    return Forward(read);
  }
  if (Result<void> ran = impl_->Run(); !ran) return Forward(ran);
  return executor().output();
}

Result<std::span<const float>> Classifier::LogitsOfTensor(std::span<const float> tensor) {
  if (Result<void> ready = impl_->CheckReady(); !ready) return Forward(ready);
  if (Result<void> read = model().ReadPatchesOfTensor(tensor, executor().input()); !read) {
    return Forward(read);
  }
  if (Result<void> ran = impl_->Run(); !ran) return Forward(ran);
  return executor().output();
}

}  // namespace vitrine
