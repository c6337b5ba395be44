# SPDX-License-Identifier: GPL-2.0-only
# Builds libbpf from the source tree in vendor/libbpf/, out of tree, and makes bpftrap::libbpf use it
# instead of the system's. Included by dependencies.cmake.

set(LIBBPF_VERSION 0) # for trees without that header
if(EXISTS ${_libbpf_tree}/src/libbpf_version.h)
  file(STRINGS ${_libbpf_tree}/src/libbpf_version.h _lines REGEX "_VERSION +[0-9]+$")
  string(REGEX REPLACE "[^;]*LIBBPF_M[AINJOR]+_VERSION +([0-9]+)" "\\1" _version "${_lines}")
  list(JOIN _version "." LIBBPF_VERSION)
endif()
bpftrap_require(libbpf "${LIBBPF_VERSION}")
message(STATUS "libbpf ${LIBBPF_VERSION} of vendor/libbpf is built and used")

set(_prefix ${CMAKE_CURRENT_BINARY_DIR}/libbpf)
set(_archive ${_prefix}/lib/libbpf.a)
set(_header ${_prefix}/include/bpf/libbpf.h)
set(BPFTRAP_LIBBPF_INCLUDE_DIR ${_prefix}/include)
set(BPFTRAP_LIBBPF_HEADERS ${_header})
file(MAKE_DIRECTORY ${BPFTRAP_LIBBPF_INCLUDE_DIR})
file(GLOB _sources CONFIGURE_DEPENDS ${_libbpf_tree}/src/*.[ch] ${_libbpf_tree}/src/Makefile)
find_program(BPFTRAP_MAKE NAMES gmake make REQUIRED)

add_custom_command(
  OUTPUT ${_archive} ${_header}
  COMMAND
    ${BPFTRAP_MAKE} -s -C ${_libbpf_tree}/src install BUILD_STATIC_ONLY=1 OBJDIR=${_prefix}/obj
    DESTDIR=${_prefix} PREFIX= INCLUDEDIR=/include LIBDIR=/lib UAPIDIR=/include CC=${CMAKE_C_COMPILER}
    "CFLAGS=-O2 -g -ffunction-sections -fdata-sections -ffile-prefix-map=${_libbpf_tree}/src/="
  # make does not touch unchanged files, which would then count as out of date for ever.
  COMMAND ${CMAKE_COMMAND} -E touch ${_archive} ${_header}
  DEPENDS ${_sources}
  COMMENT "libbpf ${LIBBPF_VERSION} of vendor/libbpf"
  VERBATIM
)
add_custom_target(bpftrap_libbpf_tree DEPENDS ${_archive} ${_header})
add_dependencies(bpftrap_libbpf bpftrap_libbpf_tree)
target_link_libraries(bpftrap_libbpf INTERFACE ${_archive})
