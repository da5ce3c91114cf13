// The C ABI over Classifier. Portable: the WebAssembly module exports it, the core's tests call it.
#include <chrono>
#include <cstdlib>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "vitrine/classifier.h"
#include "vitrine/vitrine.h"

using vitrine::Alpha;
using vitrine::Error;
using vitrine::Image;
using vitrine::Result;
using vitrine::Status;

struct vitrine_classifier {
  std::unique_ptr<vitrine::Classifier> classifier;
  vitrine::Buffer<uint8_t> reserved;  // what vitrine_image_reserve handed out
  Image image;                        // the current picture; no pixels: none
  double decode_ms = 0;
  std::string text;  // the JSON returned last
};

namespace {

thread_local std::string last_error = "{\"status\":\"ok\",\"message\":\"\"}";

/// Remembers the error; negative, as the calls return it.
int32_t Report(const Error& error) {
  last_error = vitrine::ErrorJson(error);
  return -static_cast<int32_t>(error.status);
}

int32_t Refuse(const char* message) { return Report({Status::kInvalidArgument, message}); }

bool IsNull(const vitrine_classifier* handle) {
  if (handle != nullptr) return false;
  Refuse("classifier: null, expected what vitrine_create returned");
  return true;
}

bool HasImage(const vitrine_classifier& handle) {
  if (!handle.image.pixels.empty()) return true;
  Refuse(
      "no current picture; decode one (vitrine_image_decode) or give pixels (vitrine_image_rgba)");
  return false;
}

bool ToAlpha(int32_t value, Alpha* alpha) {
  *alpha = value == 1 ? Alpha::kDrop : Alpha::kWhite;
  if (value == 0 || value == 1) return true;
  Refuse("alpha: expected 0 (composite on white) or 1 (drop)");
  return false;
}

const float* ReturnFloats(const Result<std::span<const float>>& values, size_t* length) {
  if (!values) {
    Report(values.error());
    return nullptr;
  }
  *length = values->size();
  return values->data();
}

/// Logits or Features of the current picture.
using OfImage = Result<std::span<const float>> (vitrine::Classifier::*)(const Image&, Alpha);

const float* FloatsOfImage(vitrine_classifier* handle, OfImage of_image, int32_t alpha_value,
                           size_t* length) {
  if (IsNull(handle)) return nullptr;
  if (length == nullptr) {
    Refuse("length: null, expected where to write the number of values");
    return nullptr;
  }
  *length = 0;
  Alpha alpha;
  if (!ToAlpha(alpha_value, &alpha) || !HasImage(*handle)) return nullptr;
  return ReturnFloats((handle->classifier.get()->*of_image)(handle->image, alpha), length);
}

}  // namespace

extern "C" {

void* vitrine_alloc(size_t size) {
  void* memory = std::malloc(size == 0 ? 1 : size);
  if (memory == nullptr) Report({Status::kOutOfMemory, "no memory for a string or picture"});
  return memory;
}

void vitrine_free(void* memory) { std::free(memory); }

const char* vitrine_last_error(void) { return last_error.c_str(); }

vitrine_classifier* vitrine_create(const char* config, const char* preprocessor_config,
                                   const char* labels, int32_t num_threads) {
  if (config == nullptr) {
    Refuse("config: null, expected the text of config.json");
    return nullptr;
  }
  const vitrine::ModelFiles files = {
      .config = config,
      .preprocessor_config = preprocessor_config == nullptr ? "" : preprocessor_config,
      .labels = labels == nullptr ? "" : labels,
  };
  auto classifier = vitrine::Classifier::Create(files, num_threads);
  if (!classifier) {
    Report(classifier.error());
    return nullptr;
  }
  auto handle = std::make_unique<vitrine_classifier>();
  handle->classifier = std::move(*classifier);
  return handle.release();
}

void vitrine_destroy(vitrine_classifier* classifier) { delete classifier; }

uint8_t* vitrine_weights_reserve(vitrine_classifier* classifier, size_t wanted, size_t* granted) {
  if (IsNull(classifier)) return nullptr;
  if (granted == nullptr) {
    Refuse("granted: null, expected where to write the size of the window");
    return nullptr;
  }
  *granted = 0;
  const auto window = classifier->classifier->weights().Reserve(wanted);
  if (!window) {
    Report(window.error());
    return nullptr;
  }
  *granted = window->size();
  return window->data();
}

int32_t vitrine_weights_commit(vitrine_classifier* classifier, size_t size) {
  if (IsNull(classifier)) return -static_cast<int32_t>(Status::kInvalidArgument);
  const Result<void> committed = classifier->classifier->weights().Commit(size);
  return committed ? 0 : Report(committed.error());
}

int32_t vitrine_weights_finish(vitrine_classifier* classifier) {
  if (IsNull(classifier)) return -static_cast<int32_t>(Status::kInvalidArgument);
  const Result<void> finished = classifier->classifier->weights().Finish();
  return finished ? 0 : Report(finished.error());
}

const char* vitrine_info(vitrine_classifier* classifier) {
  if (IsNull(classifier)) return nullptr;
  classifier->text = classifier->classifier->InfoJson();
  return classifier->text.c_str();
}

const char* vitrine_plan(vitrine_classifier* classifier) {
  if (IsNull(classifier)) return nullptr;
  classifier->text = vitrine::PlanJson(classifier->classifier->executor().plan());
  return classifier->text.c_str();
}

uint8_t* vitrine_image_reserve(vitrine_classifier* classifier, size_t size) {
  if (IsNull(classifier)) return nullptr;
  classifier->image = {};  // the old picture makes room first
  classifier->reserved = {};
  if (size == 0) {
    Refuse("size: 0, expected the bytes of a picture");
    return nullptr;
  }
  if (size > static_cast<uint64_t>(vitrine::kMaxPixels) * 4) {
    Report({Status::kTooLarge, "size: more bytes than a picture of 2^27 pixels has"});
    return nullptr;
  }
  classifier->reserved = vitrine::Buffer<uint8_t>::Allocate(size);
  if (classifier->reserved.empty()) {
    Report({Status::kOutOfMemory, "no memory for the picture; use a smaller one"});
    return nullptr;
  }
  return classifier->reserved.data();
}

int32_t vitrine_image_decode(vitrine_classifier* classifier, size_t size) {
  if (IsNull(classifier)) return -static_cast<int32_t>(Status::kInvalidArgument);
  if (size > classifier->reserved.size()) {
    return Refuse("size: more than vitrine_image_reserve gave; reserve the picture's bytes first");
  }
  const vitrine::Buffer<uint8_t> encoded = std::move(classifier->reserved);
  const auto start = std::chrono::steady_clock::now();
  Result<Image> image = vitrine::DecodeImage({encoded.data(), size});
  if (!image) return Report(image.error());
  const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
  classifier->image = std::move(*image);
  classifier->decode_ms = ms.count();
  return 0;
}

int32_t vitrine_image_rgba(vitrine_classifier* classifier, int32_t width, int32_t height) {
  if (IsNull(classifier)) return -static_cast<int32_t>(Status::kInvalidArgument);
  if (width < 1 || height < 1) return Refuse("width and height: expected at least 1");
  if (int64_t{width} * height > vitrine::kMaxPixels) {
    return Report(
        {Status::kTooLarge, "width x height: more than 2^27 pixels; scale the picture down"});
  }
  const size_t size = size_t{4} * width * height;
  if (size > classifier->reserved.size()) {
    return Refuse(
        "width x height x 4: more than vitrine_image_reserve gave; reserve that many bytes");
  }
  classifier->image = {width, height, 4, std::move(classifier->reserved)};
  classifier->decode_ms = 0;
  return 0;
}

const char* vitrine_classify(vitrine_classifier* classifier, int32_t top_k, int32_t alpha_value) {
  if (IsNull(classifier)) return nullptr;
  Alpha alpha;
  if (!ToAlpha(alpha_value, &alpha) || !HasImage(*classifier)) return nullptr;
  auto classification = classifier->classifier->Classify(classifier->image, top_k, alpha);
  if (!classification) {
    Report(classification.error());
    return nullptr;
  }
  classification->ms.decode = classifier->decode_ms;
  classifier->text = vitrine::ClassificationJson(*classification);
  return classifier->text.c_str();
}

const float* vitrine_logits(vitrine_classifier* classifier, int32_t alpha, size_t* length) {
  return FloatsOfImage(classifier, &vitrine::Classifier::Logits, alpha, length);
}

const float* vitrine_features(vitrine_classifier* classifier, int32_t alpha, size_t* length) {
  return FloatsOfImage(classifier, &vitrine::Classifier::Features, alpha, length);
}

const float* vitrine_logits_of_tensor(vitrine_classifier* classifier, const float* tensor,
                                      size_t tensor_length, size_t* length) {
  if (IsNull(classifier)) return nullptr;
  if (tensor == nullptr || length == nullptr) {
    Refuse("tensor and length: expected both, found a null");
    return nullptr;
  }
  *length = 0;
  return ReturnFloats(classifier->classifier->LogitsOfTensor({tensor, tensor_length}), length);
}

}  // extern "C"
