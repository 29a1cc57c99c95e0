# The warnings and floating-point rules that every target of the project is compiled with.
set(HYPERION_SANITIZE "" CACHE STRING "Sanitizers to build with, e.g. address,undefined or thread")

add_library(hyperion_warnings INTERFACE)
target_compile_options(hyperion_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wundef -Wcast-qual -Wwrite-strings -Wvla -Werror
  $<$<COMPILE_LANGUAGE:C>:-Wstrict-prototypes -Wmissing-prototypes>
  # A product and a sum are one rounding only where a kernel asks for it by intrinsic.
  -ffp-contract=off)
if(HYPERION_SANITIZE)
  target_compile_options(hyperion_warnings INTERFACE
    -fsanitize=${HYPERION_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(hyperion_warnings INTERFACE -fsanitize=${HYPERION_SANITIZE})
endif()
