# pthreadpool as XNNPACK's thread pool. Its own CMake project gives Emscripten a pool of one thread;
# the sources themselves know Emscripten's futexes, so they are listed here.

add_library(pthreadpool STATIC
  ${pthreadpool_SOURCE_DIR}/src/memory.c
  ${pthreadpool_SOURCE_DIR}/src/portable-api.c
  ${pthreadpool_SOURCE_DIR}/src/pthreads.c)
target_include_directories(pthreadpool SYSTEM PUBLIC ${pthreadpool_SOURCE_DIR}/include)
target_include_directories(pthreadpool PRIVATE ${pthreadpool_SOURCE_DIR}/src ${fxdiv_SOURCE_DIR}/include)
target_compile_definitions(pthreadpool
  PUBLIC PTHREADPOOL_NO_DEPRECATED_API=1
  PRIVATE PTHREADPOOL_USE_CPUINFO=0 PTHREADPOOL_USE_FASTPATH=0
          PTHREADPOOL_USE_GCD=0 PTHREADPOOL_USE_EVENT=0)
if(EMSCRIPTEN OR CMAKE_SYSTEM_NAME STREQUAL "Linux")
  target_compile_definitions(pthreadpool PRIVATE PTHREADPOOL_USE_FUTEX=1 _GNU_SOURCE=1)
else()
  target_compile_definitions(pthreadpool PRIVATE PTHREADPOOL_USE_FUTEX=0)
endif()
target_compile_options(pthreadpool PRIVATE -O2)
if(NOT EMSCRIPTEN)
  target_link_libraries(pthreadpool PUBLIC Threads::Threads)
endif()
