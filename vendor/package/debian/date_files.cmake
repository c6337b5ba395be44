# SPDX-License-Identifier: GPL-2.0-only
# CPack runs this before it packs the files that it has installed.
set(ENV{SOURCE_DATE_EPOCH} ${CPACK_BPFTRAP_EPOCH})
execute_process(
  COMMAND find ${CPACK_TEMPORARY_DIRECTORY} -exec touch -h -d @${CPACK_BPFTRAP_EPOCH} {} +
  COMMAND_ERROR_IS_FATAL ANY
)
