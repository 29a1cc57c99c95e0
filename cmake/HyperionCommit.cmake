# SPDX-License-Identifier: Apache-2.0
# Run by every build: writes OUTPUT, a header with the commit of SOURCE, and touches it only when that
# changes. Outside a checkout of its own (a tarball inside somebody else's) there is no commit.
set(git git -C ${SOURCE} -c safe.directory=${SOURCE})
set(commit "")
set(modified 0)
execute_process(COMMAND ${git} rev-parse --show-prefix
  OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
if(status EQUAL 0 AND prefix STREQUAL "")
  execute_process(COMMAND ${git} rev-parse HEAD
    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    set(commit "")
  endif()
  execute_process(COMMAND ${git} status --porcelain --untracked-files=no
    OUTPUT_VARIABLE changes ERROR_QUIET)
  if(NOT changes STREQUAL "")
    set(modified 1)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUTPUT} @ONLY CONTENT [[// SPDX-License-Identifier: Apache-2.0
// build_commit.h - what this program was built from; "" outside a git checkout.
#define BUILD_COMMIT "@commit@"
#define BUILD_MODIFIED @modified@
]])
