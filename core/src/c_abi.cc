// The C ABI over Model and Classifier. The WebAssembly module exports it, the core's tests call it.
#include <cstdlib>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "vitrine/classifier.h"
#include "vitrine/json_writer.h"
#include "vitrine/vitrine.h"

namespace {

using vitrine::Alpha;
using vitrine::Error;
using vitrine::Image;
using vitrine::Result;
using vitrine::Status;

/// Complete parameters that wait for an executor elsewhere.
class ParameterQueue final : public vitrine::ParameterSink {
 public:
  struct Item {
    int index;
    vitrine::Tensor values;
  };

  Result<void> SetParameter(int index, vitrine::Tensor values) override {
    waiting_.push_back({index, std::move(values)});
    return {};
  }
  std::optional<Item> Next() {
    if (waiting_.empty()) return std::nullopt;
    Item item = std::move(waiting_.front());
    waiting_.pop_front();
    return item;
  }

 private:
  std::deque<Item> waiting_;
};

}  // namespace

struct vitrine_model {
  std::shared_ptr<const vitrine::Model> model;
  std::unique_ptr<vitrine::Classifier> cpu;       // null: an executor elsewhere
  ParameterQueue queue;                           // of parameters for it
  std::unique_ptr<vitrine::WeightStream> stream;  // into the queue
  vitrine::Tensor parameter;                      // the one handed out last
  vitrine::Buffer<float> patches;                 // those handed out last, without `cpu`
  vitrine::Buffer<uint8_t> reserved;              // what vitrine_image_reserve handed out
  Image image;                                    // the current picture; no pixels: none
  std::string text;                               // the JSON returned last

  vitrine::WeightStream& weights() {
    if (cpu) return cpu->weights();
    if (!stream) stream = std::make_unique<vitrine::WeightStream>(model->plan(), queue);
    return *stream;
  }
};

namespace {

thread_local std::string last_error = "{\"status\":\"ok\",\"message\":\"\"}";

/// Remembers the error; negative, as the calls return it.
int32_t Report(const Error& error) {
  last_error = vitrine::ErrorJson(error);
  return -static_cast<int32_t>(error.status);
}

int32_t Refuse(const char* message) { return Report({Status::kInvalidArgument, message}); }

int32_t ReturnStatus(const Result<void>& result) { return result ? 0 : Report(result.error()); }

bool IsNull(const vitrine_model* model) {
  if (model != nullptr) return false;
  Refuse("model: null, expected what vitrine_create returned");
  return true;
}
constexpr int32_t kRefused = -static_cast<int32_t>(Status::kInvalidArgument);

bool HasImage(const vitrine_model& model) {
  if (!model.image.pixels.empty()) return true;
  Refuse(
      "no current picture; decode one (vitrine_image_decode) or give pixels (vitrine_image_rgba)");
  return false;
}

bool HasCpu(const vitrine_model& model) {
  if (model.cpu) return true;
  Refuse("this model has no executor; call vitrine_use_cpu before the weights arrive");
  return false;
}

bool ToAlpha(int32_t value, Alpha* alpha) {
  *alpha = value == VITRINE_ALPHA_DROP ? Alpha::kDrop : Alpha::kWhite;
  if (value == VITRINE_ALPHA_WHITE || value == VITRINE_ALPHA_DROP) return true;
  Refuse("alpha: expected VITRINE_ALPHA_WHITE (0) or VITRINE_ALPHA_DROP (1)");
  return false;
}

/// False, and why, where a result has nowhere to go; else *length is 0.
bool HasLength(size_t* length) {
  if (length == nullptr) {
    Refuse("length: null, expected where to write the number of values");
    return false;
  }
  *length = 0;
  return true;
}

const float* ReturnFloats(const Result<std::span<const float>>& values, size_t* length) {
  if (!values) {
    Report(values.error());
    return nullptr;
  }
  *length = values->size();
  return values->data();
}

const char* ReturnText(vitrine_model& model, std::string text) {
  model.text = std::move(text);
  return model.text.c_str();
}

/// Logits or Features of the current picture.
using OfImage = Result<std::span<const float>> (vitrine::Classifier::*)(const Image&, Alpha);

const float* FloatsOfImage(vitrine_model* model, OfImage of_image, int32_t alpha_value,
                           size_t* length) {
  Alpha alpha;
  if (IsNull(model) || !HasLength(length) || !ToAlpha(alpha_value, &alpha) || !HasCpu(*model) ||
      !HasImage(*model)) {
    return nullptr;
  }
  return ReturnFloats((model->cpu.get()->*of_image)(model->image, alpha), length);
}

/// `read` fills the model's patches.
template <typename Read>
const float* ReturnPatches(vitrine_model& model, const Read& read, size_t* length) {
  if (model.patches.empty()) {
    model.patches = vitrine::Buffer<float>::Allocate(model.model->num_patch_values());
    if (model.patches.empty()) {
      Report({Status::kOutOfMemory, "no memory for the picture's patches; use a smaller img_size"});
      return nullptr;
    }
  }
  if (const Result<void> done = read(model.patches.span()); !done) {
    Report(done.error());
    return nullptr;
  }
  *length = model.patches.size();
  return model.patches.data();
}

}  // namespace

extern "C" {

void* vitrine_alloc(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) Report({Status::kOutOfMemory, "no memory for a string or tensor"});
  return memory;
}

void vitrine_free(void* memory) { std::free(memory); }

const char* vitrine_last_error(void) { return last_error.c_str(); }

const char* vitrine_image_formats(void) {
  static const std::string formats = [] {
    vitrine::JsonWriter json;
    json.BeginArray();
    for (const std::string_view type : vitrine::DecodableTypes()) json.String(type);
    return json.EndArray().Take();
  }();
  return formats.c_str();
}

vitrine_model* vitrine_create(const char* config, const char* preprocessor_config,
                              const char* labels) {
  if (config == nullptr) {
    Refuse("config: null, expected the text of config.json");
    return nullptr;
  }
  auto model = vitrine::Model::Create({
      .config = config,
      .preprocessor_config = preprocessor_config == nullptr ? "" : preprocessor_config,
      .labels = labels == nullptr ? "" : labels,
  });
  if (!model) {
    Report(model.error());
    return nullptr;
  }
  auto handle = std::make_unique<vitrine_model>();
  handle->model = std::move(*model);
  return handle.release();
}

void vitrine_destroy(vitrine_model* model) { delete model; }

int32_t vitrine_use_cpu(vitrine_model* model, int32_t num_threads) {
  if (IsNull(model)) return kRefused;
  if (model->cpu || model->stream) {
    return Refuse("vitrine_use_cpu: called twice or after the first weights; call it once, first");
  }
  auto classifier = vitrine::Classifier::Create(model->model, num_threads);
  if (!classifier) return Report(classifier.error());
  model->cpu = std::move(*classifier);
  return 0;
}

const char* vitrine_info(vitrine_model* model) {
  if (IsNull(model)) return nullptr;
  return ReturnText(
      *model, vitrine::InfoJson(*model->model, model->cpu ? &model->cpu->executor() : nullptr));
}

const char* vitrine_plan(vitrine_model* model) {
  if (IsNull(model)) return nullptr;
  return ReturnText(*model, vitrine::PlanJson(model->model->plan()));
}

uint8_t* vitrine_weights_reserve(vitrine_model* model, size_t wanted, size_t* granted) {
  if (IsNull(model) || !HasLength(granted)) return nullptr;
  const auto window = model->weights().Reserve(wanted);
  if (!window) {
    Report(window.error());
    return nullptr;
  }
  *granted = window->size();
  return window->data();
}

int32_t vitrine_weights_commit(vitrine_model* model, size_t size) {
  return IsNull(model) ? kRefused : ReturnStatus(model->weights().Commit(size));
}

int32_t vitrine_weights_finish(vitrine_model* model) {
  return IsNull(model) ? kRefused : ReturnStatus(model->weights().Finish());
}

double vitrine_weights_expected(vitrine_model* model) {
  return IsNull(model) ? 0 : static_cast<double>(model->weights().bytes_expected());
}

const uint8_t* vitrine_parameter_next(vitrine_model* model, int32_t* index, size_t* size) {
  if (IsNull(model) || !HasLength(size)) return nullptr;
  if (index == nullptr) {
    Refuse("index: null, expected where to write the parameter's index");
    return nullptr;
  }
  *index = -1;
  std::optional<ParameterQueue::Item> item = model->queue.Next();
  model->parameter = item ? std::move(item->values) : vitrine::Tensor();
  if (!item) return nullptr;
  *index = item->index;
  *size = model->parameter.bytes.size();
  return model->parameter.bytes.data();
}

uint8_t* vitrine_image_reserve(vitrine_model* model, size_t size) {
  if (IsNull(model)) return nullptr;
  model->image = {};  // the old picture makes room first
  model->reserved = {};
  if (size == 0) {
    Refuse("size: 0, expected the bytes of a picture");
    return nullptr;
  }
  if (size > static_cast<uint64_t>(vitrine::kMaxPixels) * 4) {
    Report({Status::kTooLarge, "size: more bytes than a picture of 2^27 pixels has"});
    return nullptr;
  }
  model->reserved = vitrine::Buffer<uint8_t>::Allocate(size);
  if (model->reserved.empty()) {
    Report({Status::kOutOfMemory, "no memory for the picture; use a smaller one"});
    return nullptr;
  }
  return model->reserved.data();
}

int32_t vitrine_image_decode(vitrine_model* model, size_t size) {
  if (IsNull(model)) return kRefused;
  if (size > model->reserved.size()) {
    return Refuse("size: more than vitrine_image_reserve gave; reserve the picture's bytes first");
  }
  const vitrine::Buffer<uint8_t> encoded = std::move(model->reserved);
  Result<Image> image = vitrine::DecodeImage({encoded.data(), size});
  if (!image) return Report(image.error());
  model->image = std::move(*image);
  return 0;
}

int32_t vitrine_image_rgba(vitrine_model* model, int32_t width, int32_t height) {
  if (IsNull(model)) return kRefused;
  if (width < 1 || height < 1) return Refuse("width and height: expected at least 1");
  if (int64_t{width} * height > vitrine::kMaxPixels) {
    return Report(
        {Status::kTooLarge, "width x height: more than 2^27 pixels; scale the picture down"});
  }
  const size_t size = size_t{4} * width * height;
  if (size > model->reserved.size()) {
    return Refuse(
        "width x height x 4: more than vitrine_image_reserve gave; reserve that many bytes");
  }
  model->image = {width, height, 4, std::move(model->reserved)};
  return 0;
}

const float* vitrine_patches(vitrine_model* model, int32_t alpha_value, size_t* length) {
  Alpha alpha;
  if (IsNull(model) || !HasLength(length) || !ToAlpha(alpha_value, &alpha) || !HasImage(*model)) {
    return nullptr;
  }
  return ReturnPatches(
      *model,
      [&](std::span<float> patches) {
        return model->model->ReadPatches(model->image, alpha, patches);
      },
      length);
}

const float* vitrine_patches_of_tensor(vitrine_model* model, const float* tensor,
                                       size_t tensor_length, size_t* length) {
  if (IsNull(model) || !HasLength(length)) return nullptr;
  if (tensor == nullptr) {
    Refuse("tensor: null, expected its values");
    return nullptr;
  }
  return ReturnPatches(
      *model,
      [&](std::span<float> patches) {
        return model->model->ReadPatchesOfTensor({tensor, tensor_length}, patches);
      },
      length);
}

const char* vitrine_labels(vitrine_model* model, const float* logits, size_t length,
                           int32_t top_k) {
  if (IsNull(model)) return nullptr;
  if (logits == nullptr) {
    Refuse("logits: null, expected what an executor computed");
    return nullptr;
  }
  const auto labels = model->model->ReadLabels({logits, length}, top_k);
  if (!labels) {
    Report(labels.error());
    return nullptr;
  }
  return ReturnText(*model, vitrine::LabelsJson(*labels));
}

const char* vitrine_classify(vitrine_model* model, int32_t top_k, int32_t alpha_value) {
  Alpha alpha;
  if (IsNull(model) || !ToAlpha(alpha_value, &alpha) || !HasCpu(*model) || !HasImage(*model)) {
    return nullptr;
  }
  const auto classification = model->cpu->Classify(model->image, top_k, alpha);
  if (!classification) {
    Report(classification.error());
    return nullptr;
  }
  return ReturnText(*model, vitrine::ClassificationJson(*classification));
}

const float* vitrine_logits(vitrine_model* model, int32_t alpha, size_t* length) {
  return FloatsOfImage(model, &vitrine::Classifier::Logits, alpha, length);
}

const float* vitrine_features(vitrine_model* model, int32_t alpha, size_t* length) {
  return FloatsOfImage(model, &vitrine::Classifier::Features, alpha, length);
}

const float* vitrine_logits_of_tensor(vitrine_model* model, const float* tensor,
                                      size_t tensor_length, size_t* length) {
  if (IsNull(model)) return nullptr;
  if (tensor == nullptr || length == nullptr) {
    Refuse("tensor and length: expected both, found a null");
    return nullptr;
  }
  *length = 0;
  if (!HasCpu(*model)) return nullptr;
  return ReturnFloats(model->cpu->LogitsOfTensor({tensor, tensor_length}), length);
}

}  // extern "C"
