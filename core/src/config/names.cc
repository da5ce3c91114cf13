// The names of enumerators, as timm and Pillow write them: in JSON, messages and the command line.
#include "vitrine/config.h"

namespace vitrine {

std::string_view ActivationName(Activation activation) {
  switch (activation) {
    case Activation::kNone:
      return "";
    case Activation::kGelu:
      return "gelu";
    case Activation::kGeluTanh:
      return "gelu_tanh";
    case Activation::kQuickGelu:
      return "quick_gelu";
    case Activation::kRelu:
      return "relu";
    case Activation::kSilu:
      return "silu";
    case Activation::kTanh:
      return "tanh";
  }
  return "";
}

std::string_view GlobalPoolName(GlobalPool global_pool) {
  switch (global_pool) {
    case GlobalPool::kToken:
      return "token";
    case GlobalPool::kAvg:
      return "avg";
  }
  return "";
}

std::string_view InterpolationName(Interpolation interpolation) {
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

std::string_view ResizeModeName(PreprocessConfig::ResizeMode mode) {
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

std::string_view ScoresName(Scores scores) {
  return scores == Scores::kSigmoid ? "sigmoid" : "softmax";
}

}  // namespace vitrine
