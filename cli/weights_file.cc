#include "weights_file.h"

#include <map>
#include <utility>

#include "file.h"
#include "vitrine/safetensors.h"
#include "vitrine/text.h"

namespace vitrine::cli {
namespace {

Result<SafetensorsHeader> ReadHeader(InputFile& file) {
  constexpr size_t kChunkBytes = size_t{1} << 16;
  SafetensorsHeaderReader reader;
  while (!reader.complete()) {
    const Result<std::span<uint8_t>> window = reader.Reserve(kChunkBytes);
    if (!window) return Forward(window);
    const Result<size_t> count = file.Read(*window);
    if (!count) return Forward(count);
    if (*count == 0) return std::unexpected(reader.Truncated());
    if (Result<void> committed = reader.Commit(*count); !committed) {
      return Forward(committed);
    }
  }
  return reader.Take();
}

}  // namespace

Result<WeightsFile> ReadWeightsHeader(const std::string& path) {
  const Result<uint64_t> file_size = FileSize(path);
  if (!file_size) return Forward(file_size);
  Result<InputFile> file = InputFile::Open(path);
  if (!file) return Forward(file);
  const Result<SafetensorsHeader> header = ReadHeader(*file);
  if (!header) {
    if (header.error().status == Status::kIo) return Forward(header);
    return Fail(header.error().status, Concat(path, ": ", header.error().message));
  }

  std::map<std::string, int> tensors_of;
  for (const TensorInfo& tensor : header->tensors) ++tensors_of[tensor.dtype];
  WeightsFile weights = {
      .bytes = *file_size, .tensors = static_cast<int>(header->tensors.size()), .dtypes = ""};
  for (const auto& [dtype, tensors] : tensors_of) {
    if (!weights.dtypes.empty()) weights.dtypes += ", ";
    weights.dtypes += dtype;
    if (tensors_of.size() > 1) weights.dtypes += Concat(" (", tensors, ")");
  }
  return weights;
}

}  // namespace vitrine::cli
