# clang for wasm32 with Debian's wasi-libc and libc++; no emscripten, no JavaScript glue.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
set(CMAKE_CXX_COMPILER clang++-22)
set(CMAKE_CXX_COMPILER_TARGET wasm32-wasi)
set(CMAKE_AR llvm-ar-22)
set(CMAKE_RANLIB llvm-ranlib-22)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(ENM_WASM ON CACHE BOOL "" FORCE)
set(CMAKE_EXECUTABLE_SUFFIX .wasm)
# Views and other small structures are passed and returned as values and not through memory, which
# makes the module a tenth smaller. The C++ library is built otherwise: those functions of it that
# take or return such structures are called from files of the ABI ENM_LIBRARY_ABI, and the linker
# refuses calls that differ.
set(CMAKE_CXX_FLAGS_INIT
  "-msimd128 -matomics -mbulk-memory -fno-exceptions -fno-rtti -Wno-deprecated -mmultivalue -Xclang -target-abi -Xclang experimental-mv")
set(ENM_LIBRARY_ABI "-Xclang -target-abi -Xclang mvp")
if(ENM_RELAXED_SIMD)
  string(APPEND CMAKE_CXX_FLAGS_INIT " -mrelaxed-simd")
endif()
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ENM_RELAXED_SIMD)
