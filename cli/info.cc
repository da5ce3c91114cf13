// vitrine info: what a model folder holds and the steps it becomes.
#include <array>
#include <cstdio>
#include <string>

#include "commands.h"
#include "model_folder.h"
#include "output.h"
#include "vitrine/text.h"
#include "weights_file.h"

namespace vitrine::cli {
namespace {

std::string SidesText(const std::array<int, 2>& height_width) {
  return Concat(height_width[0], " x ", height_width[1]);
}

std::string MatrixText(int rows, int cols) { return ShapeText(std::array{rows, cols}); }

std::string TripleText(const std::array<float, 3>& values) {
  std::string text;
  for (const float value : values) text += Concat(text.empty() ? "" : ", ", Fixed(value, 4));
  return text;
}

void PrintLine(const char* name, const std::string& value) {
  std::printf("  %-14s %s\n", name, value.c_str());
}

void PrintConfig(const VitConfig& vit, bool has_labels) {
  PrintLine("architecture", vit.architecture.empty() ? "(not named)" : vit.architecture);
  PrintLine("img_size", Concat(SidesText(vit.img_size), ", ", vit.in_chans, " channels"));
  PrintLine("patch_size", Concat(SidesText(vit.patch_size), ", ", vit.num_patches(), " patches"));
  PrintLine("embed_dim", std::to_string(vit.embed_dim));
  PrintLine("depth", std::to_string(vit.depth));
  PrintLine("num_heads", Concat(vit.num_heads, " of ", vit.head_dim()));
  PrintLine("mlp", Concat(vit.mlp_hidden_dim, " wide"));
  std::string tokens = std::to_string(vit.num_tokens());
  if (vit.class_token)
    tokens += vit.distilled ? ", class and distillation token in front" : ", class token in front";
  PrintLine("tokens", tokens);
  if (vit.distilled) PrintLine("heads", vit.head_dist ? "head and head_dist, averaged" : "head");
  PrintLine("global_pool", std::string(GlobalPoolName(vit.global_pool)));
  if (vit.representation_size > 0) PrintLine("pre_logits", std::to_string(vit.representation_size));
  if (vit.num_classes == 0) {
    PrintLine("num_classes", "0 (no head: the output is the features)");
  } else {
    PrintLine("num_classes",
              std::to_string(vit.num_classes) + (has_labels ? ", named" : ", without names"));
  }
}

void PrintPreprocess(const PreprocessConfig& preprocess) {
  const std::string filter(InterpolationName(preprocess.interpolation));
  std::string resize;
  switch (preprocess.resize_mode) {
    case PreprocessConfig::ResizeMode::kShortestEdge:
      resize = preprocess.resize_size[0] == preprocess.resize_size[1]
                   ? Concat("shorter edge to ", preprocess.resize_size[0])
                   : Concat("in proportion, to cover ", SidesText(preprocess.resize_size));
      break;
    case PreprocessConfig::ResizeMode::kExact:
      resize = Concat("to ", SidesText(preprocess.resize_size));
      break;
    case PreprocessConfig::ResizeMode::kLongestEdge:
      resize = Concat("to fit in ", SidesText(preprocess.resize_size));
      break;
  }
  PrintLine("resize", Concat(resize, ", ", filter));
  PrintLine("crop", Concat(SidesText(preprocess.input_size), ", centre"));
  PrintLine("mean", TripleText(preprocess.mean));
  PrintLine("std", TripleText(preprocess.std));
  if (!preprocess.note.empty()) PrintLine("note", preprocess.note);
}

bool IsLaterBlock(const std::string& step) {
  return step.starts_with("blocks.") && step != "blocks.0" && !step.starts_with("blocks.0.");
}

void PrintPlan(const Plan& plan) {
  Table table({{"step"}, {"kind"}, {"input -> output"}, {"parameters", true}, {"MFLOP", true}});
  for (const Step& step : plan.steps) {
    if (IsLaterBlock(step.name)) continue;
    int64_t parameters = 0;
    for (const int index : step.parameters) parameters += plan.parameters[index].num_elements();
    const double mflop = plan.flops(step, Want::kTokens) / 1e6;
    const int input_rows = step.kind == StepKind::kPool ? step.input_rows : step.rows;
    table.AddRow({step.name, std::string(StepKindName(step.kind)),
                  Concat(MatrixText(input_rows, plan.buffers[step.input].cols), " -> ",
                         MatrixText(step.rows, plan.buffers[step.output].cols)),
                  parameters == 0 ? "" : Grouped(parameters), mflop == 0 ? "" : Fixed(mflop, 1)});
    if (step.name == "blocks.0" && plan.config.depth > 1) {
      table.AddNote(Concat("(blocks.1 to blocks.", plan.config.depth - 1, " are like blocks.0)"));
    }
  }
  table.AddRow(
      {"total", "", "", Grouped(plan.num_parameters()), Fixed(plan.flops(Want::kTokens) / 1e6, 1)});
  table.Print(stdout);
}

void PrintText(Classifier& classifier, const ModelFolder& folder, const WeightsFile& weights) {
  const ModelConfig& config = classifier.config();
  const Plan& plan = classifier.executor().plan();
  std::printf("Config\n");
  PrintConfig(config.vit, !config.labels.empty());
  std::printf("\nPreprocessing\n");
  PrintPreprocess(config.preprocess);
  std::printf("\nMemory\n");
  PrintLine("parameters", Grouped(plan.num_parameters()));
  PrintLine("weights", Concat(ByteSize(4.0 * static_cast<double>(plan.num_parameters())),
                              " packed as float32"));
  PrintLine("activations", ByteSize(static_cast<double>(classifier.executor().activation_bytes())));
  if (folder.has_weights()) {
    PrintLine("file", Concat(ByteSize(static_cast<double>(weights.bytes)), ", ", weights.tensors,
                             " tensors, ", weights.dtypes));
  } else {
    PrintLine("file", "no model.safetensors in this folder");
  }
  std::printf("\nPlan\n");
  PrintPlan(plan);
}

void PrintJson(const Classifier& classifier, const Plan& plan, const ModelFolder& folder,
               const WeightsFile& weights) {
  std::string json = InfoJson(classifier.model(), &classifier.executor());
  json.pop_back();  // the closing brace: more members follow
  json += Concat(",\"folder\":", JsonString(folder.path),
                 ",\"mflop\":", Fixed(plan.flops(Want::kTokens) / 1e6, 3), ",\"file\":");
  if (folder.has_weights()) {
    json += Concat("{\"bytes\":", weights.bytes, ",\"tensors\":", weights.tensors,
                   ",\"dtypes\":", JsonString(weights.dtypes), "}");
  } else {
    json += "null";
  }
  std::printf("%s,\"plan\":%s}\n", json.c_str(), PlanJson(plan).c_str());
}

int Run(const Args& args) {
  if (args.operands().size() > 1) {
    return Complain({Status::kInvalidArgument, "more than one DIR given; see vitrine help info"});
  }
  const Result<std::string> path =
      args.operands().empty() ? FindBundledModel() : Result<std::string>(args.operands()[0]);
  if (!path) return Complain(path.error());
  const Result<ModelFolder> folder = ReadModelFolder(*path);
  if (!folder) return Complain(folder.error());
  const Result<std::unique_ptr<Classifier>> classifier =
      Classifier::Create(folder->files(), /*num_threads=*/1);
  if (!classifier)
    return Complain({classifier.error().status, Concat(*path, ": ", classifier.error().message)});
  WeightsFile weights;
  if (folder->has_weights()) {
    Result<WeightsFile> read = ReadWeightsHeader(folder->weights_path());
    if (!read) return Complain(read.error());
    weights = std::move(*read);
  }
  if (args.Has("--json")) {
    PrintJson(**classifier, (*classifier)->executor().plan(), *folder, weights);
  } else {
    PrintText(**classifier, *folder, weights);
  }
  return kExitOk;
}

constexpr Flag kFlags[] = {
    {"--json", "", "Everything as one JSON object, every step of the plan included."},
};

}  // namespace

const Command kInfo = {
    .name = "info",
    .operands = "[DIR]",
    .summary = "Describe a model folder: config, preprocessing, memory and the plan of steps.",
    .details = "Needs config.json only. Without DIR: the bundled model.",
    .flags = kFlags,
    .run = Run,
};

}  // namespace vitrine::cli
