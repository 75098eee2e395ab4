# SPDX-License-Identifier: Apache-2.0
# ashlar_when(OUT NIGHTLY [SANITIZER...]): what add_test is to be told of a test that only ./check --nightly runs, if
# NIGHTLY says so or this tree's sanitizer is none of those named: address and thread if none is, neither if it is none.
function(ashlar_when out nightly)
  set(sanitizers address thread)
  if(ARGN)
    set(sanitizers ${ARGN})
  endif()
  list(JOIN sanitizers "|" sanitizers)
  set(when "")
  if(nightly OR (ASHLAR_SANITIZE AND NOT ASHLAR_SANITIZE MATCHES "${sanitizers}"))
    set(when CONFIGURATIONS nightly)
  endif()
  set(${out} ${when} PARENT_SCOPE)
endfunction()
