# trunkline_folder(DEPS lower folders... LIBS third-party targets... [PCH net] [THREADS])
#
# One call makes a folder of src/ a static library named after it, plus, from the files beside the code:
#   *_test.cc  -> <folder>_test, a ctest with the label "unit"; THREADS adds the label "threads": TSan runs it too
#   *_bench.cc -> <folder>_bench (release)
#   X_fuzz.cc  -> <folder>_X_fuzz in the fuzz preset; elsewhere <folder>_X_replay, a ctest that feeds it its
#                 committed corpus testdata/fuzz/X/ (at least one seed), each file also cut short and damaged
#   testdata/  -> TRUNKLINE_TESTDATA in tests and fuzzers
function(trunkline_folder)
  cmake_parse_arguments(ARG "THREADS" "PCH" "DEPS;LIBS" ${ARGN})
  if(ARG_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "trunkline_folder: what is '${ARG_UNPARSED_ARGUMENTS}'?")
  endif()
  file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/src ${CMAKE_CURRENT_SOURCE_DIR})
  string(REPLACE "/" "_" name ${path})

  file(GLOB sources CONFIGURE_DEPENDS *.cc)
  file(GLOB tests CONFIGURE_DEPENDS *_test.cc)
  file(GLOB fuzzers CONFIGURE_DEPENDS *_fuzz.cc)
  file(GLOB benches CONFIGURE_DEPENDS *_bench.cc)
  list(REMOVE_ITEM sources ${tests} ${fuzzers} ${benches})

  if(NOT sources)
    set(sources ${CMAKE_SOURCE_DIR}/cmake/empty.cc)
  endif()
  add_library(${name} STATIC ${sources})
  target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR}/src)
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} ${ARG_LIBS} fmt::fmt)
  trunkline_pch(${name} "${ARG_PCH}")
  trunkline_check_headers(${name})

  if(tests AND NOT TRUNKLINE_SANITIZE STREQUAL "fuzz")
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${name} GTest::gmock GTest::gtest_main)
    target_compile_definitions(${name}_test PRIVATE TRUNKLINE_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
    trunkline_pch(${name}_test "${ARG_PCH}")
    trunkline_add_test(${name} LABELS unit COMMAND ${name}_test)
    if(ARG_THREADS)
      set_property(TEST ${name} APPEND PROPERTY LABELS threads)
      add_dependencies(threads_tests ${name}_test)
    endif()
  endif()

  foreach(fuzzer ${fuzzers})
    get_filename_component(stem ${fuzzer} NAME_WE)
    string(REGEX REPLACE "_fuzz$" "" stem ${stem})
    set(corpus ${CMAKE_CURRENT_SOURCE_DIR}/testdata/fuzz/${stem})
    if(TRUNKLINE_SANITIZE STREQUAL "fuzz")
      set(target ${name}_${stem}_fuzz)
      add_executable(${target} ${fuzzer})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      set_property(GLOBAL APPEND PROPERTY TRUNKLINE_FUZZERS "${target} ${corpus}")
      add_dependencies(fuzzers ${target})
    else()
      set(target ${name}_${stem}_replay)
      add_executable(${target} ${fuzzer} ${CMAKE_SOURCE_DIR}/cmake/replay_main.cc)
      trunkline_pch(${target} "${ARG_PCH}")
      trunkline_add_test(${target} LABELS unit COMMAND ${target} ${corpus})
    endif()
    target_link_libraries(${target} PRIVATE ${name})
    target_compile_definitions(${target} PRIVATE TRUNKLINE_TESTDATA="${CMAKE_CURRENT_SOURCE_DIR}/testdata")
  endforeach()

  if(benches AND TRUNKLINE_SANITIZE STREQUAL "")
    add_executable(${name}_bench ${benches})
    target_link_libraries(${name}_bench PRIVATE ${name} benchmark::benchmark_main)
    set_target_properties(${name}_bench PROPERTIES EXCLUDE_FROM_ALL ON)
  endif()
endfunction()

# Two precompiled headers: the standard library for the pure half, Asio and Beast on top for the edges.
function(trunkline_pch target kind)
  if(kind STREQUAL "net")
    target_link_libraries(${target} PRIVATE pch_net_flags)
    target_precompile_headers(${target} REUSE_FROM pch_net)
  else()
    target_precompile_headers(${target} REUSE_FROM pch_std)
  endif()
endfunction()

# A precompiled header hides a missing #include. The target `headers` compiles each header of a folder alone and
# without it; the ctest of that name (asan build) runs it. Cheap: no optimiser, no sanitizer, cached by ccache.
function(trunkline_check_headers name)
  if(NOT TRUNKLINE_SANITIZE STREQUAL "address")
    return()
  endif()
  file(GLOB headers CONFIGURE_DEPENDS *.h)
  set(stubs)
  foreach(header ${headers})
    file(RELATIVE_PATH path ${CMAKE_SOURCE_DIR}/src ${header})
    set(stub ${CMAKE_CURRENT_BINARY_DIR}/headers/${path}.cc)
    file(GENERATE OUTPUT ${stub} CONTENT "#include \"${path}\"\n#include \"${path}\"\n")
    list(APPEND stubs ${stub})
  endforeach()
  if(stubs)
    add_library(${name}_headers OBJECT EXCLUDE_FROM_ALL ${stubs})
    target_link_libraries(${name}_headers PRIVATE ${name})
    target_compile_options(${name}_headers PRIVATE -O0 -g0 -fno-sanitize=all)
    add_dependencies(headers ${name}_headers)
  endif()
endfunction()

# trunkline_add_test(name LABELS ... COMMAND ...): a ctest with the sanitizers' settings, and its GoogleTest cases
# reported to <build>/gtest/<name>.xml (tools/test_summary.py counts those that were skipped).
function(trunkline_add_test name)
  cmake_parse_arguments(ARG "" "" "LABELS;COMMAND" ${ARGN})
  add_test(NAME ${name} COMMAND ${ARG_COMMAND})
  set(symbolizer /usr/bin/llvm-symbolizer-19)
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600 SKIP_RETURN_CODE 77)
  set_property(TEST ${name} PROPERTY ENVIRONMENT
    "GTEST_OUTPUT=xml:${CMAKE_BINARY_DIR}/gtest/${name}.xml"
    "ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1:external_symbolizer_path=${symbolizer}"
    "UBSAN_OPTIONS=print_stacktrace=1:external_symbolizer_path=${symbolizer}"
    "TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:external_symbolizer_path=${symbolizer}")
endfunction()

add_custom_target(threads_tests)  # what TSan runs
add_custom_target(fuzzers)
add_custom_target(headers)
