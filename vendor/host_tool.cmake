# SPDX-License-Identifier: GPL-2.0-only
# bpftrap_host_tool(NAME SOURCE PART...): a program that runs during the build and links the libraries of
# these parts. When cross-compiling, the build machine's own compiler builds it. Sets NAME_command to what
# a custom command calls, and depends on.
set(_host_warnings -Wall -Wextra $<$<BOOL:${BPFTRAP_WERROR}>:-Werror>)

function(bpftrap_host_tool name source)
  if(NOT CMAKE_CROSSCOMPILING)
    add_executable(${name} ${source})
    target_compile_options(${name} PRIVATE ${_host_warnings})
    set(libraries ${ARGN})
    list(TRANSFORM libraries PREPEND bpftrap::)
    target_link_libraries(${name} PRIVATE ${libraries})
    set(${name}_command ${name} PARENT_SCOPE)
    return()
  endif()
  find_program(BPFTRAP_HOST_CXX NAMES c++ g++ clang++ NO_CMAKE_FIND_ROOT_PATH REQUIRED)
  set(program ${PROJECT_BINARY_DIR}/tools/${name})
  file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/tools)
  set(flags_libseccomp -lseccomp)
  set(flags_zlib -lz)
  set(libraries "")
  foreach(part IN LISTS ARGN)
    list(APPEND libraries ${flags_${part}})
  endforeach()
  add_custom_command(
    OUTPUT ${program}
    COMMAND ${BPFTRAP_HOST_CXX} -std=c++20 "${_host_warnings}" ${source} ${libraries} -o ${program}
    DEPENDS ${source}
    COMMENT "Program ${name}, for the build"
    COMMAND_EXPAND_LISTS VERBATIM
  )
  set(${name}_command ${program} PARENT_SCOPE)
endfunction()
