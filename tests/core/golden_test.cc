// The one conformance suite: every step of every golden network, on every executor, against
// PyTorch. tests/golden/make_goldens.py made the files. As WebAssembly the same suite runs its
// instruction set.
#include <algorithm>
#include <catch2/catch_message.hpp>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators_range.hpp>
#include <functional>
#include <random>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "reference_executor.h"
#include "test_support.h"

namespace vitrine::test {
namespace {

// Of a step's largest absolute value. Float32 needs about 1e-6; tanh in the place of erf gives
// 8e-5.
constexpr double kTolerance = 1e-5;

std::vector<std::string> GoldenCases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SourceDir() / "tests/golden")) {
    if (std::filesystem::exists(entry.path() / "golden.safetensors")) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

/// Compares the steps of a run with a golden file in order; keeps what it found first.
class StepChecker {
 public:
  explicit StepChecker(const TensorFile& golden)
      : golden_(golden), names_(Words(golden.metadata.at("steps"))) {}

  void operator()(const std::string& step, std::span<const float> output) {
    if (!problem_.empty()) return;
    if (next_ == names_.size() || step != names_[next_]) {
      problem_ = "step " + std::to_string(next_) + " is " + step + ", expected " +
                 (next_ == names_.size() ? "the end" : names_[next_]);
      return;
    }
    ++next_;
    const Tensor& expected = golden_.at(step);
    const Difference difference = Compare(output, expected.values);
    if (!(difference.relative() <= kTolerance)) {
      std::ostringstream text;
      text << "first wrong step: " << step << " (" << output.size() << " values, expected "
           << expected.values.size() << "): error " << difference.max_abs_error
           << " of values up to " << difference.max_abs_value;
      problem_ = text.str();
    }
  }

  /// "" when every step was there and right.
  std::string Problem() const {
    if (!problem_.empty() || next_ == names_.size()) return problem_;
    return "the run ended before step " + names_[next_];
  }

 private:
  const TensorFile& golden_;
  std::vector<std::string> names_;
  size_t next_ = 0;
  std::string problem_;
};

void RequireClose(const std::string& what, std::span<const float> actual,
                  std::span<const float> expected) {
  const Difference difference = Compare(actual, expected);
  INFO(what << ": " << actual.size() << " values, expected " << expected.size() << ", error "
            << difference.max_abs_error << " of values up to " << difference.max_abs_value);
  REQUIRE(difference.relative() <= kTolerance);
}

TEST_CASE("the golden networks are all there", "[golden]") { REQUIRE(GoldenCases().size() == 33); }

std::vector<std::string> Isas() {
  const std::vector<std::string_view> isas = CpuIsas();
  return {isas.begin(), isas.end()};
}

TEST_CASE("the reference executor, from the plan's JSON alone, equals PyTorch", "[golden]") {
  const std::string name = GENERATE(from_range(GoldenCases()));
  CAPTURE(name);
  const ModelFolder folder(SourceDir() / "tests/golden" / name);
  const TensorFile golden = ReadTensors(folder.path / "golden.safetensors");
  const Result<std::shared_ptr<const Model>> model = Model::Create(folder.files());
  REQUIRE(model.has_value());
  ReferenceExecutor reference(PlanJson((*model)->plan()));
  WeightStream stream((*model)->plan(), reference);
  REQUIRE(Stream(stream, folder.weights).has_value());
  std::vector<float> patches((*model)->num_patch_values());
  REQUIRE((*model)->ReadPatchesOfTensor(golden.at("input").values, patches).has_value());

  StepChecker checker(golden);
  reference.Run(patches, Want::kTokens, std::ref(checker));
  REQUIRE(checker.Problem() == "");
  RequireClose("forward_features", reference.Role("tokens"), golden.at("forward_features").values);
  RequireClose("features", reference.Role("features"), golden.at("features").values);
  RequireClose("logits", reference.Role("output"), golden.at("logits").values);
  reference.Run(patches, Want::kHead);
  RequireClose("logits of Want::kHead", reference.Role("output"), golden.at("logits").values);
}

TEST_CASE("the CPU executor, on every instruction set, equals PyTorch", "[golden]") {
  const std::string name = GENERATE(from_range(GoldenCases()));
  const int num_threads = GENERATE(1, 2);
  const std::string isa = GENERATE(from_range(Isas()));
  CAPTURE(name, num_threads, isa);
  const ModelFolder folder(SourceDir() / "tests/golden" / name);
  const TensorFile golden = ReadTensors(folder.path / "golden.safetensors");
  const std::vector<float>& input = golden.at("input").values;
  Network network = LoadNetwork(folder, num_threads, [] { return size_t{1} << 16; }, isa);
  REQUIRE(network.executor->isa() == isa);

  StepChecker checker(golden);
  const StepObserver observer = [&checker](const Step& step, std::span<const float> output,
                                           double) { checker(step.name, output); };
  network.Run(input, Want::kTokens, &observer);
  REQUIRE(checker.Problem() == "");
  RequireClose("forward_features", network.Tokens(), golden.at("forward_features").values);
  RequireClose("features", network.Features(), golden.at("features").values);
  RequireClose("logits", network.Output(), golden.at("logits").values);

  // Leaving out the rows that the head does not read changes nothing in what it gives.
  network.Run(input, Want::kHead);
  RequireClose("features of Want::kHead", network.Features(), golden.at("features").values);
  RequireClose("logits of Want::kHead", network.Output(), golden.at("logits").values);
}

TEST_CASE("the number of threads does not change a golden network's logits", "[golden]") {
  const std::string name = GENERATE(from_range(GoldenCases()));
  CAPTURE(name);
  const ModelFolder folder(SourceDir() / "tests/golden" / name);
  const std::vector<float> input =
      ReadTensors(folder.path / "golden.safetensors").at("input").values;
  std::vector<float> logits[2];
  for (int i = 0; i < 2; ++i) {
    Network network = LoadNetwork(folder, i + 1);
    REQUIRE(network.executor->num_threads() == i + 1);
    network.Run(input, Want::kHead);
    logits[i] = network.Output();
  }
  REQUIRE(logits[0] == logits[1]);
}

TEST_CASE("executors share one set of weights", "[golden]") {
  const ModelFolder folder(SourceDir() / "tests/golden/plain");
  const TensorFile golden = ReadTensors(folder.path / "golden.safetensors");
  Network network = LoadNetwork(folder, 1);
  Result<std::unique_ptr<Executor>> other = MakeCpuExecutor(network.weights, 2);
  REQUIRE(other.has_value());
  REQUIRE((*other)->ready());
  network.Run(golden.at("input").values, Want::kHead);
  const std::vector<float> logits = network.Output();
  network.executor = std::move(*other);
  network.Run(golden.at("input").values, Want::kHead);
  REQUIRE(network.Output() == logits);
}

TEST_CASE("an instruction set that is not there is refused by name", "[golden]") {
  const ModelFolder folder(SourceDir() / "tests/golden/plain");
  const Result<std::unique_ptr<Classifier>> classifier =
      Classifier::Create(folder.files(), 1, "sse9");
  REQUIRE(!classifier.has_value());
  CHECK(classifier.error().status == Status::kInvalidArgument);
  CHECK(classifier.error().message.find(CpuIsas().back()) != std::string::npos);
}

TEST_CASE("a golden network loads from chunks of any sizes", "[golden]") {
  const std::string name = GENERATE("plain", "distilled", "hf_vit", "hf_deit_with_teacher");
  const unsigned largest_chunk = GENERATE(1u, 7u, 1000u);
  CAPTURE(name, largest_chunk);
  const ModelFolder folder(SourceDir() / "tests/golden" / name);
  const std::vector<float> input =
      ReadTensors(folder.path / "golden.safetensors").at("input").values;
  Network whole = LoadNetwork(folder, 1, [&folder] { return folder.weights.size(); });
  whole.Run(input, Want::kTokens);

  std::mt19937 random(largest_chunk);
  Network chunked = LoadNetwork(folder, 1, [&] { return size_t{1} + random() % largest_chunk; });
  chunked.Run(input, Want::kTokens);
  REQUIRE(chunked.Output() == whole.Output());
  REQUIRE(chunked.Tokens() == whole.Tokens());
}

}  // namespace
}  // namespace vitrine::test
