# SPDX-License-Identifier: Apache-2.0
include(${CMAKE_CURRENT_LIST_DIR}/when.cmake)

# The engine that this tree's plain check leaves to the nightly one; "": none.
function(ashlar_nightly_engine out split)
  set(other "")
  if(ASHLAR_SANITIZE MATCHES "address")
    set(other threads)
    if(split)
      set(other uring)
    endif()
  elseif(ASHLAR_SANITIZE MATCHES "thread")
    set(other uring)
  elseif(split)
    set(other threads)
  endif()
  set(${out} "${other}" PARENT_SCOPE)
endfunction()

# ashlar_rig_test(NAME n SCRIPT file [ARGS a...] [LABELS l...] [ENV v=x...] [TIMEOUT s] [ENGINES e...] [ONCE] [TGT]
# [NIGHTLY] [SPLIT] [SANITIZERS s...]): a shell test on tests/lib/rig.sh. It is run with both I/O engines (n/uring,
# n/threads), or those of ENGINES, unless ONCE; TGT: on tgt, to prove a test program rather than Ashlar; NIGHTLY: only by
# ./check --nightly. A tree with a sanitizer runs the plain check with one engine: asan io_uring, tsan threads, and only if
# its sanitizer is of SANITIZERS (address and thread if not said; none: neither). SPLIT: so does the tree without one, with
# io_uring, and asan has threads. Exit 77 is a skip.
function(ashlar_rig_test)
  cmake_parse_arguments(T "ONCE;TGT;NIGHTLY;SPLIT" "NAME;SCRIPT;TIMEOUT" "ARGS;LABELS;ENV;ENGINES;SANITIZERS" ${ARGN})
  ashlar_when(when ${T_NIGHTLY} ${T_SANITIZERS})
  if(NOT T_TIMEOUT)
    set(T_TIMEOUT 120)
  endif()
  set(engines uring threads)
  if(T_ENGINES)
    set(engines ${T_ENGINES})
  elseif(T_ONCE OR T_TGT)
    set(engines uring)
  endif()
  foreach(engine IN LISTS engines)
    set(name ${T_NAME}/${engine})
    if(T_ONCE OR T_TGT)
      set(name ${T_NAME})
    endif()
    set(target ashlar)
    if(T_TGT)
      set(target tgt)
    endif()
    set(environment ASHLAR_BUILD=${PROJECT_BINARY_DIR} RIG_ENGINE=${engine} RIG_TARGET=${target} ${T_ENV})
    set(tree_when ${when})
    ashlar_nightly_engine(other "${T_SPLIT}")
    if(NOT T_ENGINES AND NOT T_ONCE AND NOT T_TGT AND engine STREQUAL other)
      set(tree_when CONFIGURATIONS nightly)
    endif()
    add_test(NAME ${name} COMMAND bash ${CMAKE_CURRENT_SOURCE_DIR}/${T_SCRIPT} ${T_ARGS}
      ${tree_when})
    set_tests_properties(${name} PROPERTIES TIMEOUT ${T_TIMEOUT} SKIP_RETURN_CODE 77
      LABELS "${T_LABELS}"
      ENVIRONMENT "${environment}")
  endforeach()
endfunction()
