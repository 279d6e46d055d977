# Flags for everything we compile. Only clang is supported: GCC 12 miscompiles coroutines.
if(NOT CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  message(FATAL_ERROR "Trunkline builds with clang-19 only; run ./dev, or configure with a preset")
endif()

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wno-missing-designated-field-initializers -Werror
                    -fno-omit-frame-pointer -fstack-protector-strong)
# Everything is built -fPIE: a precompiled header is shared only between equal flags.
add_compile_options(-fPIE)
add_link_options(-fuse-ld=lld -pie)

# The standard library's own checks (index within span, engaged optional) stay on in every build, as ASSERT does:
# a gateway that reads the network must stop rather than read past an end. NDEBUG is set nowhere.
add_compile_definitions(_GLIBCXX_ASSERTIONS)

# ccache caches precompiled headers, and what uses them, only if told at build time that this is fine: hence the
# settings travel with each command. The PCH must carry no time stamp, and __FILE__ not the path of the checkout.
find_program(TRUNKLINE_CCACHE ccache)
if(TRUNKLINE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
                                      CCACHE_MAXSIZE=5G ${TRUNKLINE_CCACHE})
endif()
add_compile_options("SHELL:-Xclang -fno-pch-timestamp" -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)

if(TRUNKLINE_SANITIZE STREQUAL "address")
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(TRUNKLINE_SANITIZE STREQUAL "thread")
  add_compile_options(-fsanitize=thread)
  add_link_options(-fsanitize=thread)
elseif(TRUNKLINE_SANITIZE STREQUAL "fuzz")
  add_compile_options(-fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=all)
  add_link_options(-fsanitize=address,undefined)
elseif(TRUNKLINE_SANITIZE STREQUAL "")
  # What ships is hardened; test/hardening_test.py reads it back from the binary. Not taken:
  # -ftrivial-auto-var-init (it would clear every read buffer on the stack; ASan and -Wall find the same bugs).
  add_compile_options(-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-clash-protection)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-fcf-protection)
  elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    add_compile_options(-mbranch-protection=standard)
  endif()
  add_link_options(LINKER:-z,relro,-z,now,-z,noexecstack)
else()
  message(FATAL_ERROR "TRUNKLINE_SANITIZE must be address, thread, fuzz or empty, not '${TRUNKLINE_SANITIZE}'")
endif()

if(TRUNKLINE_FAILPOINTS)
  add_compile_definitions(TRUNKLINE_FAILPOINTS=1)
endif()
