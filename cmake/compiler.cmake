# Flags for everything we compile. Only clang is supported: GCC 12 miscompiles coroutines.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "Trunkline builds with clang-19 only; run ./dev, or configure with a preset")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Werror
                    -fno-omit-frame-pointer -fstack-protector-strong)
# Everything is built -fPIE: a precompiled header is shared only between equal flags.
add_compile_options(-fPIE)
add_link_options(-fuse-ld=lld -pie)

# ccache can only cache what does not depend on the precompiled header's timestamp.
add_compile_options("SHELL:-Xclang -fno-pch-timestamp")

if(TRUNKLINE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(TRUNKLINE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(TRUNKLINE_SANITIZE STREQUAL "fuzz")
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(NOT TRUNKLINE_SANITIZE STREQUAL "")
  message(FATAL_ERROR "TRUNKLINE_SANITIZE must be address, thread, fuzz or empty, not '${TRUNKLINE_SANITIZE}'")
endif()

if(TRUNKLINE_FAILPOINTS)
  add_compile_definitions(TRUNKLINE_FAILPOINTS=1)
endif()
