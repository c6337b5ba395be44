# SPDX-License-Identifier: GPL-2.0-only
# The Debian package, by CPack: `cpack --preset package`. Included by vendor/install.cmake.

# A stranger's package names its maker: set this.
set(BPFTRAP_MAINTAINER "bpftrap maintainers <maintainers@bpftrap.invalid>" CACHE STRING
    "Maintainer of the Debian package"
)
set(_debian ${PROJECT_BINARY_DIR}/debian)
file(MAKE_DIRECTORY ${_debian})
string(TIMESTAMP BPFTRAP_CHANGELOG_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(vendor/package/debian/changelog.in ${_debian}/changelog @ONLY)
find_program(BPFTRAP_GZIP gzip REQUIRED)
execute_process(COMMAND ${BPFTRAP_GZIP} -9nf changelog WORKING_DIRECTORY ${_debian})
install(
  FILES ${_debian}/changelog.gz vendor/package/debian/README.Debian
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT debian EXCLUDE_FROM_ALL
)
install(
  FILES vendor/package/debian/lintian-overrides
  DESTINATION ${CMAKE_INSTALL_DATADIR}/lintian/overrides
  RENAME bpftrap COMPONENT debian EXCLUDE_FROM_ALL
)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME bpftrap)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR})
set(CPACK_PACKAGE_CONTACT ${BPFTRAP_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "report every program that is executed and how it ended")
# CPack puts the space before each line that Debian wants there.
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
    "bpftrap reports the programs that a Linux machine executes and the
processes that end on it: with the whole command line, the reason for the
end, the sender of a deadly signal, and the cost. It loads BPF programs
into the running kernel and does not stop the processes that it traces.
.
The output is a table or a documented JSON stream. Lost records are
counted."
)
set(CPACK_INSTALL_CMAKE_PROJECTS
    "${PROJECT_BINARY_DIR};bpftrap;common;/" "${PROJECT_BINARY_DIR};bpftrap;debian;/"
)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS OFF) # the binary is static
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(_scripts ${CMAKE_CURRENT_LIST_DIR}/scripts)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${_scripts}/postinst ${_scripts}/prerm ${_scripts}/postrm)
set(_debian_x86_64 amd64)
set(_debian_aarch64 arm64)
set(_debian_riscv64 riscv64)
set(_debian_ppc64le ppc64el)
set(_debian_s390x s390x)
set(CPACK_DEBIAN_PACKAGE_ARCHITECTURE ${_debian_${CMAKE_SYSTEM_PROCESSOR}})

# Two builds give the same package: all files have the time of the last commit.
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/date_files.cmake)
set(CPACK_BPFTRAP_EPOCH ${BPFTRAP_EPOCH})
set(CPACK_BPFTRAP_PROCESSOR ${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE
)
include(CPack)
