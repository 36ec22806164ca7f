# A room is a folder of the library with a rank: it may include only rooms of lower rank. The rank,
# the third-party libraries and whether exceptions may appear are said once, in the room's
# CMakeLists.txt, and tools/check_rooms.py holds every #include against them.
#
#   enm_room(text RANK 1
#     SOURCES bpe.cc wordpiece.cc     # portable
#     NATIVE  unicode_dump.cc         # left out of WebAssembly
#     WASM    x_wasm.cc               # only there
#     TESTS   bpe_test.cc             # GoogleTest, one binary a room: <room>_test
#     DEPS    base                    # rooms
#     THIRD_PARTY OpenSSL::Crypto     # link targets (or "headers:rapidjson" for include-only ones)
#     EXCEPTIONS                      # only for rooms that never enter WebAssembly
#     NATIVE_ONLY)                    # the whole room stays out of WebAssembly
include(GoogleTest)

function(enm_room name)
  cmake_parse_arguments(R "EXCEPTIONS;NATIVE_ONLY" "RANK" "SOURCES;NATIVE;WASM;TESTS;DEPS;THIRD_PARTY;TEST_THIRD_PARTY" ${ARGN})
  if(ENM_WASM AND R_NATIVE_ONLY)
    return()
  endif()
  set(sources ${R_SOURCES})
  if(ENM_WASM)
    list(APPEND sources ${R_WASM})
  else()
    list(APPEND sources ${R_NATIVE})
  endif()
  string(REPLACE "/" "_" target "enm_${name}")
  set(deps ${R_DEPS})
  list(TRANSFORM deps REPLACE "/" "_")
  list(TRANSFORM deps PREPEND enm_)
  set(libraries ${R_THIRD_PARTY})
  list(FILTER libraries EXCLUDE REGEX "^headers:")

  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC enm_flags ${deps} PRIVATE ${libraries})
    if(NOT R_EXCEPTIONS)
      target_compile_options(${target} PRIVATE -fno-exceptions -fno-rtti)
    endif()
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE enm_flags ${deps} ${libraries})
  endif()

  if(ENM_TESTS AND R_TESTS AND NOT ENM_WASM)
    add_executable(${target}_test ${R_TESTS})
    target_link_libraries(${target}_test PRIVATE ${target} GTest::gtest GTest::gmock GTest::gtest_main ${libraries} ${R_TEST_THIRD_PARTY})
    target_compile_definitions(${target}_test PRIVATE ENM_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
    gtest_discover_tests(${target}_test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60
      PROPERTIES TIMEOUT 300)
  endif()
endfunction()
