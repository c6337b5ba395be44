# SPDX-License-Identifier: GPL-2.0-only
# Makes a BPF program part of an executable. NAME.bpf.c is compiled to BPF and stripped of debug
# information, except its BTF. bpftool then turns it into NAME.skel.h, which holds the object and the
# functions to open, load and attach it.

# The kernel's name of the architecture, which bpf_tracing.h needs to find registers.
set(_bpf_arch_x86_64 x86)
set(_bpf_arch_aarch64 arm64)
set(_bpf_arch_riscv64 riscv)
set(_bpf_arch_ppc64le powerpc)
set(_bpf_arch_s390x s390)
set(_bpf_arch ${_bpf_arch_${CMAKE_SYSTEM_PROCESSOR}})
if(NOT _bpf_arch)
  message(FATAL_ERROR "bpftrap cannot compile BPF programs for the processor "
                      "${CMAKE_SYSTEM_PROCESSOR}: see vendor/bpf_skeleton.cmake.")
endif()

# Kernel headers include <asm/types.h>. Debian keeps it in a directory per architecture that clang does
# not search when compiling for BPF. So clang gets the directories of the host's compiler, without that
# compiler's own headers.
set(_bpf_system_includes ${CMAKE_C_IMPLICIT_INCLUDE_DIRECTORIES})
list(FILTER _bpf_system_includes EXCLUDE REGEX "/(gcc|clang)/")
list(TRANSFORM _bpf_system_includes PREPEND "-idirafter;" OUTPUT_VARIABLE _bpf_system_includes)

# bpftrap_bpf_skeleton(TARGET SOURCE [WITHOUT_LINES]): makes NAME.skel.h from SOURCE, a NAME.bpf.c, so that
# TARGET can include it. WITHOUT_LINES: messages of the verifier show no source lines, except in a Debug build. The header declares `struct NAME_bpf`, because NAME alone would clash with functions of libc,
# such as exit(). The target bpftrap_skeletons makes all skeletons only.
function(bpftrap_bpf_skeleton target source)
  get_filename_component(file ${source} NAME)
  string(REGEX REPLACE "\\.bpf\\.c$" "" name ${file})
  get_filename_component(source ${source} ABSOLUTE)
  set(directory ${CMAKE_CURRENT_BINARY_DIR}/bpf)
  set(object ${directory}/${name}.bpf.o)
  set(skeleton ${directory}/${name}.skel.h)
  file(MAKE_DIRECTORY ${directory})

  set(flags -target bpf -mcpu=v3 -D__TARGET_ARCH_${_bpf_arch} -g -O2
            -Wall -Wextra -Wno-unused-parameter # BPF_PROG() names every argument of a hook
            # BTF has the name and the text of each source line, for messages of the verifier. The
            # name is relative to the tree, and so is the directory in which clang looks for the text.
            -ffile-prefix-map=${PROJECT_SOURCE_DIR}/= -fdebug-compilation-dir=.)
  if(BPFTRAP_WERROR)
    list(APPEND flags -Werror)
  endif()
  # The length of the table of source lines becomes 0 (struct btf_ext_header of libbpf: line_info_len).
  # libbpf's linker then drops the table and the text of the lines, which are half of the object.
  set(without_lines)
  if("WITHOUT_LINES" IN_LIST ARGN AND NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
    string(REPLACE "llvm-strip" "llvm-objcopy" objcopy ${BPFTRAP_LLVM_STRIP}) # they are one program
    set(without_lines
        COMMAND ${objcopy} --dump-section .BTF.ext=${object}.ext ${object}
        COMMAND dd if=/dev/zero of=${object}.ext bs=1 seek=20 count=4 conv=notrunc status=none
        COMMAND ${objcopy} --update-section .BTF.ext=${object}.ext ${object})
  endif()
  add_custom_command(
    OUTPUT ${skeleton}
    BYPRODUCTS ${object}
    COMMAND ${BPFTRAP_CLANG} ${flags} -isystem ${BPFTRAP_LIBBPF_INCLUDE_DIR} ${_bpf_system_includes}
            -MD -MF ${object}.d -MT ${skeleton} -c ${source} -o ${object}
    # Most symbols are branch labels, which nothing refers to.
    COMMAND ${BPFTRAP_LLVM_STRIP} -g --wildcard --strip-symbol=LBB* ${object}
    ${without_lines}
    # libbpf's linker drops the relocations of BTF, which are a third of the object.
    COMMAND ${BPFTRAP_BPFTOOL} gen object ${object}.linked ${object}
    COMMAND ${CMAKE_COMMAND} -E rename ${object}.linked ${object}
    # Writes to another file first, because an incomplete header would count as up to date.
    COMMAND ${BPFTRAP_BPFTOOL} gen skeleton ${object} name ${name}_bpf > ${skeleton}.new
    COMMAND ${CMAKE_COMMAND} -E rename ${skeleton}.new ${skeleton}
    DEPENDS ${source} ${BPFTRAP_LIBBPF_HEADERS}
    DEPFILE ${object}.d
    WORKING_DIRECTORY ${PROJECT_SOURCE_DIR}
    COMMENT "BPF skeleton ${name}.skel.h"
    VERBATIM
  )
  target_sources(${target} PRIVATE ${skeleton})
  # The project's warnings do not apply to generated headers.
  target_include_directories(${target} SYSTEM PRIVATE ${directory})
  if(NOT TARGET bpftrap_skeletons)
    add_custom_target(bpftrap_skeletons)
  endif()
  target_sources(bpftrap_skeletons PRIVATE ${skeleton})
endfunction()
