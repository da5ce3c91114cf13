// Arrays whose allocation can fail without ending the program.
#ifndef VITRINE_IMAGE_MEMORY_H_
#define VITRINE_IMAGE_MEMORY_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <type_traits>

namespace vitrine {

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};

template <typename T>
using Array = std::unique_ptr<T[], FreeMemory>;

/// Uninitialised; null when memory runs out.
template <typename T>
Array<T> AllocateArray(size_t size) {
  static_assert(std::is_trivial_v<T>);
  if (size == 0) size = 1;
  if (size > PTRDIFF_MAX / sizeof(T)) return nullptr;
  return Array<T>(static_cast<T*>(std::malloc(size * sizeof(T))));
}

}  // namespace vitrine

#endif  // VITRINE_IMAGE_MEMORY_H_
