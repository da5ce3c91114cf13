// What the command line and the web package show of models and results.
#include <cmath>

#include "vitrine/classifier.h"
#include "vitrine/json_writer.h"

namespace vitrine {
namespace {

template <typename Values>
void WriteNumbers(JsonWriter& json, std::string_view key, const Values& values) {
  json.Key(key).BeginArray();
  for (const auto value : values) json.Number(value);
  json.EndArray();
}

/// Microseconds are as fine as anybody reads.
double RoundMs(double ms) { return std::round(ms * 1000) / 1000; }

void WriteLabels(JsonWriter& json, const std::vector<Label>& labels) {
  json.Key("labels").BeginArray();
  for (const Label& label : labels) {
    json.BeginObject();
    json.Key("index").Int(label.index);
    json.Key("label").String(label.label);
    json.Key("score").Number(label.score);
    json.EndObject();
  }
  json.EndArray();
}

void WriteExecutor(JsonWriter& json, const Executor& executor) {
  json.Key("threads").Int(executor.num_threads());
  json.Key("isa").String(executor.isa());
  json.Key("memory").BeginObject();
  json.Key("weights").Int(static_cast<int64_t>(executor.weight_bytes()));
  json.Key("activations").Int(static_cast<int64_t>(executor.activation_bytes()));
  json.EndObject();
}

}  // namespace

std::string InfoJson(const Model& model, const Executor* executor) {
  const VitConfig& vit = model.config().vit;
  const PreprocessConfig& preprocess = model.config().preprocess;
  const Plan& plan = model.plan();
  JsonWriter json;
  json.BeginObject();
  json.Key("architecture").String(vit.architecture);
  json.Key("parameters").Int(plan.num_parameters());
  WriteNumbers(json, "img_size", vit.img_size);
  WriteNumbers(json, "patch_size", vit.patch_size);
  json.Key("in_chans").Int(vit.in_chans);
  json.Key("embed_dim").Int(vit.embed_dim);
  json.Key("depth").Int(vit.depth);
  json.Key("num_heads").Int(vit.num_heads);
  json.Key("num_classes").Int(vit.num_classes);
  json.Key("num_features").Int(plan.buffers[plan.features].cols);
  json.Key("distilled").Bool(vit.distilled);
  json.Key("class_token").Bool(vit.class_token);
  json.Key("global_pool").String(GlobalPoolName(vit.global_pool));
  json.Key("has_labels").Bool(!model.config().labels.empty());
  json.Key("scores").String(ScoresName(model.config().scores));
  if (executor != nullptr) WriteExecutor(json, *executor);
  json.Key("preprocess").BeginObject();
  WriteNumbers(json, "input_size", preprocess.input_size);
  WriteNumbers(json, "resize_size", preprocess.resize_size);
  json.Key("resize_mode").String(ResizeModeName(preprocess.resize_mode));
  json.Key("interpolation").String(InterpolationName(preprocess.interpolation));
  json.Key("rescale_factor").Float(static_cast<float>(preprocess.rescale_factor));
  WriteNumbers(json, "mean", preprocess.mean);
  WriteNumbers(json, "std", preprocess.std);
  if (!preprocess.note.empty()) json.Key("note").String(preprocess.note);
  json.EndObject();
  json.EndObject();
  return json.Take();
}

std::string LabelsJson(const std::vector<Label>& labels) {
  JsonWriter json;
  json.BeginObject();
  WriteLabels(json, labels);
  return json.EndObject().Take();
}

std::string ClassificationJson(const Classification& classification) {
  const Timing& ms = classification.ms;
  JsonWriter json;
  json.BeginObject();
  WriteLabels(json, classification.labels);
  json.Key("ms").BeginObject();
  if (ms.decode) json.Key("decode").Number(RoundMs(*ms.decode));
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
