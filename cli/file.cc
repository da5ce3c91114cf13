#include "file.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "vitrine/text.h"

namespace vitrine::cli {

bool IsThere(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0;
}

bool IsFolder(const std::string& path) {
  struct stat status;
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

void InputFile::Close::operator()(FILE* file) const {
  if (file != stdin) std::fclose(file);
}

Result<InputFile> InputFile::Open(const std::string& path) {
  if (IsFolder(path)) return Fail(Status::kIo, Concat(path, ": is a folder, expected a file"));
  FILE* file = path == "-" ? stdin : std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Fail(Status::kIo, Concat(path, ": ", std::strerror(errno)));
  std::setvbuf(file, nullptr, _IONBF, 0);
  return InputFile(path, file);
}

Result<size_t> InputFile::Read(std::span<uint8_t> bytes) {
  errno = 0;
  const size_t count = std::fread(bytes.data(), 1, bytes.size(), file_.get());
  if (count < bytes.size() && std::ferror(file_.get())) {
    return Fail(Status::kIo, Concat(path_, ": ", std::strerror(errno == 0 ? EIO : errno)));
  }
  return count;
}

Result<std::vector<uint8_t>> ReadFile(const std::string& path, uint64_t max_bytes) {
  constexpr size_t kFirstBytes = size_t{1} << 18;
  Result<InputFile> file = InputFile::Open(path);
  if (!file) return Forward(file);
  std::vector<uint8_t> bytes;
  size_t filled = 0;
  while (true) {
    bytes.resize(std::max(kFirstBytes, 2 * filled));
    const Result<size_t> count = file->Read(std::span(bytes).subspan(filled));
    if (!count) return Forward(count);
    filled += *count;
    if (filled > max_bytes) {
      return Fail(Status::kTooLarge,
                  Concat(path, ": over ", max_bytes >> 20, " MB, the most that is read"));
    }
    if (filled < bytes.size()) break;
  }
  bytes.resize(filled);
  return bytes;
}

Result<uint64_t> FileSize(const std::string& path) {
  struct stat status;
  if (stat(path.c_str(), &status) != 0)
    return Fail(Status::kIo, Concat(path, ": ", std::strerror(errno)));
  return static_cast<uint64_t>(status.st_size);
}

}  // namespace vitrine::cli
