// A whole checkpoint in one piece: what the parser of the safetensors header makes of anything.
#include <cstddef>
#include <cstdint>

#include "fuzz_support.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace vitrine;
  fuzz::CheckingSink sink;
  WeightStream stream(fuzz::SmallPlan(), sink);
  Result<void> result = stream.Write({data, size});
  if (result) result = stream.Finish();
  if (result) {
    fuzz::Require(sink.complete() && stream.bytes_expected() == size);
  } else {
    fuzz::Require(!result.error().message.empty() && !stream.Finish());
  }
  return 0;
}
