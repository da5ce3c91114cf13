// Files read whole or in pieces, with errors that name them.
#ifndef VITRINE_CLI_FILE_H_
#define VITRINE_CLI_FILE_H_

#include <cstdint>
#include <cstdio>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "vitrine/error.h"

namespace vitrine::cli {

bool IsThere(const std::string& path);
bool IsFolder(const std::string& path);

/// A file open for reading. Unbuffered: callers read large pieces to where they belong.
class InputFile {
 public:
  /// "-" is standard input. kIo when it cannot be opened or is a folder.
  static Result<InputFile> Open(const std::string& path);

  /// Fills `bytes`, or less of it at the end of the file; how much. kIo.
  Result<size_t> Read(std::span<uint8_t> bytes);

 private:
  struct Close {
    void operator()(FILE* file) const;
  };
  InputFile(std::string path, FILE* file) : path_(std::move(path)), file_(file) {}

  std::string path_;
  std::unique_ptr<FILE, Close> file_;
};

/// The bytes of a file, or of standard input for "-". kIo when it cannot be read, kTooLarge over
/// `max_bytes`.
Result<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes);

/// kIo.
Result<uint64_t> FileSize(const std::string& path);

}  // namespace vitrine::cli

#endif  // VITRINE_CLI_FILE_H_
