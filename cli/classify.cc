// vitrine classify: labels for pictures.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <string>

#include "commands.h"
#include "file.h"
#include "model_folder.h"
#include "output.h"
#include "vitrine/text.h"

namespace vitrine::cli {
namespace {

constexpr uint64_t kMaxImageBytes = uint64_t{512} << 20;

struct Options {
  int top_k;
  Alpha alpha;
  bool json;
  bool logits;
};

Result<Classification> ClassifyFile(Classifier& classifier, const std::string& file,
                                    const Options& options) {
  const Result<std::vector<uint8_t>> bytes = ReadFile(file, kMaxImageBytes);
  if (!bytes) return Forward(bytes);
  return classifier.Classify(*bytes, options.top_k, options.alpha);
}

/// `,"logits":[…]`, every value with the digits that bring the float32 back.
std::string LogitsJson(std::span<const float> logits) {
  std::string json = ",\"logits\":[";
  std::array<char, 32> number;
  for (const float logit : logits) {
    std::snprintf(number.data(), number.size(), "%s%.9g", json.back() == '[' ? "" : ",", logit);
    json += number.data();
  }
  json += "]";
  return json;
}

void PrintJson(const std::string& file, const Result<Classification>& result,
               std::span<const float> logits) {
  std::string line = Concat("{\"file\":", JsonString(file), ",");
  if (!result) {
    line += Concat("\"error\":", ErrorJson(result.error()), "}");
  } else {
    line += ClassificationJson(*result).substr(1);  // joins the two objects
    if (!logits.empty()) line.insert(line.size() - 1, LogitsJson(logits));
  }
  std::printf("%s\n", line.c_str());
}

/// A bar of up to `width` cells, in eighths of a cell.
std::string Bar(float share, int width) {
  constexpr std::array kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const int eighths = static_cast<int>(std::lround(share * static_cast<float>(width * 8)));
  std::string bar;
  for (int i = 0; i < eighths / 8; ++i) bar += "█";
  return bar + kEighths[eighths % 8];
}

void PrintTable(const std::string& file, const Classification& result) {
  std::printf("%s  (decode %.1f ms, preprocess %.1f ms, inference %.1f ms)\n", file.c_str(),
              result.ms.decode.value_or(0), result.ms.preprocess, result.ms.inference);
  const auto name = [](const Label& label) {
    return label.label.empty() ? Concat("class ", label.index) : label.label;
  };
  int width = 0;
  for (const Label& label : result.labels) width = std::max(width, DisplayWidth(name(label)));
  for (const Label& label : result.labels) {
    const std::string text = name(label);
    const std::string bar = Bar(label.score, 40);
    std::printf("  %s%*s  %5.1f %%%s%s\n", text.c_str(), width - DisplayWidth(text), "",
                100 * label.score, bar.empty() ? "" : "  ", bar.c_str());
  }
}

int Run(const Args& args) {
  if (args.operands().empty()) {
    return Complain({Status::kInvalidArgument, "no IMAGE given; see vitrine help classify"});
  }
  const Result<int> top_k = args.Integer("--top-k", 5, 1, 1'000'000);
  if (!top_k) return Complain(top_k.error());
  const Result<int> threads = ThreadsOf(args);
  if (!threads) return Complain(threads.error());
  const std::string_view alpha = args.Text("--alpha", "white");
  if (alpha != "white" && alpha != "drop") {
    return Complain({Status::kInvalidArgument,
                     Expected("--alpha", Concat("\"", alpha, "\""), "white or drop")});
  }
  const Options options = {
      .top_k = *top_k,
      .alpha = alpha == "drop" ? Alpha::kDrop : Alpha::kWhite,
      .json = args.Has("--json"),
      .logits = args.Has("--logits"),
  };
  if (options.logits && !options.json) {
    return Complain({Status::kInvalidArgument, "--logits needs --json"});
  }

  const Result<std::string> model =
      args.Has("--model") ? Result<std::string>(args.Text("--model", "")) : FindBundledModel();
  if (!model) return Complain(model.error());
  const Result<std::unique_ptr<Classifier>> loaded = LoadClassifier(*model, *threads, IsaOf(args));
  if (!loaded) return Complain(loaded.error());
  Classifier& classifier = **loaded;
  if (classifier.config().vit.num_classes == 0) {
    return Complain({Status::kInvalidArgument,
                     Concat(*model, ": num_classes 0, expected a model with a head")});
  }

  int exit_status = kExitOk;
  for (const std::string& file : args.operands()) {
    const Result<Classification> result = ClassifyFile(classifier, file, options);
    if (!result) exit_status = kExitFailed;
    if (options.json) {
      PrintJson(file, result,
                options.logits ? classifier.executor().output() : std::span<const float>());
    } else if (result) {
      PrintTable(file, *result);
    } else {
      const std::string& message = result.error().message;
      const bool names_file = message.starts_with(file);
      Complain({result.error().status, names_file ? message : Concat(file, ": ", message)});
    }
    std::fflush(stdout);
  }
  return exit_status;
}

constexpr Flag kFlags[] = {
    {"--model", "DIR", "Model folder; the bundled model when not given."},
    {"--top-k", "N", "How many labels to show, best first (5)."},
    {"--threads", "N", "Threads to use (all of the machine's)."},
    {"--alpha", "white|drop",
     "Transparency: shown on white (the default), or dropped as Pillow does."},
    {"--json", "", "One line of JSON per picture."},
    {"--logits", "", "With --json: adds \"logits\", the scores before softmax, of every class."},
};

}  // namespace

const Command kClassify = {
    .name = "classify",
    .operands = "IMAGE...",
    .summary = "Label pictures (JPEG, PNG, GIF, BMP; - reads standard input).",
    .details =
        "A picture that cannot be read is reported, the others go on, and the exit status is 1.",
    .flags = kFlags,
    .run = Run,
};

}  // namespace vitrine::cli
