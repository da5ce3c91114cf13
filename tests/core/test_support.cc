#include "test_support.h"

#include <yyjson.h>

#include <algorithm>
#include <catch2/catch_test_macros.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

#include "vitrine/image.h"

namespace vitrine::test {
namespace {

constexpr size_t kPiece = 65536;

std::string ReadTextIfThere(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? ReadText(path) : std::string();
}

Tensor ReadTensor(yyjson_val* entry, std::span<const uint8_t> data) {
  REQUIRE(std::string(yyjson_get_str(yyjson_obj_get(entry, "dtype"))) == "F32");
  Tensor tensor;
  size_t index, count;
  yyjson_val* value;
  yyjson_arr_foreach(yyjson_obj_get(entry, "shape"), index, count, value) {
    tensor.shape.push_back(yyjson_get_sint(value));
  }
  yyjson_val* offsets = yyjson_obj_get(entry, "data_offsets");
  const uint64_t begin = yyjson_get_uint(yyjson_arr_get(offsets, 0));
  const uint64_t end = yyjson_get_uint(yyjson_arr_get(offsets, 1));
  REQUIRE(begin <= end);
  REQUIRE(end <= data.size());
  tensor.values.resize((end - begin) / sizeof(float));
  if (begin < end) std::memcpy(tensor.values.data(), data.data() + begin, end - begin);
  return tensor;
}

}  // namespace

std::filesystem::path SourceDir() { return VITRINE_SOURCE_DIR; }

std::filesystem::path NeedSharedDir() {
  const char* variable = std::getenv("VITRINE_SHARED");
  const std::filesystem::path folder =
      variable != nullptr ? std::filesystem::path(variable) : SourceDir().parent_path() / "shared";
  if (!std::filesystem::exists(folder / "models")) {
    SKIP("needs the shared test material, which is not at " << folder.string()
                                                            << " (or set VITRINE_SHARED)");
  }
  return folder;
}

std::vector<uint8_t> ReadBytes(const std::filesystem::path& path) {
  INFO("reading " << path.string());
  std::FILE* file = std::fopen(path.string().c_str(), "rb");
  REQUIRE(file != nullptr);
  std::vector<uint8_t> bytes(std::filesystem::file_size(path));
  const size_t size = std::fread(bytes.data(), 1, bytes.size(), file);
  std::fclose(file);
  REQUIRE(size == bytes.size());
  return bytes;
}

std::string ReadText(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes = ReadBytes(path);
  return std::string(bytes.begin(), bytes.end());
}

const Tensor& TensorFile::at(const std::string& name) const {
  INFO("reference tensor " << name);
  const auto found = tensors.find(name);
  REQUIRE(found != tensors.end());
  return found->second;
}

TensorFile ReadTensors(const std::filesystem::path& path) {
  const std::vector<uint8_t> bytes = ReadBytes(path);
  INFO("reading " << path.string());
  uint64_t header_size = 0;
  REQUIRE(bytes.size() >= sizeof(header_size));
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  REQUIRE(header_size <= bytes.size() - sizeof(header_size));
  const char* header = reinterpret_cast<const char*>(bytes.data()) + sizeof(header_size);
  const std::unique_ptr<yyjson_doc, void (*)(yyjson_doc*)> document(
      yyjson_read(header, header_size, 0), yyjson_doc_free);
  REQUIRE(document != nullptr);

  TensorFile file;
  size_t index, count;
  yyjson_val *key, *entry;
  yyjson_obj_foreach(yyjson_doc_get_root(document.get()), index, count, key, entry) {
    const std::string name = yyjson_get_str(key);
    if (name == "__metadata__") {
      size_t i, n;
      yyjson_val *meta_key, *meta_value;
      yyjson_obj_foreach(entry, i, n, meta_key, meta_value) {
        file.metadata[yyjson_get_str(meta_key)] = yyjson_get_str(meta_value);
      }
    } else if (yyjson_equals_str(yyjson_obj_get(entry, "dtype"), "F32")) {
      file.tensors[name] =
          ReadTensor(entry, std::span(bytes).subspan(sizeof(header_size) + header_size));
    }
  }
  return file;
}

ModelFolder::ModelFolder(const std::filesystem::path& folder)
    : path(folder),
      config(ReadText(folder / "config.json")),
      preprocessor_config(ReadTextIfThere(folder / "preprocessor_config.json")),
      labels(ReadTextIfThere(folder / "labels.json")),
      weights(ReadBytes(folder / "model.safetensors")) {}

Result<void> Stream(WeightStream& stream, std::span<const uint8_t> bytes,
                    const std::function<size_t()>& next_size) {
  while (!bytes.empty()) {
    const size_t size = std::min(next_size(), bytes.size());
    if (Result<void> written = stream.Write(bytes.first(size)); !written) return written;
    bytes = bytes.subspan(size);
  }
  return stream.Finish();
}

Result<void> Stream(WeightStream& stream, std::span<const uint8_t> bytes) {
  return Stream(stream, bytes, [] { return kPiece; });
}

void Network::Run(std::span<const float> input, Want want, const StepObserver* observer) {
  const Result<void> unfolded = model->ReadPatchesOfTensor(input, executor->input());
  INFO((unfolded ? "" : unfolded.error().message));
  REQUIRE(unfolded.has_value());
  const Result<void> ran = executor->Run(want, observer);
  INFO((ran ? "" : ran.error().message));
  REQUIRE(ran.has_value());
}

std::vector<float> Network::Output() const {
  return {executor->output().begin(), executor->output().end()};
}
std::vector<float> Network::Features() const {
  return {executor->features().begin(), executor->features().end()};
}
std::vector<float> Network::Tokens() const {
  return {executor->tokens().begin(), executor->tokens().end()};
}

Network LoadNetwork(const ModelFolder& folder, int num_threads,
                    const std::function<size_t()>& next_size, std::string_view isa) {
  INFO("loading " << folder.path.string());
  Result<std::shared_ptr<const Model>> model = Model::Create(folder.files());
  INFO((model ? "" : model.error().message));
  REQUIRE(model.has_value());
  // An executor lives by the plan's steps alone.
  auto plan = std::make_shared<Plan>((*model)->plan());
  plan->config = {};
  Result<std::shared_ptr<CpuWeights>> weights = CpuWeights::Create(plan, isa);
  INFO((weights ? "" : weights.error().message));
  REQUIRE(weights.has_value());
  Result<std::unique_ptr<Executor>> executor = MakeCpuExecutor(*weights, num_threads);
  INFO((executor ? "" : executor.error().message));
  REQUIRE(executor.has_value());
  WeightStream stream((*model)->plan(), **weights);
  const Result<void> loaded = Stream(stream, folder.weights, next_size);
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded.has_value());
  REQUIRE((*executor)->ready());
  return {std::move(*model), std::move(*weights), std::move(*executor)};
}

Network LoadNetwork(const ModelFolder& folder, int num_threads) {
  return LoadNetwork(folder, num_threads, [] { return kPiece; });
}

std::unique_ptr<Classifier> LoadClassifier(const ModelFolder& folder, int num_threads) {
  INFO("loading " << folder.path.string());
  Result<std::unique_ptr<Classifier>> classifier = Classifier::Create(folder.files(), num_threads);
  INFO((classifier ? "" : classifier.error().message));
  REQUIRE(classifier.has_value());
  const Result<void> loaded = Stream((*classifier)->weights(), folder.weights);
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded.has_value());
  return std::move(*classifier);
}

Difference Compare(std::span<const float> actual, std::span<const float> expected) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (actual.size() != expected.size() || expected.empty()) return {kInfinite, 1};
  Difference difference;
  for (size_t i = 0; i < actual.size(); ++i) {
    if (!std::isfinite(actual[i]) || !std::isfinite(expected[i])) return {kInfinite, 1};
    difference.max_abs_error =
        std::max(difference.max_abs_error, std::abs(double{actual[i]} - double{expected[i]}));
    difference.max_abs_value = std::max(difference.max_abs_value, std::abs(double{expected[i]}));
  }
  return difference;
}

int ArgMax(std::span<const float> values) {
  return static_cast<int>(std::max_element(values.begin(), values.end()) - values.begin());
}

}  // namespace vitrine::test
