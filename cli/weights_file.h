// What the header of a model.safetensors says, for people.
#ifndef VITRINE_CLI_WEIGHTS_FILE_H_
#define VITRINE_CLI_WEIGHTS_FILE_H_

#include <cstdint>
#include <string>

#include "vitrine/error.h"

namespace vitrine::cli {

struct WeightsFile {
  uint64_t bytes = 0;  // of the whole file
  int tensors = 0;
  std::string dtypes;  // "F32", or "F16 (150), F32 (2)" where they are mixed
};

/// Reads the header alone; whether the tensors are the model's is WeightStream's to say.
/// Errors: kIo, kInvalidCheckpoint, kTooLarge.
Result<WeightsFile> ReadWeightsHeader(const std::string& path);

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_WEIGHTS_FILE_H_
