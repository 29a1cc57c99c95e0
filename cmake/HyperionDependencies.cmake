# SPDX-License-Identifier: Apache-2.0
# Libraries that a target machine may lack: HYPERION_WITH_PAPI, HYPERION_WITH_HWLOC and
# HYPERION_WITH_URING are auto (used if found), on (must be found) or off. Each found one becomes a target hyperion_<library>.

# hyperion_choice(NAME help): sets wanted to the choice, in small letters.
macro(hyperion_choice name help)
  set(${name} auto CACHE STRING "${help}: auto, on or off")
  set_property(CACHE ${name} PROPERTY STRINGS auto on off)
  string(TOLOWER "${${name}}" wanted)
  if(NOT wanted MATCHES "^(auto|on|off)$")
    message(FATAL_ERROR "${name}: expected auto, on or off, given '${${name}}'")
  endif()
endmacro()

# hyperion_find(library header): looks in <LIBRARY>_ROOT alone if that is given, else where CMake and
# pkg-config look; sets HYPERION_HAVE_<LIBRARY> to 1 or 0.
function(hyperion_find library header)
  string(TOUPPER ${library} upper)
  hyperion_choice(HYPERION_WITH_${upper} "Use ${library}")
  set(HYPERION_HAVE_${upper} 0 PARENT_SCOPE)
  if(wanted STREQUAL "off")
    return()
  endif()
  set(root ${${upper}_ROOT} $ENV{${upper}_ROOT})
  if(root)
    set(places HINTS ${root} PATH_SUFFIXES include lib lib64 NO_DEFAULT_PATH)
  else()
    pkg_check_modules(PC_${upper} QUIET ${library})
    set(places HINTS ${PC_${upper}_INCLUDE_DIRS} ${PC_${upper}_LIBRARY_DIRS})
  endif()
  find_path(${upper}_INCLUDE ${header} ${places})
  find_library(${upper}_LIBRARY ${library} ${places})
  mark_as_advanced(${upper}_INCLUDE ${upper}_LIBRARY)
  if(${upper}_INCLUDE AND ${upper}_LIBRARY)
    add_library(hyperion_${library} INTERFACE)
    target_include_directories(hyperion_${library} SYSTEM INTERFACE ${${upper}_INCLUDE})
    target_link_libraries(hyperion_${library} INTERFACE ${${upper}_LIBRARY})
    set(HYPERION_HAVE_${upper} 1 PARENT_SCOPE)
  elseif(wanted STREQUAL "on")
    message(FATAL_ERROR "HYPERION_WITH_${upper} is on, but ${header} or lib${library} is not found"
      " (${upper}_ROOT names the folder of a site's own)")
  else()
    message(STATUS "${library} is not found: built without it")
  endif()
endfunction()
