# What core/src/cpu/linear.cc takes of XNNPACK, for WebAssembly (which XNNPACK's own CMake project does not
# know) and for x86-64 Linux: the float32 GEMM microkernels, their packing, and its choice between them.
# A hundredth of the whole; the linker drops what stays unreferenced, so XNNPACK's tables may name
# kernels that are not built. For another data type widen VITRINE_XNNPACK_KERNELS.

set(VITRINE_XNNPACK_KERNELS "src/(f32-(gemm|igemm)|x32-packw)/")

# Microkernel families and the flags of each, as in XNNPACK's own build.
if(EMSCRIPTEN)
  set(families scalar wasm wasmsimd)
  if(VITRINE_WASM_SIMD STREQUAL "relaxed")
    list(APPEND families wasmrelaxedsimd)
  endif()
else()
  set(families scalar sse sse2 avx fma3 avx512f)
  set(flags_sse -msse)
  set(flags_sse2 -msse2)
  set(flags_avx -mavx)
  set(flags_fma3 -mf16c -mfma)
  set(flags_avx512f -mavx512f)
endif()

add_library(xnnpack_options INTERFACE)
target_include_directories(xnnpack_options SYSTEM INTERFACE
  ${xnnpack_SOURCE_DIR}/include ${xnnpack_SOURCE_DIR}/src ${fxdiv_SOURCE_DIR}/include
  ${pthreadpool_SOURCE_DIR}/include)
target_compile_definitions(xnnpack_options INTERFACE
  XNN_LOG_LEVEL=0 XNN_ENABLE_ASSEMBLY=0 XNN_ENABLE_MEMOPT=1 XNN_ENABLE_SPARSE=0
  XNN_ENABLE_GEMM_M_SPECIALIZATION=1 XNN_ENABLE_DWCONV_MULTIPASS=0 XNN_ENABLE_KLEIDIAI=0
  XNN_ENABLE_AVX512F=1 XNN_ENABLE_AVX512SKX=0 XNN_ENABLE_AVX256SKX=0 XNN_ENABLE_AVX256VNNI=0
  XNN_ENABLE_AVX256VNNIGFNI=0 XNN_ENABLE_AVX512VBMI=0 XNN_ENABLE_AVX512VNNI=0
  XNN_ENABLE_AVX512VNNIGFNI=0 XNN_ENABLE_AVX512AMX=0 XNN_ENABLE_AVX512FP16=0 XNN_ENABLE_AVXVNNI=0
  XNN_ENABLE_AVXVNNIINT8=0 XNN_ENABLE_ARM_FP16_SCALAR=0 XNN_ENABLE_ARM_FP16_VECTOR=0
  XNN_ENABLE_ARM_BF16=0 XNN_ENABLE_ARM_DOTPROD=0 XNN_ENABLE_ARM_I8MM=0 XNN_ENABLE_HVX=0
  $<$<BOOL:${EMSCRIPTEN}>:XNN_ENABLE_CPUINFO=0> $<$<NOT:$<BOOL:${EMSCRIPTEN}>>:XNN_ENABLE_CPUINFO=1>)
target_compile_options(xnnpack_options INTERFACE -w -fno-math-errno)
if(NOT EMSCRIPTEN)
  target_include_directories(xnnpack_options SYSTEM INTERFACE cmake/cpuinfo)
endif()

set(kernel_objects "")
foreach(family IN LISTS families)
  include(${xnnpack_SOURCE_DIR}/cmake/gen/${family}_microkernels.cmake)
  string(TOUPPER ${family} upper)
  set(sources ${PROD_${upper}_MICROKERNEL_SRCS})
  list(FILTER sources INCLUDE REGEX ${VITRINE_XNNPACK_KERNELS})
  if(family STREQUAL "wasmrelaxedsimd")  # what core/src/cpu/linear.cc prefers to XNNPACK's choice
    list(APPEND sources src/f32-gemm/gen/f32-gemm-6x8-minmax-wasmrelaxedsimd-fma-loadsplat.c)
  endif()
  list(TRANSFORM sources PREPEND ${xnnpack_SOURCE_DIR}/)
  add_library(xnnpack_${family} OBJECT ${sources})
  target_link_libraries(xnnpack_${family} PRIVATE xnnpack_options)
  target_compile_options(xnnpack_${family} PRIVATE -O3 ${flags_${family}})
  set_target_properties(xnnpack_${family} PROPERTIES
    UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 24 C_EXTENSIONS ON)
  list(APPEND kernel_objects $<TARGET_OBJECTS:xnnpack_${family}>)
endforeach()

set(sources configs/gemm-config.c configs/hardware-config.c microparams-init.c reference/packing.cc)
list(TRANSFORM sources PREPEND ${xnnpack_SOURCE_DIR}/src/)
add_library(xnnpack STATIC ${sources} ${kernel_objects})
set_target_properties(xnnpack PROPERTIES C_EXTENSIONS ON)
# Its header names pthreadpool's type; nothing here uses a pool of it (core/src/cpu/thread_pool.h).
target_include_directories(xnnpack SYSTEM PUBLIC
  ${xnnpack_SOURCE_DIR}/include ${pthreadpool_SOURCE_DIR}/include)
target_compile_options(xnnpack PRIVATE -O2)
target_link_libraries(xnnpack PRIVATE $<BUILD_INTERFACE:xnnpack_options>)
if(NOT EMSCRIPTEN)
  target_link_libraries(xnnpack PUBLIC m)
endif()
