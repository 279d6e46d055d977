# Debian 12 packages only; ./dev installs them.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(RocksDB REQUIRED)
find_package(GTest REQUIRED)
find_package(benchmark REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)

find_path(SODIUM_INCLUDE sodium.h REQUIRED)
find_library(SODIUM_LIBRARY sodium REQUIRED)
add_library(sodium INTERFACE IMPORTED)
target_include_directories(sodium SYSTEM INTERFACE ${SODIUM_INCLUDE})
target_link_libraries(sodium INTERFACE ${SODIUM_LIBRARY})

add_library(asio INTERFACE IMPORTED)
target_link_libraries(asio INTERFACE Boost::boost Threads::Threads OpenSSL::SSL OpenSSL::Crypto)
target_compile_definitions(asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)

# Messages are made in one thread and freed in another; glibc's malloc spends a fifth of the gateway's CPU on that,
# jemalloc a third of it. Not under sanitizers, which bring their own.
add_library(allocator INTERFACE IMPORTED)
if(TRUNKLINE_SANITIZE STREQUAL "")
  find_library(JEMALLOC_LIBRARY libjemalloc_pic.a REQUIRED)
  target_link_libraries(allocator INTERFACE ${JEMALLOC_LIBRARY} Threads::Threads m)
endif()
