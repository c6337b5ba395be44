# SPDX-License-Identifier: GPL-2.0-only
# Man pages, completions, and the files that `cmake --install` installs. A file is added by one
# install() below; man pages and completions of a new command need no change here.
#
# Components: `common` and `generic` are installed by default. A Debian package has `debian` instead
# of `generic`, where Debian's rules differ.
include(GNUInstallDirs)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON) # tests are not installed, and need not be built for it

# The time of the last commit dates man pages and packages, so that two builds are the same.
if(DEFINED ENV{SOURCE_DATE_EPOCH})
  set(BPFTRAP_EPOCH $ENV{SOURCE_DATE_EPOCH})
else()
  execute_process(
    COMMAND git -C ${PROJECT_SOURCE_DIR} log -1 --format=%ct
    OUTPUT_VARIABLE BPFTRAP_EPOCH OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET
  )
  if(NOT BPFTRAP_EPOCH)
    string(TIMESTAMP BPFTRAP_EPOCH "%s" UTC)
  endif()
  set(ENV{SOURCE_DATE_EPOCH} ${BPFTRAP_EPOCH}) # string(TIMESTAMP) and configure_file() read it
endif()
string(TIMESTAMP BPFTRAP_DATE "%Y-%m-%d" UTC)

# The names of the pages follow from those of the commands.
set(_commands ${PROJECT_SOURCE_DIR}/src/cli/commands.def)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${_commands})
file(STRINGS ${_commands} _rows REGEX "^COMMAND\\(")
set(_man_pages bpftrap.1)
foreach(_row IN LISTS _rows)
  string(REGEX REPLACE "^COMMAND\\(([a-z0-9_]+).*" "bpftrap-\\1.1" _page "${_row}")
  list(APPEND _man_pages ${_page})
endforeach()
set(_shells bash zsh fish)

# The pages are the same for every processor: a build for another one takes those of a build that
# could run the generator.
set(BPFTRAP_MANUAL "" CACHE PATH "Man pages and completions from another build, for cross compiling")
if(BPFTRAP_MANUAL)
  set(_manual ${BPFTRAP_MANUAL})
  add_custom_target(manual)
elseif(CMAKE_CROSSCOMPILING)
  set(_manual "") # none
  add_custom_target(manual)
else()
  set(_manual ${PROJECT_BINARY_DIR}/manual)
  file(MAKE_DIRECTORY ${_manual})
  file(GLOB _sources CONFIGURE_DEPENDS vendor/tools/manual/*.cpp)
  add_executable(make_manual EXCLUDE_FROM_ALL ${_sources})
  target_link_libraries(make_manual PRIVATE bpftrap_commands)

  find_program(BPFTRAP_GZIP gzip REQUIRED)
  file(GLOB _docs CONFIGURE_DEPENDS docs/*.md)
  list(TRANSFORM _man_pages APPEND .gz OUTPUT_VARIABLE _compressed)
  list(TRANSFORM _compressed PREPEND ${_manual}/)
  add_custom_command(
    OUTPUT ${_compressed}
    COMMAND make_manual man . ${PROJECT_SOURCE_DIR}/docs ${BPFTRAP_DATE} ${PROJECT_VERSION}
    COMMAND ${BPFTRAP_GZIP} -9nf ${_man_pages}
    DEPENDS make_manual ${_docs}
    WORKING_DIRECTORY ${_manual}
    COMMENT "Man pages"
    VERBATIM
  )
  set(_completions "")
  foreach(_shell IN LISTS _shells)
    set(_functions ${PROJECT_SOURCE_DIR}/vendor/package/completions/bpftrap.${_shell})
    list(APPEND _completions ${_manual}/bpftrap.${_shell})
    add_custom_command(
      OUTPUT ${_manual}/bpftrap.${_shell}
      COMMAND make_manual ${_shell} ${_manual}/bpftrap.${_shell} ${_functions}
      DEPENDS make_manual ${_functions}
      COMMENT "Completions of ${_shell}"
      VERBATIM
    )
  endforeach()
  add_custom_target(manual DEPENDS ${_compressed} ${_completions})
endif()

install(TARGETS bpftrap RUNTIME COMPONENT common)
if(_manual)
  foreach(_page IN LISTS _man_pages)
    install(FILES ${_manual}/${_page}.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT common)
  endforeach()
  install(
    FILES ${_manual}/bpftrap.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
    RENAME bpftrap COMPONENT common
  )
  install(
    FILES ${_manual}/bpftrap.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
    COMPONENT common
  )
  install(
    FILES ${_manual}/bpftrap.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions
    RENAME _bpftrap COMPONENT generic
  )
  install(
    FILES ${_manual}/bpftrap.zsh DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions
    RENAME _bpftrap COMPONENT debian EXCLUDE_FROM_ALL
  )
endif()
install(
  FILES docs/records.schema.json DESTINATION ${CMAKE_INSTALL_DATADIR}/bpftrap COMPONENT common
)
install(
  DIRECTORY vendor/package/fleet DESTINATION ${CMAKE_INSTALL_DATADIR}/bpftrap COMPONENT common
  PATTERN ship.sh EXCLUDE
)
install(
  PROGRAMS vendor/package/fleet/ship.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/bpftrap/fleet
  COMPONENT common
)
# All pages, except those about the source tree.
file(GLOB _user_docs CONFIGURE_DEPENDS docs/*.md)
list(FILTER _user_docs EXCLUDE REGEX "/(adding-a-command|architecture|building|fuzzing)\\.md$")
install(
  FILES README.md ${_user_docs} vendor/package/copyright
  DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT common
)
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT generic)

# The service of the recorder. A Debian package installs it where systemd looks for it. Others get a copy
# of the files, because the unit names /usr/bin/bpftrap.
set(_service vendor/package/service)
install(
  FILES ${_service}/bpftrap.service ${_service}/sysusers.conf ${_service}/tmpfiles.conf
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bpftrap/service COMPONENT generic
)
install(FILES ${_service}/bpftrap.service DESTINATION lib/systemd/system COMPONENT debian
        EXCLUDE_FROM_ALL
)
foreach(_kind sysusers tmpfiles)
  install(
    FILES ${_service}/${_kind}.conf
    DESTINATION lib/${_kind}.d RENAME bpftrap.conf COMPONENT debian EXCLUDE_FROM_ALL
  )
endforeach()

include(vendor/package/debian/package.cmake)
