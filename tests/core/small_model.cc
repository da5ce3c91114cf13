#include "small_model.h"

#include <catch2/catch_test_macros.hpp>
#include <cstring>

#include "vitrine/json_writer.h"

namespace vitrine::test {
namespace {

void AppendLittleEndian(std::vector<uint8_t>& bytes, uint64_t value, int count) {
  for (int i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace

std::string SmallConfig(int num_classes, const std::string& more) {
  return R"({"architecture": "VisionTransformer", "model_args": {"img_size": 8, "patch_size": 4,
    "embed_dim": 8, "depth": 1, "num_heads": 2, "num_classes": )" +
         std::to_string(num_classes) + more + "}}";
}

Fill HeadBias(std::vector<float> logits) {
  return [logits](const std::string& name, int64_t i) {
    return name == "head.bias" ? logits.at(i) : 0.0f;
  };
}

float Varied(const std::string& name, int64_t i) {
  return static_cast<float>((i * 37 + static_cast<int64_t>(name.size()) * 11) % 41 - 20) * 0.02f;
}

std::vector<uint8_t> MakeSafetensors(const Plan& plan, const Fill& fill) {
  JsonWriter header;
  header.BeginObject();
  std::vector<float> values;
  for (const Parameter& parameter : plan.parameters) {
    const auto begin = static_cast<int64_t>(values.size() * sizeof(float));
    for (int64_t i = 0; i < parameter.num_elements(); ++i) {
      values.push_back(fill(parameter.name, i));
    }
    header.Key(parameter.name).BeginObject().Key("dtype").String("F32").Key("shape").BeginArray();
    for (const int64_t extent : parameter.shape) header.Int(extent);
    header.EndArray().Key("data_offsets").BeginArray().Int(begin);
    header.Int(static_cast<int64_t>(values.size() * sizeof(float))).EndArray().EndObject();
  }
  const std::string text = header.EndObject().Take();

  std::vector<uint8_t> bytes;
  AppendLittleEndian(bytes, text.size(), 8);
  bytes.insert(bytes.end(), text.begin(), text.end());
  const size_t data = bytes.size();
  bytes.resize(data + values.size() * sizeof(float));
  std::memcpy(bytes.data() + data, values.data(), values.size() * sizeof(float));
  return bytes;
}

std::unique_ptr<Classifier> MakeSmallClassifier(const std::string& config, const Fill& fill,
                                                const std::string& labels) {
  const ModelFiles files = {.config = config, .preprocessor_config = "", .labels = labels};
  auto created = Classifier::Create(files, /*num_threads=*/1);
  if (!created) FAIL(created.error().message);
  Classifier& classifier = **created;
  const std::vector<uint8_t> bytes = MakeSafetensors(classifier.model().plan(), fill);
  Result<void> loaded = classifier.weights().Write(bytes);
  if (loaded) loaded = classifier.weights().Finish();
  if (!loaded) FAIL(loaded.error().message);
  return std::move(*created);
}

Image MakePicture(int width, int height, const std::vector<uint8_t>& colour) {
  Result<Image> image = MakeImage(width, height, static_cast<int>(colour.size()));
  REQUIRE(image.has_value());
  const size_t size = size_t{1} * width * height * colour.size();
  for (size_t i = 0; i < size; ++i) image->pixels.data()[i] = colour[i % colour.size()];
  return std::move(*image);
}

std::vector<uint8_t> MakeBmp(int width, int height, const std::vector<uint8_t>& rgb) {
  const int row_bytes = (3 * width + 3) / 4 * 4;
  std::vector<uint8_t> bytes = {'B', 'M'};
  AppendLittleEndian(bytes, 54 + row_bytes * height, 4);
  AppendLittleEndian(bytes, 0, 4);
  AppendLittleEndian(bytes, 54, 4);  // where the pixels begin
  AppendLittleEndian(bytes, 40, 4);  // BITMAPINFOHEADER
  AppendLittleEndian(bytes, width, 4);
  AppendLittleEndian(bytes, height, 4);
  AppendLittleEndian(bytes, 1, 2);   // planes
  AppendLittleEndian(bytes, 24, 2);  // bits of a pixel
  AppendLittleEndian(bytes, 0, 4);   // not compressed
  AppendLittleEndian(bytes, row_bytes * height, 4);
  bytes.resize(54, 0);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) bytes.insert(bytes.end(), {rgb[2], rgb[1], rgb[0]});
    bytes.resize(54 + size_t{1} * row_bytes * (y + 1), 0);
  }
  return bytes;
}

}  // namespace vitrine::test
