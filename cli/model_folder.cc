#include "model_folder.h"

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "commands.h"
#include "file.h"
#include "vitrine/text.h"

namespace vitrine::cli {
namespace {

constexpr uint64_t kMaxJsonBytes = uint64_t{64} << 20;
constexpr size_t kChunkBytes = size_t{1} << 20;

/// The text of an optional file of the folder; "" where it is absent.
Result<std::string> ReadText(const std::string& path) {
  if (!IsThere(path)) return std::string();
  const Result<std::vector<uint8_t>> bytes = ReadFile(path, kMaxJsonBytes);
  if (!bytes) return Forward(bytes);
  return std::string(bytes->begin(), bytes->end());
}

/// What LoRA training with peft leaves: only the difference to another model.
bool IsAdapter(const std::string& path) { return IsThere(path + "/adapter_config.json"); }
constexpr std::string_view kAdapterAdvice =
    "; it is an adapter (adapter_config.json), not a whole model: merge it into its base model "
    "first (merge_and_unload) and save that";

/// What to do about a folder without model.safetensors that has its weights in another form.
std::string OtherWeights(const std::string& path) {
  if (IsThere(path + "/model.safetensors.index.json")) {
    return "; it is split into shards here: save it as one file "
           "(save_pretrained(..., max_shard_size='100GB'))";
  }
  if (IsThere(path + "/pytorch_model.bin")) {
    return "; pytorch_model.bin is a pickle, which Vitrine does not run: convert it to safetensors "
           "(save_pretrained(..., safe_serialization=True))";
  }
  for (const char* onnx :
       {"/model.onnx", "/onnx/model.onnx", "/model_quantized.onnx", "/onnx/model_quantized.onnx"}) {
    if (!IsThere(path + onnx)) continue;
    return "; its weights are an ONNX graph, which Vitrine does not run: take the folder of the "
           "timm or transformers model that it was exported from";
  }
  if (IsAdapter(path)) return std::string(kAdapterAdvice);
  return "";
}

}  // namespace

bool ModelFolder::has_weights() const { return IsThere(weights_path()); }

Result<ModelFolder> ReadModelFolder(const std::string& path) {
  if (!IsFolder(path)) {
    const char* found = IsThere(path) ? "is a file" : "does not exist";
    return Fail(Status::kIo,
                Concat(path, ": ", found,
                       ", expected a model folder with config.json and model.safetensors"));
  }
  ModelFolder folder = {.path = path, .config = "", .preprocessor_config = "", .labels = ""};
  const std::pair<const char*, std::string*> texts[] = {
      {"/config.json", &folder.config},
      {"/preprocessor_config.json", &folder.preprocessor_config},
      {"/labels.json", &folder.labels},
  };
  for (const auto& [name, text] : texts) {
    Result<std::string> read = ReadText(path + name);
    if (!read) return Forward(read);
    *text = std::move(*read);
  }
  if (!IsThere(path + "/config.json") && IsAdapter(path)) {
    return Fail(Status::kIo, Concat(path, ": no config.json", kAdapterAdvice));
  }
  if (!IsThere(path + "/config.json")) {
    return Fail(Status::kIo,
                Concat(path,
                       ": no config.json, expected a timm or Hugging Face model folder with "
                       "config.json and model.safetensors"));
  }
  return folder;
}

Result<std::string> FindBundledModel() {
  if (const char* path = std::getenv("VITRINE_MODEL"); path != nullptr && *path != '\0')
    return path;

  std::vector<std::string> places;
  const std::string executable = ExecutablePath();  // build/native/vitrine
  const size_t slash = executable.rfind('/');
  if (slash != std::string::npos) {
    places.push_back(Concat(executable.substr(0, slash), "/../../weights/default"));
  }
#ifdef VITRINE_SOURCE_DIR
  places.push_back(VITRINE_SOURCE_DIR "/weights/default");
#endif
  std::string looked;
  for (const std::string& place : places) {
    if (IsThere(place + "/config.json")) return place;
    looked += Concat(looked.empty() ? "" : " and ", place);
  }
  return Fail(Status::kIo,
              Concat("no bundled model (looked for ", looked,
                     "); name a model folder with --model DIR or the variable VITRINE_MODEL"));
}

Result<void> StreamWeights(const ModelFolder& folder, WeightStream& weights) {
  const std::string path = folder.weights_path();
  if (!folder.has_weights()) {
    return Fail(Status::kIo,
                Concat(folder.path, ": no model.safetensors", OtherWeights(folder.path)));
  }
  Result<InputFile> file = InputFile::Open(path);
  if (!file) return Forward(file);
  while (true) {
    const Result<std::span<uint8_t>> window = weights.Reserve(kChunkBytes);
    if (!window) return Forward(window);
    const Result<size_t> count = file->Read(*window);
    if (!count) return Forward(count);
    if (*count == 0) break;
    if (Result<void> committed = weights.Commit(*count); !committed) return committed;
  }
  return weights.Finish();
}

Result<std::unique_ptr<Classifier>> LoadClassifier(const std::string& path, int num_threads,
                                                   std::string_view isa) {
  const Result<ModelFolder> folder = ReadModelFolder(path);
  if (!folder) return Forward(folder);
  Result<std::unique_ptr<Classifier>> classifier =
      Classifier::Create(folder->files(), num_threads, isa);
  if (!classifier) {
    classifier.error().message = Concat(path, ": ", classifier.error().message);
    return classifier;
  }
  if (Result<void> loaded = StreamWeights(*folder, (*classifier)->weights()); !loaded) {
    Error error = std::move(loaded.error());
    if (error.status != Status::kIo)
      error.message = Concat(folder->weights_path(), ": ", error.message);
    return std::unexpected(std::move(error));
  }
  return classifier;
}

}  // namespace vitrine::cli
