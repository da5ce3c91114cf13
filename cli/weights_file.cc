#include "weights_file.h"

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "file.h"
#include "json.h"

namespace vitrine::cli {
namespace {

constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // safetensors' own limit

}  // namespace

// https://github.com/huggingface/safetensors: 8 bytes of length, little-endian, then that much
// JSON:
// {"name": {"dtype": "F32", "shape": […], "data_offsets": […]}, …, "__metadata__": {…}}
Result<WeightsFile> ReadWeightsHeader(const std::string& path) {
  const Result<uint64_t> file_size = FileSize(path);
  if (!file_size) return std::unexpected(file_size.error());
  Result<InputFile> file = InputFile::Open(path);
  if (!file) return std::unexpected(std::move(file.error()));

  std::array<uint8_t, 8> prefix = {};
  if (const Result<size_t> count = file->Read(prefix); !count)
    return std::unexpected(count.error());
  uint64_t header_size = 0;
  for (size_t i = 0; i < prefix.size(); ++i) header_size |= uint64_t{prefix[i]} << (8 * i);
  if (header_size > std::min(kMaxHeaderBytes, *file_size)) {
    return Fail(Status::kInvalidCheckpoint,
                path + ": a header of " + std::to_string(header_size) + " bytes in a file of " +
                    std::to_string(*file_size) + "; is it a safetensors file?");
  }
  std::vector<uint8_t> header(header_size);
  const Result<size_t> count = file->Read(header);
  if (!count) return std::unexpected(count.error());

  JsonDocument document({reinterpret_cast<const char*>(header.data()), *count}, path,
                        Status::kInvalidCheckpoint, kMaxHeaderBytes);
  WeightsFile weights = {.bytes = *file_size, .tensors = 0, .dtypes = ""};
  std::map<std::string, int> dtypes;
  for (const Json::Member& tensor : document.root().Members()) {
    if (tensor.key == "__metadata__") continue;
    ++weights.tensors;
    ++dtypes[std::string(tensor.value.Get("dtype").String("unknown"))];
  }
  if (Result<void> read = document.result(); !read) return std::unexpected(std::move(read.error()));
  for (const auto& [dtype, tensors] : dtypes) {
    if (!weights.dtypes.empty()) weights.dtypes += ", ";
    weights.dtypes += dtypes.size() == 1 ? dtype : dtype + " (" + std::to_string(tensors) + ")";
  }
  return weights;
}

}  // namespace vitrine::cli
