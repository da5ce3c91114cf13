# Toolchain file for a native build with clang 19: the one from `npm run setup`, else clang on PATH.

include(${CMAKE_CURRENT_LIST_DIR}/../build/setup/llvm.cmake OPTIONAL)
if(VITRINE_LLVM)
  set(CMAKE_C_COMPILER ${VITRINE_LLVM}/clang)
  set(CMAKE_CXX_COMPILER ${VITRINE_LLVM}/clang++)
else()
  set(CMAKE_C_COMPILER clang)
  set(CMAKE_CXX_COMPILER clang++)
endif()
