# SPDX-License-Identifier: GPL-2.0-only
# Finds the third-party parts, and ends configuration with a message if one is missing or too old. Minimum
# versions and packages are those of parts.txt. Defines
#   bpftrap::libbpf, bpftrap::libseccomp, bpftrap::zlib, CLI11::CLI11, fmt::fmt-header-only,
#   bpftrap::protozero
#   bpftrap::rapidjson, GTest::gtest_main                  for the tests
#   nlohmann_json::nlohmann_json                           for the fuzz targets
#   BPFTRAP_LIBBPF_INCLUDE_DIR, BPFTRAP_LIBBPF_HEADERS     for the BPF programs
#   BPFTRAP_CLANG, BPFTRAP_LLVM_STRIP, BPFTRAP_BPFTOOL     the programs' paths

set(_parts ${CMAKE_CURRENT_LIST_DIR}/parts.txt)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_parts})
file(STRINGS ${_parts} _rows REGEX "^[^#]")
foreach(_row IN LISTS _rows)
  string(REGEX REPLACE " *\\| *" ";" _row "${_row}")
  list(GET _row 0 _part)
  string(STRIP "${_part}" _part)
  list(GET _row 1 _least_${_part})
  list(GET _row 3 _debian_${_part})
  list(GET _row 4 _fedora_${_part})
  list(GET _row 5 _arch_${_part})
endforeach()

# bpftrap_require(PART VERSION [NEEDS]): ends configuration unless VERSION, the version that was found, is
# set and not older than the minimum. NEEDS names the needed component, if it is not the whole part.
function(bpftrap_require part version)
  set(least ${_least_${part}})
  if(NOT version STREQUAL "" AND (least STREQUAL "-" OR NOT version VERSION_LESS least))
    return()
  endif()
  set(needs ${part})
  if(NOT least STREQUAL "-")
    string(APPEND needs " >= ${least}")
  endif()
  if(ARGC GREATER 2)
    string(APPEND needs " ${ARGV2}")
  endif()
  if(NOT version STREQUAL "")
    set(found "found ${version}")
  else()
    set(found "not found")
  endif()
  message(FATAL_ERROR "bpftrap needs ${needs} (${found}): install ${_debian_${part}} (Debian), "
                      "${_fedora_${part}} (Fedora) or ${_arch_${part}} (Arch).")
endfunction()

# bpftrap_program(VARIABLE PART NAMES... ): finds a program whose --version prints its version.
function(bpftrap_program variable part)
  # System tools may be in directories that are only in root's PATH.
  find_program(${variable} NAMES ${ARGN} PATHS /usr/local/sbin /usr/sbin /sbin)
  set(version "")
  if(${variable})
    execute_process(
      COMMAND ${${variable}} --version OUTPUT_VARIABLE output ERROR_QUIET
    )
    if(output MATCHES "([0-9]+\\.[0-9]+(\\.[0-9]+)?)")
      set(version ${CMAKE_MATCH_1})
    endif()
  endif()
  bpftrap_require(${part} "${version}")
endfunction()

# Programs. Without the plain name, the newest version is used.
set(_llvm_versions 22 21 20 19 18 17 16 15 14)
list(TRANSFORM _llvm_versions PREPEND "clang-" OUTPUT_VARIABLE _clangs)
list(TRANSFORM _llvm_versions PREPEND "llvm-strip-" OUTPUT_VARIABLE _llvm_strips)
bpftrap_program(BPFTRAP_CLANG clang clang ${_clangs})
bpftrap_program(BPFTRAP_LLVM_STRIP llvm-strip llvm-strip ${_llvm_strips})
bpftrap_program(BPFTRAP_BPFTOOL bpftool bpftool)

# Header-only libraries.
find_package(CLI11 CONFIG QUIET)
bpftrap_require(cli11 "${CLI11_VERSION}")
find_package(fmt CONFIG QUIET)
bpftrap_require(fmt "${fmt_VERSION}")
find_path(BPFTRAP_PROTOZERO_INCLUDE_DIR protozero/version.hpp)
set(_protozero_version "")
if(BPFTRAP_PROTOZERO_INCLUDE_DIR)
  file(STRINGS ${BPFTRAP_PROTOZERO_INCLUDE_DIR}/protozero/version.hpp _line REGEX "VERSION_STRING")
  if(_line MATCHES "([0-9]+\\.[0-9]+\\.[0-9]+)")
    set(_protozero_version ${CMAKE_MATCH_1})
  endif()
endif()
bpftrap_require(protozero "${_protozero_version}")
add_library(bpftrap_protozero INTERFACE)
add_library(bpftrap::protozero ALIAS bpftrap_protozero)
target_include_directories(
  bpftrap_protozero SYSTEM INTERFACE ${BPFTRAP_PROTOZERO_INCLUDE_DIR}
)

# A distribution may package the static C and C++ libraries separately from the compiler.
if(BPFTRAP_STATIC)
  foreach(_archive IN ITEMS libc.a libstdc++.a)
    execute_process(
      COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=${_archive}
      OUTPUT_VARIABLE _path OUTPUT_STRIP_TRAILING_WHITESPACE
    )
    if(NOT EXISTS "${_path}")
      bpftrap_require(cxx "" "with ${_archive}, as BPFTRAP_STATIC is on")
    endif()
  endforeach()
endif()

# Dependencies of libbpf, according to pkg-config: libelf and its own (zlib, with newer ones also zstd).
find_package(PkgConfig QUIET)
bpftrap_require(pkg-config "${PKG_CONFIG_VERSION_STRING}")
pkg_check_modules(LIBELF QUIET libelf)
bpftrap_require(libelf "${LIBELF_VERSION}")
pkg_check_modules(ZLIB QUIET IMPORTED_TARGET zlib)
bpftrap_require(zlib "${ZLIB_VERSION}")
add_library(bpftrap_zlib INTERFACE)
add_library(bpftrap::zlib ALIAS bpftrap_zlib)
target_link_libraries(bpftrap_zlib INTERFACE PkgConfig::ZLIB)
add_library(bpftrap_libbpf INTERFACE)
add_library(bpftrap::libbpf ALIAS bpftrap_libbpf)

set(_libbpf_tree ${CMAKE_CURRENT_LIST_DIR}/libbpf)
if(EXISTS ${_libbpf_tree}/src/Makefile)
  include(${CMAKE_CURRENT_LIST_DIR}/libbpf_tree.cmake)
else()
  pkg_check_modules(LIBBPF QUIET libbpf)
  bpftrap_require(libbpf "${LIBBPF_VERSION}")
  pkg_get_variable(BPFTRAP_LIBBPF_INCLUDE_DIR libbpf includedir)
  set(BPFTRAP_LIBBPF_HEADERS "")
  # Uses the archive even if the rest is shared, because the shared library of 1.1 lacks a function of its
  # headers (libbpf_set_memlock_rlim, misspelt in libbpf.map).
  find_library(BPFTRAP_ARCHIVE_bpf NAMES libbpf.a HINTS ${LIBBPF_STATIC_LIBRARY_DIRS})
  if(BPFTRAP_ARCHIVE_bpf)
    target_link_libraries(bpftrap_libbpf INTERFACE ${BPFTRAP_ARCHIVE_bpf})
  elseif(BPFTRAP_STATIC)
    bpftrap_require(libbpf "" "with libbpf.a, as BPFTRAP_STATIC is on")
  else()
    target_link_libraries(bpftrap_libbpf INTERFACE ${LIBBPF_LINK_LIBRARIES})
  endif()
endif()
target_include_directories(bpftrap_libbpf SYSTEM INTERFACE ${BPFTRAP_LIBBPF_INCLUDE_DIR})

if(BPFTRAP_STATIC)
  set(_libraries ${LIBELF_STATIC_LIBRARIES} z)
  list(REVERSE _libraries) # keep the last mention, because a library must come after those that need it
  list(REMOVE_DUPLICATES _libraries)
  list(REVERSE _libraries)
  list(REMOVE_ITEM _libraries pthread) # part of libc
  set(_part_of_z zlib)
  foreach(_name IN LISTS _libraries)
    find_library(BPFTRAP_ARCHIVE_${_name} NAMES lib${_name}.a HINTS ${LIBELF_STATIC_LIBRARY_DIRS})
    if(NOT BPFTRAP_ARCHIVE_${_name})
      if(NOT _part_of_${_name})
        set(_part_of_${_name} libelf)
      endif()
      bpftrap_require(${_part_of_${_name}} "" "with lib${_name}.a, as BPFTRAP_STATIC is on")
    endif()
    target_link_libraries(bpftrap_libbpf INTERFACE ${BPFTRAP_ARCHIVE_${_name}})
  endforeach()
else()
  target_link_libraries(bpftrap_libbpf INTERFACE ${LIBELF_LINK_LIBRARIES} ${ZLIB_LINK_LIBRARIES})
endif()

# The archive is not needed, because only a program of the build uses it.
pkg_check_modules(LIBSECCOMP QUIET IMPORTED_TARGET libseccomp)
bpftrap_require(libseccomp "${LIBSECCOMP_VERSION}")
add_library(bpftrap_libseccomp INTERFACE)
add_library(bpftrap::libseccomp ALIAS bpftrap_libseccomp)
target_link_libraries(bpftrap_libseccomp INTERFACE PkgConfig::LIBSECCOMP)

if(BPFTRAP_TESTS)
  find_package(GTest CONFIG QUIET)
  bpftrap_require(googletest "${GTest_VERSION}")
  find_package(RapidJSON CONFIG QUIET)
  bpftrap_require(rapidjson "${RapidJSON_VERSION}")
  add_library(bpftrap_rapidjson INTERFACE)
  add_library(bpftrap::rapidjson ALIAS bpftrap_rapidjson)
  # Its configuration file names the directory in one of two ways, depending on the version.
  target_include_directories(
    bpftrap_rapidjson SYSTEM INTERFACE ${RAPIDJSON_INCLUDE_DIRS} ${RapidJSON_INCLUDE_DIRS}
  )
endif()
if(BPFTRAP_FUZZ)
  execute_process(
    COMMAND ${CMAKE_CXX_COMPILER} -print-runtime-dir
    OUTPUT_VARIABLE _runtime OUTPUT_STRIP_TRAILING_WHITESPACE
  )
  file(GLOB _fuzzer ${_runtime}/libclang_rt.fuzzer*.a)
  if(NOT _fuzzer)
    bpftrap_require(compiler-rt "")
  endif()
  find_package(nlohmann_json CONFIG QUIET)
  bpftrap_require(nlohmann-json "${nlohmann_json_VERSION}")
endif()
