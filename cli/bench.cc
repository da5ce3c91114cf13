// vitrine bench: how long a model takes, and where.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <random>
#include <string>

#include "commands.h"
#include "model_folder.h"
#include "output.h"
#include "vitrine/json_writer.h"
#include "vitrine/text.h"

namespace vitrine::cli {
namespace {

constexpr int kWarmUpRuns = 3;

/// Time and work of one group of steps in one run.
struct Share {
  double ms = 0;
  double flops = 0;
};

struct Measurement {
  std::vector<double> ms;       // of each run, sorted
  std::vector<double> step_ms;  // mean of each step; empty without --profile

  double Minimum() const { return ms.front(); }
  double Median() const { return (ms[(ms.size() - 1) / 2] + ms[ms.size() / 2]) / 2; }
};

double Gflops(double flops, double ms) { return ms > 0 ? flops / ms / 1e6 : 0; }

/// Uniform in [-0.05, 0.05): finite, of no particular shape; the time does not depend on it.
Result<void> SetRandomWeights(Classifier& classifier) {
  std::minstd_rand random(1);
  const std::vector<Parameter>& parameters = classifier.model().plan().parameters;
  for (size_t i = 0; i < parameters.size(); ++i) {
    Tensor values = Tensor::Allocate(DType::kF32, parameters[i].shape);
    if (values.bytes.empty())
      return Fail(Status::kOutOfMemory, parameters[i].name + ": no memory; use a smaller model");
    for (float& value : values.floats())
      value = static_cast<float>(random() % 1000) * 1e-4f - 0.05f;
    if (Result<void> set =
            classifier.parameters().SetParameter(static_cast<int>(i), std::move(values));
        !set)
      return set;
  }
  return {};
}

Result<Measurement> Measure(Executor& executor, int runs, bool profile) {
  std::minstd_rand random(2);
  for (float& value : executor.input()) value = static_cast<float>(random() % 2000) * 1e-3f - 1.0f;

  Measurement measurement;
  if (profile) measurement.step_ms.resize(executor.plan().steps.size());
  const Step* const first_step = executor.plan().steps.data();
  const StepObserver observer = [&](const Step& step, std::span<const float>, double ms) {
    measurement.step_ms[&step - first_step] += ms / runs;
  };
  for (int i = -kWarmUpRuns; i < runs; ++i) {
    const bool counts = i >= 0;
    const auto start = std::chrono::steady_clock::now();
    const Result<void> ran = executor.Run(Want::kHead, profile && counts ? &observer : nullptr);
    const std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
    if (!ran) return Forward(ran);
    if (counts) measurement.ms.push_back(ms.count());
  }
  std::sort(measurement.ms.begin(), measurement.ms.end());
  return measurement;
}

/// "blocks.*.mlp.fc1" for "blocks.3.mlp.fc1": the blocks' steps are summed.
std::string StepGroup(const std::string& name) {
  if (!name.starts_with("blocks.")) return name;
  const size_t dot = name.find('.', 7);
  return dot == name.npos ? "blocks.*" : Concat("blocks.*", name.substr(dot));
}

void PrintShares(const char* title, const std::vector<std::pair<std::string, Share>>& shares,
                 double total_ms) {
  Table table({{title}, {"ms", true}, {"%", true}, {"GFLOPS", true}});
  for (const auto& [name, share] : shares) {
    table.AddRow({name, Fixed(share.ms, 3), Fixed(100 * share.ms / total_ms, 1),
                  share.flops > 0 ? Fixed(Gflops(share.flops, share.ms), 1) : ""});
  }
  std::printf("\n");
  table.Print(stdout);
}

/// Sums by kind and by step, in the order of the plan.
void PrintProfile(const Plan& plan, const Measurement& measurement) {
  std::vector<std::pair<std::string, Share>> kinds;
  std::vector<std::pair<std::string, Share>> groups;
  double total_ms = 0;
  for (size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    const double flops = plan.flops(step, Want::kHead);
    total_ms += measurement.step_ms[i];
    const auto add = [&](std::vector<std::pair<std::string, Share>>& shares,
                         const std::string& name) {
      auto found = std::find_if(shares.begin(), shares.end(),
                                [&](const auto& s) { return s.first == name; });
      if (found == shares.end()) found = shares.insert(found, {name, Share()});
      found->second.ms += measurement.step_ms[i];
      found->second.flops += flops;
    };
    add(kinds, std::string(StepKindName(step.kind)));
    add(groups, StepGroup(step.name));
  }
  std::sort(kinds.begin(), kinds.end(),
            [](const auto& a, const auto& b) { return a.second.ms > b.second.ms; });
  PrintShares("kind", kinds, total_ms);
  PrintShares("step", groups, total_ms);
}

void PrintJson(const std::string& path, const Executor& executor, const Measurement& measurement) {
  const Plan& plan = executor.plan();
  const double flops = plan.flops(Want::kHead);
  JsonWriter json;
  json.BeginObject();
  json.Key("model").String(path);
  json.Key("architecture").String(plan.config.architecture);
  json.Key("threads").Int(executor.num_threads());
  json.Key("isa").String(executor.isa());
  json.Key("runs").Int(std::ssize(measurement.ms));
  json.Key("ms").BeginObject();
  json.Key("median").Number(measurement.Median());
  json.Key("minimum").Number(measurement.Minimum());
  json.EndObject();
  json.Key("mflop").Number(flops / 1e6);
  json.Key("gflops").Number(Gflops(flops, measurement.Median()));
  if (!measurement.step_ms.empty()) {
    json.Key("steps").BeginArray();
    for (size_t i = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      json.BeginObject();
      json.Key("name").String(step.name);
      json.Key("kind").String(StepKindName(step.kind));
      json.Key("ms").Number(measurement.step_ms[i]);
      json.Key("mflop").Number(plan.flops(step, Want::kHead) / 1e6);
      json.EndObject();
    }
    json.EndArray();
  }
  std::printf("%s\n", json.EndObject().Take().c_str());
}

Result<std::unique_ptr<Classifier>> LoadRandom(const std::string& path, int num_threads,
                                               std::string_view isa) {
  const Result<ModelFolder> folder = ReadModelFolder(path);
  if (!folder) return Forward(folder);
  Result<std::unique_ptr<Classifier>> classifier =
      Classifier::Create(folder->files(), num_threads, isa);
  if (!classifier) return classifier;
  if (Result<void> set = SetRandomWeights(**classifier); !set) return Forward(set);
  return classifier;
}

int Run(const Args& args) {
  if (args.operands().size() > 1) {
    return Complain({Status::kInvalidArgument, "more than one DIR given; see vitrine help bench"});
  }
  const Result<int> threads = ThreadsOf(args);
  if (!threads) return Complain(threads.error());
  const Result<int> runs = args.Integer("--runs", 20, 1, 1'000'000);
  if (!runs) return Complain(runs.error());
  const Result<std::string> path =
      args.operands().empty() ? FindBundledModel() : Result<std::string>(args.operands()[0]);
  if (!path) return Complain(path.error());
  const Result<std::unique_ptr<Classifier>> classifier =
      args.Has("--random") ? LoadRandom(*path, *threads, IsaOf(args))
                           : LoadClassifier(*path, *threads, IsaOf(args));
  if (!classifier) return Complain(classifier.error());

  Executor& executor = (*classifier)->executor();
  const Result<Measurement> measurement = Measure(executor, *runs, args.Has("--profile"));
  if (!measurement) return Complain(measurement.error());
  if (args.Has("--json")) {
    PrintJson(*path, executor, *measurement);
    return kExitOk;
  }
  const Plan& plan = executor.plan();
  const double flops = plan.flops(Want::kHead);
  std::printf("%s, %d thread%s, %s, %d runs\n", plan.config.architecture.c_str(),
              executor.num_threads(), executor.num_threads() == 1 ? "" : "s",
              std::string(executor.isa()).c_str(), *runs);
  std::printf("  median  %8.2f ms  %6.1f GFLOPS\n  minimum %8.2f ms  %6.1f GFLOPS\n",
              measurement->Median(), Gflops(flops, measurement->Median()), measurement->Minimum(),
              Gflops(flops, measurement->Minimum()));
  if (!measurement->step_ms.empty()) PrintProfile(plan, *measurement);
  return kExitOk;
}

constexpr Flag kFlags[] = {
    {"--threads", "N", "Threads to use (all of the machine's)."},
    {"--isa", "NAME", "Instruction set: baseline, avx2 … (the best there is, or $VITRINE_ISA)."},
    {"--runs", "N", "How many runs are timed, after 3 to warm up (20)."},
    {"--profile", "", "Time by kind of step and by step, as means over the runs."},
    {"--random", "", "Random weights: config.json is all that DIR needs."},
    {"--json", "", "One JSON object."},
};

}  // namespace

const Command kBench = {
    .name = "bench",
    .operands = "[DIR]",
    .summary = "Time a model: median and minimum of a run, GFLOPS.",
    .details =
        "A run is one picture from patches to logits, as classify's \"inference\". GFLOPS counts "
        "the linear\n"
        "and attention steps. Without DIR: the bundled model.",
    .flags = kFlags,
    .run = Run,
};

}  // namespace vitrine::cli
