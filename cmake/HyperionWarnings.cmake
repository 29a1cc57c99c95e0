# SPDX-License-Identifier: Apache-2.0
# The warnings and floating-point rules that every target of the project is compiled with.
set(HYPERION_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")

# Errors with the compilers the project is kept clean on; a newer one's new warning must not stop a user.
set(werror OFF)
if((CMAKE_C_COMPILER_ID STREQUAL GNU AND CMAKE_C_COMPILER_VERSION VERSION_LESS 13)
   OR (CMAKE_C_COMPILER_ID STREQUAL Clang AND CMAKE_C_COMPILER_VERSION VERSION_LESS 15))
  set(werror ON)
endif()
option(HYPERION_WERROR "Treat warnings as errors" ${werror})

add_library(hyperion_warnings INTERFACE)
target_compile_options(hyperion_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wcast-qual -Wwrite-strings -Wvla
  $<$<BOOL:${HYPERION_WERROR}>:-Werror>
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  # A product and a sum are one rounding only where a kernel asks for it by intrinsic.
  -ffp-contract=off)
if(HYPERION_SANITIZE)
  # Their reports need lines, no variables: half the size to link.
  target_compile_options(hyperion_warnings INTERFACE
    -fsanitize=${HYPERION_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  target_link_options(hyperion_warnings INTERFACE -fsanitize=${HYPERION_SANITIZE})
endif()
