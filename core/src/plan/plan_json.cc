#include "vitrine/json_writer.h"
#include "vitrine/plan.h"

namespace vitrine {
namespace {

template <typename Values>
void WriteInts(JsonWriter& json, std::string_view key, const Values& values) {
  json.Key(key).BeginArray();
  for (const auto value : values) json.Int(value);
  json.EndArray();
}

/// What the step's kind uses of Step's attributes.
void WriteAttributes(JsonWriter& json, const Step& step) {
  switch (step.kind) {
    case StepKind::kPatchEmbed:
      break;
    case StepKind::kEmbed:
      WriteInts(json, "parameter_rows", step.parameter_rows);
      break;
    case StepKind::kLayerNorm:
      json.Key("eps").Float(step.eps);
      break;
    case StepKind::kLinear:
      json.Key("activation").String(ActivationName(step.activation));
      break;
    case StepKind::kAttention:
      json.Key("num_heads").Int(step.num_heads);
      json.Key("head_dim").Int(step.head_dim);
      json.Key("scale").Float(step.scale);
      break;
    case StepKind::kAdd:
    case StepKind::kAverage:
      json.Key("other").Int(step.other);
      break;
    case StepKind::kPool:
      json.Key("input_rows").Int(step.input_rows);
      break;
  }
}

}  // namespace

std::string PlanJson(const Plan& plan) {
  JsonWriter json;
  json.BeginObject();
  json.Key("input").Int(plan.input);
  json.Key("tokens").Int(plan.tokens);
  json.Key("features").Int(plan.features);
  json.Key("output").Int(plan.output);
  json.Key("buffers").BeginArray();
  for (const PlanBuffer& buffer : plan.buffers) {
    json.BeginObject();
    json.Key("name").String(buffer.name);
    json.Key("rows").Int(buffer.rows);
    json.Key("cols").Int(buffer.cols);
    json.EndObject();
  }
  json.EndArray();
  json.Key("parameters").BeginArray();
  for (const Parameter& parameter : plan.parameters) {
    json.BeginObject();
    json.Key("name").String(parameter.name);
    json.Key("dtype").String(DTypeName(DType::kF32));
    WriteInts(json, "shape", parameter.shape);
    json.EndObject();
  }
  json.EndArray();
  json.Key("steps").BeginArray();
  for (const Step& step : plan.steps) {
    json.BeginObject();
    json.Key("kind").String(StepKindName(step.kind));
    json.Key("name").String(step.name);
    json.Key("input").Int(step.input);
    json.Key("output").Int(step.output);
    json.Key("rows").Int(step.rows);
    json.Key("head_rows").Int(step.head_rows);
    json.Key("input_row").Int(step.input_row);
    json.Key("output_row").Int(step.output_row);
    WriteInts(json, "parameters", step.parameters);
    WriteAttributes(json, step);
    json.EndObject();
  }
  json.EndArray();
  return json.EndObject().Take();
}

}  // namespace vitrine
