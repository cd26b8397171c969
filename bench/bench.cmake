# SPDX-License-Identifier: MIT OR Apache-2.0
#
# bench.cmake - the driver: our index beside whichever libraries are here. Libraries that choose their SIMD code when compiled are given the whole machine
# (-march=native).
include(CheckLanguage)
check_language(CXX)
if(NOT CMAKE_CXX_COMPILER)
    message(STATUS "no C++ compiler: bench/driver is left out")
    return()
endif()
enable_language(CXX)

file(GLOB driver_sources CONFIGURE_DEPENDS bench/driver/*.cpp)
set(driver_sources ${driver_sources} bench/peers/peers.cpp bench/peers/chronomind.cpp bench/peers/store.cpp bench/peers/dot.cpp)
set(driver_definitions)
set(driver_libraries)

find_path(HNSWLIB_INCLUDE_DIR hnswlib/hnswlib.h)
if(HNSWLIB_INCLUDE_DIR)
    execute_process(COMMAND dpkg-query -W -f "\${source:Upstream-Version}" libhnswlib-dev OUTPUT_VARIABLE hnswlib_version ERROR_QUIET)
    list(APPEND driver_sources bench/peers/hnswlib.cpp)
    list(APPEND driver_definitions "PEER_HNSWLIB=\"${hnswlib_version}\"")
endif()

set(usearch_folder ${CMAKE_SOURCE_DIR}/build/peers/usearch)
if(EXISTS ${usearch_folder}/include/usearch/index_dense.hpp)
    file(READ ${usearch_folder}/VERSION usearch_version)
    string(STRIP "${usearch_version}" usearch_version)
    list(APPEND driver_sources bench/peers/usearch.cpp)
    list(APPEND driver_definitions "PEER_USEARCH=\"${usearch_version}\"")
endif()

# Debian ships FAISS as a static library, which wants LAPACK and OpenMP.
find_path(FAISS_INCLUDE_DIR faiss/IndexHNSW.h)
find_library(FAISS_LIBRARY faiss)
find_library(FAISS_LAPACK lapack)
find_library(FAISS_BLAS blas)
find_package(OpenMP QUIET COMPONENTS CXX)
if(FAISS_INCLUDE_DIR AND FAISS_LIBRARY AND FAISS_LAPACK AND FAISS_BLAS AND OpenMP_CXX_FOUND)
    list(APPEND driver_sources bench/peers/faiss.cpp)
    list(APPEND driver_definitions PEER_FAISS)
    list(APPEND driver_libraries ${FAISS_LIBRARY} ${FAISS_LAPACK} ${FAISS_BLAS} OpenMP::OpenMP_CXX)
endif()

set_property(SOURCE bench/peers/dot.cpp PROPERTY COMPILE_OPTIONS -ffast-math -mprefer-vector-width=512)
add_executable(bench_driver ${driver_sources})
add_dependencies(benches bench_driver)
set_target_properties(bench_driver PROPERTIES OUTPUT_NAME driver RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench CXX_STANDARD 17 CXX_STANDARD_REQUIRED ON)
target_include_directories(bench_driver PRIVATE bench)
target_include_directories(bench_driver SYSTEM PRIVATE ${HNSWLIB_INCLUDE_DIR} ${usearch_folder}/include ${FAISS_INCLUDE_DIR})
target_compile_definitions(bench_driver PRIVATE ${driver_definitions})
target_compile_options(bench_driver PRIVATE -O3 -march=native -Wall -Wextra -Wno-missing-field-initializers)
target_link_libraries(bench_driver PRIVATE chronomind_static ${driver_libraries} Threads::Threads m)

# Small, and without the word vectors: that the driver runs, and that what it writes is whole.
if(CM_TESTS)
    find_program(NODE node)
    if(NODE)
        add_test(NAME bench/quick COMMAND ${NODE} ${CMAKE_SOURCE_DIR}/bench/quick.mjs $<TARGET_FILE:bench_driver>)
        set_tests_properties(bench/quick PROPERTIES LABELS bench TIMEOUT 300)
    endif()
endif()
