// The one owner of plain memory: pixels, weights, activations, scratch.
#ifndef VITRINE_BUFFER_H_
#define VITRINE_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <type_traits>
#include <utility>

namespace vitrine {

/// An array of `size` values, 64-byte aligned. Unlike std::vector it can say that memory ran out
/// (the core is built without exceptions) and leaves new values uninitialised. Move-only; moving
/// leaves the source empty.
template <typename T>
class Buffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// An empty buffer when memory runs out or size is 0.
  static Buffer Allocate(size_t size) {
    constexpr size_t kAlignment = 64;
    if (size == 0 || size > (PTRDIFF_MAX - kAlignment) / sizeof(T)) return {};
    const size_t bytes = (size * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    return Adopt(static_cast<T*>(std::aligned_alloc(kAlignment, bytes)), size);
  }

  /// Takes over memory that std::malloc gave, whatever its alignment.
  static Buffer Adopt(T* memory, size_t size) {
    Buffer buffer;
    buffer.data_.reset(memory);
    buffer.size_ = memory == nullptr ? 0 : size;
    return buffer;
  }

  T* data() const { return data_.get(); }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(T); }
  bool empty() const { return size_ == 0; }
  explicit operator bool() const { return !empty(); }
  T& operator[](size_t i) const { return data_.get()[i]; }
  std::span<T> span() const { return {data_.get(), size_}; }

 private:
  struct Free {
    void operator()(T* memory) const { std::free(memory); }
  };
  std::unique_ptr<T, Free> data_;
  size_t size_ = 0;
};

}  // namespace vitrine

#endif  // VITRINE_BUFFER_H_
