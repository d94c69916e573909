# SPDX-License-Identifier: Apache-2.0
# What the libraries under Stator are called by the rooms (linked_rocksdb, linked_crypto,
# linked_http, linked_deflate), and which form of them a program gets.
#
# Half of a start would be the dynamic linker and the constructors of 24 libraries, most of them
# never called (docs/performance.md). So the server has everything but the C library linked in:
# a program with the property STATOR_STATIC gets the archives, all others, tests and embedding
# programs among them, the shared libraries. Sanitized builds always do: the exceptions of
# ThreadSanitizer are for librocksdb.so. A system without the archives builds a dynamic server.
set(shared_rocksdb ${ROCKSDB_LIBRARY})
set(shared_crypto OpenSSL::Crypto)
set(shared_http PkgConfig::MICROHTTPD)
set(shared_deflate PkgConfig::DEFLATE)

set(STATOR_STATIC_USED OFF)
if(NOT STATOR_SANITIZE)
    foreach(archive rocksdb snappy lz4 zstd bz2 z crypto microhttpd deflate)
        find_library(ARCHIVE_${archive} lib${archive}.a)
        mark_as_advanced(ARCHIVE_${archive})
    endforeach()
    execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=libstdc++.a
        OUTPUT_VARIABLE archive_cxx OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    set(static_deflate ${ARCHIVE_deflate})
    set(static_rocksdb ${ARCHIVE_rocksdb} ${ARCHIVE_snappy} ${ARCHIVE_lz4} ${ARCHIVE_zstd}
        ${ARCHIVE_bz2} ${ARCHIVE_z} ${archive_cxx} -static-libgcc m Threads::Threads ${CMAKE_DL_LIBS})
    set(static_crypto ${ARCHIVE_crypto} Threads::Threads ${CMAKE_DL_LIBS})
    set(static_http ${ARCHIVE_microhttpd} Threads::Threads)

    # The whole set or nothing: does a program with all of it have no loose end?
    try_compile(STATOR_STATIC_WORKS
        SOURCES ${CMAKE_SOURCE_DIR}/tools/static_probe.c ${CMAKE_SOURCE_DIR}/src/without_tls.c
        COMPILE_DEFINITIONS -D_GNU_SOURCE
        LINK_LIBRARIES ${static_http} ${static_deflate} ${static_rocksdb} ${static_crypto})
    set(STATOR_STATIC_USED ${STATOR_STATIC_WORKS})
    if(NOT STATOR_STATIC_WORKS)
        message(STATUS "The libraries are not all there as archives: the server is linked dynamically")
    endif()
endif()

if(STATOR_STATIC_USED)
    add_library(without_tls STATIC src/without_tls.c)
    target_link_libraries(without_tls PRIVATE stator_flags)
    list(APPEND static_http without_tls)
endif()
foreach(library rocksdb crypto http deflate)
    add_library(linked_${library} INTERFACE)
    if(STATOR_STATIC_USED)
        set(is_static $<BOOL:$<TARGET_PROPERTY:STATOR_STATIC>>)
        target_link_libraries(linked_${library} INTERFACE
            "$<${is_static}:${static_${library}}>" "$<$<NOT:${is_static}>:${shared_${library}}>")
    else()
        target_link_libraries(linked_${library} INTERFACE ${shared_${library}})
    endif()
endforeach()
