// vitrine: classify pictures, describe models, measure them.
#include <array>
#include <cstdio>
#include <string>

#ifdef __linux__
#include <unistd.h>
#endif

#include "commands.h"
#include "vitrine/cpu.h"
#include "vitrine/text.h"

#ifndef VITRINE_VERSION
#define VITRINE_VERSION "unknown"
#endif

namespace vitrine::cli {
namespace {

constexpr std::array kCommands = {&kClassify, &kInfo, &kBench};

std::string executable_path;  // set once, by main

void PrintHelp(FILE* out) {
  std::fprintf(
      out,
      "Vitrine %s: Vision Transformers on pictures, from timm and Hugging Face folders.\n\n"
      "Usage: vitrine COMMAND [FLAGS] ...\n\n",
      VITRINE_VERSION);
  for (const Command* command : kCommands) {
    std::fprintf(out, "  %-10s %s\n", command->name, command->summary);
  }
  std::fprintf(
      out,
      "  %-10s %s\n\n`vitrine help COMMAND` lists a command's flags. Exit status: 0 done, 1 some "
      "pictures failed,\n2 wrong arguments or a model that cannot be loaded.\n",
      "help", "This text, or a command's.");
}

void PrintCommandHelp(const Command& command) {
  std::printf("Usage: vitrine %s [FLAGS] %s\n\n%s\n\n", command.name, command.operands,
              command.summary);
  for (const Flag& flag : command.flags) {
    const std::string head = Concat(flag.name, " ", flag.value);
    std::printf("  %-20s %s\n", head.c_str(), flag.help);
  }
  std::printf("\n%s\n", command.details);
}

const Command* FindCommand(std::string_view name) {
  for (const Command* command : kCommands) {
    if (command->name == name) return command;
  }
  return nullptr;
}

int UnknownCommand(std::string_view name) {
  std::array<std::string_view, kCommands.size() + 1> names = {"help"};
  for (size_t i = 0; i < kCommands.size(); ++i) names[i + 1] = kCommands[i]->name;
  return Complain(
      {Status::kInvalidArgument,
       Concat("unknown command \"", name, "\"", Suggestion(name, names), " See vitrine --help.")});
}

int Help(std::span<char* const> words) {
  if (words.empty()) {
    PrintHelp(stdout);
    return kExitOk;
  }
  const Command* command = FindCommand(words[0]);
  if (command == nullptr) return UnknownCommand(words[0]);
  PrintCommandHelp(*command);
  return kExitOk;
}

int Main(std::span<char* const> words) {
  if (words.empty()) {
    PrintHelp(stderr);
    return kExitUsage;
  }
  const std::string_view first = words[0];
  if (first == "--help" || first == "-h" || first == "help") return Help(words.subspan(1));
  if (first == "--version") {
    std::printf("vitrine %s (%s)\n", VITRINE_VERSION, std::string(CpuIsas().back()).c_str());
    return kExitOk;
  }
  const Command* command = FindCommand(first);
  if (command == nullptr) return UnknownCommand(first);
  for (const std::string_view word : words.subspan(1)) {
    if (word == "--") break;
    if (word == "--help" || word == "-h") {
      PrintCommandHelp(*command);
      return kExitOk;
    }
  }
  const Result<Args> args = Args::Parse(*command, words.subspan(1));
  if (!args) return Complain(args.error());
  return command->run(*args);
}

}  // namespace

int Complain(const Error& error) {
  std::fflush(stdout);
  std::fprintf(stderr, "vitrine: %s\n", error.message.c_str());
  return kExitUsage;
}

const char* ExecutablePath() {
#ifdef __linux__
  // argv[0] is the bare name when the command was found through PATH.
  if (executable_path.find('/') == std::string::npos) {
    std::array<char, 4096> path = {};
    if (readlink("/proc/self/exe", path.data(), path.size() - 1) > 0) executable_path = path.data();
  }
#endif
  return executable_path.c_str();
}

}  // namespace vitrine::cli

int main(int argc, char** argv) {
  if (argc > 0) vitrine::cli::executable_path = argv[0];
  return vitrine::cli::Main(std::span<char* const>(argv, argc).subspan(argc > 0 ? 1 : 0));
}
