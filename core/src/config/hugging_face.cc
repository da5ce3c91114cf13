// config.json of Hugging Face transformers. Names and defaults: transformers' ViTConfig,
// DeiTConfig.

#include "config/internal.h"
#include "vitrine/text.h"

namespace vitrine {
namespace {

struct Architecture {
  std::string_view name;
  std::string_view model_type;
  bool has_head;
  bool has_teacher_head;
};

constexpr Architecture kArchitectures[] = {
    {"ViTForImageClassification", "vit", true, false},
    {"ViTModel", "vit", false, false},
    {"DeiTForImageClassificationWithTeacher", "deit", true, true},
    {"DeiTForImageClassification", "deit", true, false},
    {"DeiTModel", "deit", false, false},
};

const Architecture* FindArchitecture(const Json& root) {
  std::vector<Json> names = root.Get("architectures").Items();
  Json stated = names.empty() ? root.Get("model_type") : names[0];
  std::string_view name = stated.String("");
  if (name == "vit") name = "ViTForImageClassification";
  if (name == "deit") name = "DeiTForImageClassification";
  std::string known;
  for (const Architecture& each : kArchitectures) {
    if (each.name == name) return &each;
    known += Concat(known.empty() ? "" : ", ", each.name);
  }
  stated.Fail(Status::kUnsupported,
              Concat(stated.Describe(), " is not supported; supported are ", known));
  return nullptr;
}

int ReadNumLabels(const Json& root, bool& stated_anywhere) {
  Json names = root.Get("id2label");
  Json stated = root.Get("num_labels");
  constexpr int kDefault = 2;  // of transformers' PretrainedConfig, which then writes neither key
  if (!names.present()) {
    stated_anywhere = stated.present();
    return stated.Int(kDefault);
  }
  int count = static_cast<int>(std::min<size_t>(names.Members().size(), 1 << 30));
  if (stated.Int(count) != count) {
    stated.Fail(Status::kInvalidConfig,
                Concat(stated.Describe(), ", but id2label has ", count, " names"));
  }
  return count;
}

}  // namespace

Scores ReadHfScores(const Json& root, int num_classes) {
  Json problem_type = root.Get("problem_type");
  std::string_view name = problem_type.String("single_label_classification");
  if (name == "multi_label_classification") return Scores::kSigmoid;
  if (name != "single_label_classification" && name != "regression") {
    problem_type.FailExpected(
        R"("single_label_classification", "multi_label_classification" or "regression")");
  }
  return num_classes == 1 ? Scores::kSigmoid : Scores::kSoftmax;
}

void ReadHfConfig(const Json& root, VitConfig& vit) {
  const Architecture* architecture = FindArchitecture(root);
  if (architecture == nullptr) return;
  Json model_type = root.Get("model_type");
  if (model_type.String(architecture->model_type) != architecture->model_type) {
    model_type.Fail(Status::kInvalidConfig,
                    Concat(model_type.Describe(), ", expected \"", architecture->model_type,
                           "\" for ", architecture->name));
  }
  vit.architecture = architecture->name;
  // transformers' DeiT has the distillation token even where no head reads it.
  vit.distilled = architecture->model_type == "deit";
  vit.head_dist = architecture->has_teacher_head;
  vit.num_classes = architecture->has_head ? ReadNumLabels(root, vit.num_classes_stated) : 0;
  vit.img_size = ReadPair(root.Get("image_size"), {224, 224});
  vit.patch_size = ReadPair(root.Get("patch_size"), {16, 16});
  vit.in_chans = root.Get("num_channels").Int(3);
  vit.embed_dim = root.Get("hidden_size").Int(768);
  vit.depth = root.Get("num_hidden_layers").Int(12);
  vit.num_heads = root.Get("num_attention_heads").Int(12);
  vit.mlp_hidden_dim = root.Get("intermediate_size").Int(3072);
  vit.qkv_bias = root.Get("qkv_bias").Bool(true);
  vit.act_layer = ReadActivation(root.Get("hidden_act"));
  vit.layer_norm_eps = static_cast<float>(root.Get("layer_norm_eps").Number(1e-12));
}

}  // namespace vitrine
