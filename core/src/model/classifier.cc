#include "vitrine/classifier.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <memory>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "base/text.h"

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

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

/// The `top_k` most probable classes; of equal ones the lower index first.
std::vector<Label> BestLabels(std::span<const float> logits, int top_k,
                              const std::vector<std::string>& names) {
  // In double, relative to the largest logit: no overflow, and the sum is exact enough to show.
  const double largest = *std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const float logit : logits) sum += std::exp(logit - largest);

  std::vector<int> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto end = order.begin() + std::min<ptrdiff_t>(top_k, std::ssize(order));
  std::partial_sort(order.begin(), end, order.end(), [&](int a, int b) {
    return logits[a] != logits[b] ? logits[a] > logits[b] : a < b;
  });

  std::vector<Label> labels;
  labels.reserve(end - order.begin());
  for (auto index = order.begin(); index != end; ++index) {
    const auto score = static_cast<float>(std::exp(logits[*index] - largest) / sum);
    const bool named = static_cast<size_t>(*index) < names.size();
    labels.push_back({*index, named ? names[*index] : std::string(), score});
  }
  return labels;
}

const char* InterpolationName(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::kNearest:
      return "nearest";
    case Interpolation::kBilinear:
      return "bilinear";
    case Interpolation::kBicubic:
      return "bicubic";
    case Interpolation::kLanczos:
      return "lanczos";
  }
  return "";
}

const char* ResizeModeName(PreprocessConfig::ResizeMode mode) {
  switch (mode) {
    case PreprocessConfig::ResizeMode::kShortestEdge:
      return "shortest_edge";
    case PreprocessConfig::ResizeMode::kExact:
      return "exact";
    case PreprocessConfig::ResizeMode::kLongestEdge:
      return "longest_edge";
  }
  return "";
}

template <typename Values>
void WriteNumbers(JsonWriter& json, const Values& values) {
  json.BeginArray();
  for (const auto value : values) json.Number(value);
  json.EndArray();
}

/// Microseconds are as fine as anybody reads.
double RoundMs(double ms) { return std::round(ms * 1000) / 1000; }

}  // namespace

struct Classifier::Impl {
  ModelConfig config;
  std::unique_ptr<Executor> executor;
  std::unique_ptr<WeightStream> weights;  // refers to the executor and its plan

  Result<void> CheckReady() const;
  Result<void> PutImage(const Image& image, Alpha alpha);
  Result<void> Run();
  Error NotFinite();
};

Result<void> Classifier::Impl::CheckReady() const {
  if (executor->ready()) return {};
  return Fail(
      Status::kInvalidArgument,
      "the weights are incomplete; write all of model.safetensors and finish before running");
}

/// Image -> the executor's input.
Result<void> Classifier::Impl::PutImage(const Image& image, Alpha alpha) {
  if (config.vit.in_chans != 3) {
    return Fail(Status::kInvalidArgument,
                Concat("in_chans: ", config.vit.in_chans,
                       ", expected 3 to run on pictures; give this model a normalised tensor"));
  }
  const Result<Image> cropped = ResizeAndCrop(image, config.preprocess, alpha);
  if (!cropped) return std::unexpected(cropped.error());
  return Unfold(*cropped, config.preprocess, config.vit, executor->input());
}

Result<void> Classifier::Impl::Run() {
  if (Result<void> ran = executor->Run(Want::kHead); !ran) return ran;
  if (!AllFinite(executor->output())) return std::unexpected(NotFinite());
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
                 config.vit.architecture, " damaged?")};
}

Classifier::Classifier(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Classifier::~Classifier() = default;

Result<std::unique_ptr<Classifier>> Classifier::Create(const ModelFiles& files, int num_threads) {
  Result<ModelConfig> config = ReadModelConfig(files);
  if (!config) return std::unexpected(std::move(config.error()));
  Result<Plan> plan = BuildPlan(config->vit);
  if (!plan) return std::unexpected(std::move(plan.error()));
  Result<std::unique_ptr<Executor>> executor = Executor::Create(std::move(*plan), num_threads);
  if (!executor) return std::unexpected(std::move(executor.error()));

  auto impl = std::make_unique<Impl>();
  impl->config = std::move(*config);
  impl->executor = std::move(*executor);
  impl->weights = std::make_unique<WeightStream>(impl->executor->plan(), *impl->executor);
  return std::unique_ptr<Classifier>(new Classifier(std::move(impl)));
}

WeightStream& Classifier::weights() { return *impl_->weights; }
const ModelConfig& Classifier::config() const { return impl_->config; }
Executor& Classifier::executor() { return *impl_->executor; }

Result<Classification> Classifier::Classify(const Image& image, int top_k, Alpha alpha) {
  if (top_k < 1) {
    return Fail(Status::kInvalidArgument, Concat("top_k: ", top_k, ", expected at least 1"));
  }
  if (impl_->config.vit.num_classes == 0) {
    return Fail(Status::kInvalidArgument,
                "num_classes: 0, expected at least 1 to classify; ask this model for its features");
  }
  if (Result<void> ready = impl_->CheckReady(); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  Classification classification;
  Stopwatch stopwatch;
  if (Result<void> put = impl_->PutImage(image, alpha); !put) {
    return std::unexpected(std::move(put.error()));
  }
  classification.ms.preprocess = stopwatch.Lap();
  if (Result<void> ran = impl_->Run(); !ran) return std::unexpected(std::move(ran.error()));
  classification.ms.inference = stopwatch.Lap();
  classification.labels = BestLabels(impl_->executor->output(), top_k, impl_->config.labels);
  return classification;
}

Result<Classification> Classifier::Classify(std::span<const uint8_t> encoded, int top_k,
                                            Alpha alpha) {
  Stopwatch stopwatch;
  const Result<Image> image = DecodeImage(encoded);
  if (!image) return std::unexpected(image.error());
  const double decode = stopwatch.Lap();
  Result<Classification> classification = Classify(*image, top_k, alpha);
  if (classification) classification->ms.decode = decode;
  return classification;
}

Result<std::span<const float>> Classifier::Features(const Image& image, Alpha alpha) {
  if (Result<std::span<const float>> logits = Logits(image, alpha); !logits) return logits;
  return impl_->executor->features();
}

Result<std::span<const float>> Classifier::Logits(const Image& image, Alpha alpha) {
  if (Result<void> ready = impl_->CheckReady(); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  if (Result<void> put = impl_->PutImage(image, alpha); !put) {
    return std::unexpected(std::move(put.error()));
  }
  if (Result<void> ran = impl_->Run(); !ran) return std::unexpected(std::move(ran.error()));
  return impl_->executor->output();
}

Result<std::span<const float>> Classifier::LogitsOfTensor(std::span<const float> tensor) {
  if (Result<void> ready = impl_->CheckReady(); !ready) {
    return std::unexpected(std::move(ready.error()));
  }
  if (!AllFinite(tensor)) {
    return Fail(Status::kInvalidArgument,
                "tensor: holds infinite or NaN values, expected finite ones");
  }
  Executor& executor = *impl_->executor;
  if (Result<void> put = UnfoldTensor(tensor, impl_->config.vit, executor.input()); !put) {
    return std::unexpected(std::move(put.error()));
  }
  if (Result<void> ran = impl_->Run(); !ran) return std::unexpected(std::move(ran.error()));
  return executor.output();
}

std::string Classifier::InfoJson() const {
  const VitConfig& vit = impl_->config.vit;
  const PreprocessConfig& preprocess = impl_->config.preprocess;
  const Executor& executor = *impl_->executor;
  const Plan& plan = executor.plan();
  const int64_t parameters = plan.num_parameters();
  // Until everything is packed: what it will take, but for the packing's padding.
  const auto weight_bytes = executor.ready() ? static_cast<int64_t>(executor.weight_bytes())
                                             : parameters * static_cast<int64_t>(sizeof(float));
  JsonWriter json;
  json.BeginObject();
  json.Key("architecture").String(vit.architecture);
  json.Key("parameters").Int(parameters);
  json.Key("img_size");
  WriteNumbers(json, vit.img_size);
  json.Key("patch_size");
  WriteNumbers(json, vit.patch_size);
  json.Key("in_chans").Int(vit.in_chans);
  json.Key("embed_dim").Int(vit.embed_dim);
  json.Key("depth").Int(vit.depth);
  json.Key("num_heads").Int(vit.num_heads);
  json.Key("num_classes").Int(vit.num_classes);
  json.Key("num_features").Int(plan.buffers[plan.features].cols);
  json.Key("distilled").Bool(vit.distilled);
  json.Key("class_token").Bool(vit.class_token);
  json.Key("global_pool").String(vit.global_pool == GlobalPool::kToken ? "token" : "avg");
  json.Key("has_labels").Bool(!impl_->config.labels.empty());
  json.Key("threads").Int(executor.num_threads());
  json.Key("isa").String(Executor::isa());
  json.Key("memory").BeginObject();
  json.Key("weights").Int(weight_bytes);
  json.Key("activations").Int(static_cast<int64_t>(executor.activation_bytes()));
  json.EndObject();
  json.Key("preprocess").BeginObject();
  json.Key("input_size");
  WriteNumbers(json, preprocess.input_size);
  json.Key("resize_size");
  WriteNumbers(json, preprocess.resize_size);
  json.Key("resize_mode").String(ResizeModeName(preprocess.resize_mode));
  json.Key("interpolation").String(InterpolationName(preprocess.interpolation));
  json.Key("mean");
  WriteNumbers(json, preprocess.mean);
  json.Key("std");
  WriteNumbers(json, preprocess.std);
  json.EndObject();
  json.EndObject();
  return json.Take();
}

std::string ClassificationJson(const Classification& classification) {
  JsonWriter json;
  json.BeginObject().Key("labels").BeginArray();
  for (const Label& label : classification.labels) {
    json.BeginObject();
    json.Key("index").Int(label.index);
    json.Key("label").String(label.label);
    json.Key("score").Number(label.score);
    json.EndObject();
  }
  const Timing& ms = classification.ms;
  json.EndArray().Key("ms").BeginObject();
  json.Key("decode").Number(RoundMs(ms.decode));
  json.Key("preprocess").Number(RoundMs(ms.preprocess));
  json.Key("inference").Number(RoundMs(ms.inference));
  return json.EndObject().EndObject().Take();
}

std::string ErrorJson(const Error& error) {
  JsonWriter json;
  json.BeginObject();
  json.Key("status").String(StatusName(error.status));
  json.Key("message").String(error.message);
  return json.EndObject().Take();
}

}  // namespace vitrine
