// ViT-Tiny with real weights, from the shared test material, against PyTorch and Pillow.
// `vitrine_tests -s "[shared]"` prints the measured errors.
#include <algorithm>
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <cstdlib>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include "test_support.h"
#include "vitrine/image.h"

namespace vitrine::test {
namespace {

namespace fs = std::filesystem;

constexpr double kStepTolerance = 1e-3;    // of the step's largest absolute value
constexpr double kLogitsTolerance = 5e-3;  // absolute

fs::path GoldenDir() { return NeedSharedDir() / "golden/vit_tiny_patch16_224"; }
ModelFolder TinyModel() { return ModelFolder(NeedSharedDir() / "models/vit_tiny_patch16_224"); }

/// The reference logits, by photo.
std::map<std::string, std::vector<float>> ReferenceLogits() {
  const TensorFile file = ReadTensors(GoldenDir() / "logits.safetensors");
  const Tensor& logits = file.at("logits");
  std::istringstream photos(file.metadata.at("photos"));
  std::map<std::string, std::vector<float>> by_photo;
  auto row = logits.values.begin();
  for (std::string photo; photos >> photo; row += logits.shape[1]) {
    by_photo[photo].assign(row, row + logits.shape[1]);
  }
  REQUIRE(by_photo.size() == 60);
  return by_photo;
}

Image Decode(const fs::path& path) {
  Result<Image> image = DecodeImage(ReadBytes(path));
  INFO(path.string() << ": " << (image ? "" : image.error().message));
  REQUIRE(image.has_value());
  return std::move(*image);
}

/// Logits of a picture that already has the network's size.
std::vector<float> LogitsOfPixels(Network& network, const fs::path& png) {
  const Image image = Decode(png);
  const Result<void> unfolded = Unfold(image, network.model->config().preprocess,
                                       network.model->config().vit, network.executor->input());
  INFO(png.string() << ": " << (unfolded ? "" : unfolded.error().message));
  REQUIRE(unfolded.has_value());
  REQUIRE(network.executor->Run(Want::kHead).has_value());
  return network.Output();
}

void CheckLogits(Network& network, const std::string& photo, const fs::path& png,
                 const std::vector<float>& expected) {
  const std::vector<float> logits = LogitsOfPixels(network, png);
  const double max_abs_error = Compare(logits, expected).max_abs_error;
  CAPTURE(photo, max_abs_error);
  CHECK(max_abs_error <= kLogitsTolerance);
  CHECK(ArgMax(logits) == ArgMax(expected));
}

TEST_CASE("every step of ViT-Tiny equals PyTorch's", "[shared]") {
  const TensorFile golden = ReadTensors(GoldenDir() / "steps.safetensors");
  Network network = LoadNetwork(TinyModel(), GENERATE(1, 2));
  std::map<std::string, std::vector<float>> outputs;
  const StepObserver observer = [&outputs](const Step& step, std::span<const float> output,
                                           double) {
    outputs[step.name].assign(output.begin(), output.end());
  };
  network.Run(golden.at("input").values, Want::kTokens, &observer);

  for (const auto& [name, expected] : golden.tensors) {
    if (name == "input") continue;
    // The file's "blocks.0.attn" is the residual stream behind the attention.
    const std::string step = name.ends_with(".attn") ? name + ".residual" : name;
    const Difference difference = Compare(outputs[step], expected.values);
    CAPTURE(step, difference.max_abs_error, difference.max_abs_value);
    CHECK(difference.relative() <= kStepTolerance);
  }
}

TEST_CASE("ViT-Tiny's input tensor equals torchvision's", "[shared]") {
  const TensorFile golden = ReadTensors(GoldenDir() / "steps.safetensors");
  Network network = LoadNetwork(TinyModel(), 1);
  const std::span<float> input = network.executor->input();
  REQUIRE(UnfoldTensor(golden.at("input").values, network.model->config().vit, input).has_value());
  const std::vector<float> expected(input.begin(), input.end());

  const Image image = Decode(GoldenDir() / "resize/007_cock.248bicubic_crop224.png");
  std::fill(input.begin(), input.end(), 0.0f);
  REQUIRE(Unfold(image, network.model->config().preprocess, network.model->config().vit, input)
              .has_value());
  CHECK(Compare(input, expected).max_abs_error <= 1e-6);
}

TEST_CASE("ViT-Tiny's logits of six photos equal PyTorch's on Pillow's pixels", "[shared]") {
  const std::map<std::string, std::vector<float>> expected = ReferenceLogits();
  const std::string suffix = ".248bicubic_crop224.png";
  Network network = LoadNetwork(TinyModel(), 1);
  int num_photos = 0;
  for (const auto& entry : fs::directory_iterator(GoldenDir() / "resize")) {
    const std::string name = entry.path().filename().string();
    if (!name.ends_with(suffix)) continue;
    const std::string photo = name.substr(0, name.size() - suffix.size());
    CheckLogits(network, photo, entry.path(), expected.at(photo));
    ++num_photos;
  }
  CHECK(num_photos == 6);
}

TEST_CASE("ViT-Tiny's logits of all 60 photos equal PyTorch's on Pillow's pixels", "[shared]") {
  const std::map<std::string, std::vector<float>> expected = ReferenceLogits();
  const char* variable = std::getenv("VITRINE_RESIZED_DIR");
  const fs::path folder =
      variable != nullptr ? fs::path(variable) : SourceDir() / "build/resized_photos";
  if (!fs::exists(folder)) {
    SKIP("needs the photos resized by Pillow: python3 tests/golden/resize_photos.py "
         << (NeedSharedDir() / "photos").string() << " " << folder.string());
  }
  Network network = LoadNetwork(TinyModel(), 1);
  for (const auto& [photo, logits] : expected) {
    CheckLogits(network, photo, folder / (photo + ".png"), logits);
  }
}

TEST_CASE("ViT-Tiny says of the JPEG files what PyTorch says", "[shared]") {
  const std::map<std::string, std::vector<float>> expected = ReferenceLogits();
  const std::unique_ptr<Classifier> classifier = LoadClassifier(TinyModel(), 1);
  int num_equal = 0;
  double largest_error = 0;
  std::string different;
  for (const auto& [photo, logits] : expected) {
    const Image image = Decode(NeedSharedDir() / "photos" / (photo + ".jpg"));
    const Result<std::span<const float>> actual = classifier->Logits(image);
    INFO(photo << ": " << (actual ? "" : actual.error().message));
    REQUIRE(actual.has_value());
    largest_error = std::max(largest_error, Compare(*actual, logits).max_abs_error);
    if (ArgMax(*actual) == ArgMax(logits)) {
      ++num_equal;
    } else {
      different += " " + photo;
    }
  }
  CAPTURE(largest_error, different);
  CHECK(num_equal >= 58);
}

TEST_CASE("ViT-Tiny loads alike from chunks of any sizes", "[shared]") {
  const std::vector<float> input =
      ReadTensors(GoldenDir() / "steps.safetensors").at("input").values;
  const ModelFolder folder = TinyModel();
  Network whole = LoadNetwork(folder, 1);
  whole.Run(input, Want::kHead);
  std::mt19937 random(1);
  // Most chunks of a few bytes or kilobytes, some of megabytes.
  Network chunked =
      LoadNetwork(folder, 1, [&random] { return size_t{1} << (random() % 22) | random() % 1000; });
  chunked.Run(input, Want::kHead);
  CHECK(chunked.Output() == whole.Output());
}

TEST_CASE("ViT-Tiny gives the same logits on every run", "[shared]") {
  const std::vector<float> input =
      ReadTensors(GoldenDir() / "steps.safetensors").at("input").values;
  std::vector<float> other(input.rbegin(), input.rend());
  Network network = LoadNetwork(TinyModel(), GENERATE(1, 2));
  network.Run(input, Want::kHead);
  const std::vector<float> first = network.Output();
  const std::vector<float> first_features = network.Features();

  // Whatever ran in between, and however much was wanted of it.
  network.Run(other, Want::kTokens);
  CHECK(network.Output() != first);
  network.Run(input, Want::kHead);
  CHECK(network.Output() == first);
  CHECK(network.Features() == first_features);
  network.Run(input, Want::kTokens);
  CHECK(Compare(network.Output(), first).relative() <= 1e-5);
}

TEST_CASE("ViT-Tiny takes the memory that its size asks for", "[shared]") {
  Network network = LoadNetwork(TinyModel(), 1);
  const Executor& executor = *network.executor;
  const auto parameter_bytes =
      static_cast<double>(executor.plan().num_parameters()) * sizeof(float);
  CHECK(executor.plan().num_parameters() == 5717416);
  CHECK(static_cast<double>(executor.weight_bytes()) >= parameter_bytes);
  CHECK(static_cast<double>(executor.weight_bytes()) <= 1.05 * parameter_bytes);
  size_t buffer_bytes = 0;
  for (const PlanBuffer& buffer : executor.plan().buffers) {
    buffer_bytes += sizeof(float) * buffer.rows * buffer.cols;
  }
  CHECK(executor.activation_bytes() >= buffer_bytes);
  CHECK(executor.activation_bytes() <= buffer_bytes + (size_t{4} << 20));
}

}  // namespace
}  // namespace vitrine::test
