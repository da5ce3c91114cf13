// A model folder on disk: config.json, model.safetensors and what may lie beside them.
#ifndef VITRINE_CLI_MODEL_FOLDER_H_
#define VITRINE_CLI_MODEL_FOLDER_H_

#include <memory>
#include <string>

#include "vitrine/classifier.h"

namespace vitrine::cli {

struct ModelFolder {
  std::string path;
  std::string config;               // config.json
  std::string preprocessor_config;  // preprocessor_config.json, "" where absent
  std::string labels;               // labels.json, "" where absent

  ModelFiles files() const { return {config, preprocessor_config, labels}; }
  std::string weights_path() const { return path + "/model.safetensors"; }
  bool has_weights() const;
};

/// Reads the folder's JSON files. kIo when it is no model folder, saying what one holds.
Result<ModelFolder> ReadModelFolder(const std::string& path);

/// The bundled model's folder: $VITRINE_MODEL, else weights/default of the checkout that holds the
/// executable or of the one it was built from. kIo names the places looked at.
Result<std::string> FindBundledModel();

/// Streams the folder's model.safetensors into `weights`, a megabyte at a time.
Result<void> StreamWeights(const ModelFolder& folder, WeightStream& weights);

/// Reads a folder and its weights.
Result<std::unique_ptr<Classifier>> LoadClassifier(const std::string& path, int num_threads,
                                                   std::string_view isa);

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_MODEL_FOLDER_H_
