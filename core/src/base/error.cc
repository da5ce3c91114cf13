#include "vitrine/error.h"

namespace vitrine {

std::string_view StatusName(Status status) {
  switch (status) {
    case Status::kOk:
      return "ok";
    case Status::kInvalidArgument:
      return "invalid_argument";
    case Status::kInvalidConfig:
      return "invalid_config";
    case Status::kInvalidCheckpoint:
      return "invalid_checkpoint";
    case Status::kUnsupported:
      return "unsupported";
    case Status::kInvalidImage:
      return "invalid_image";
    case Status::kTooLarge:
      return "too_large";
    case Status::kOutOfMemory:
      return "out_of_memory";
    case Status::kIo:
      return "io";
    case Status::kInternal:
      break;
  }
  return "internal";
}

}  // namespace vitrine
