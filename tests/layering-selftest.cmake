# SPDX-License-Identifier: Apache-2.0
# The layering test must be able to fail: one bad file a rule, each in a scratch tree of its own,
# must be named by it; a good tree must pass.
# Run as: cmake -DSCRATCH=<directory to use> -P layering-selftest.cmake
cmake_minimum_required(VERSION 3.25)

if(NOT SCRATCH)
  message(FATAL_ERROR "layering-selftest: -DSCRATCH=<directory> is missing")
endif()
set(FOLDERS base proto db lunmgr target web)
set(case_count 0)

# A tree with one good include of every kind that is allowed.
function(make_good_tree)
  file(REMOVE_RECURSE ${SCRATCH})
  file(WRITE ${SCRATCH}/base/a.c "#include \"base/a.h\"\n#include <stdio.h>\n")
  file(WRITE ${SCRATCH}/proto/a.c "#include \"proto/a.h\"\n#include \"base/a.h\"\n")
  file(WRITE ${SCRATCH}/db/a.c "#include \"db/a.h\"\n#include <base/a.h>\n#include <sqlite3.h>\n")
  file(WRITE ${SCRATCH}/lunmgr/a.c "#include \"db/a.h\"\n# include \"lunmgr/a.h\"\n")
  file(WRITE ${SCRATCH}/target/a.c
    "#include \"lunmgr/a.h\"\n#include \"proto/a.h\"\n#include <event2/event.h>\nint x[1];\n")
  file(WRITE ${SCRATCH}/web/a.c
    "#include \"target/target.h\"\n#include \"lunmgr/a.h\"\n#include \"web/cli/a.h\"\n")
  file(WRITE ${SCRATCH}/target/main.c "#include \"web/a.h\"\n#include \"db/a.h\"\n")
endfunction()

function(run_layering out_rc out_text)
  execute_process(COMMAND ${CMAKE_COMMAND} -DROOT=${SCRATCH}
    -P ${CMAKE_CURRENT_LIST_DIR}/layering.cmake
    RESULT_VARIABLE rc OUTPUT_VARIABLE text ERROR_VARIABLE text)
  set(${out_rc} ${rc} PARENT_SCOPE)
  set(${out_text} "${text}" PARENT_SCOPE)
endfunction()

# `content` in `file` must be refused, with the file and line 2 named.
macro(expect_bad file content)
  make_good_tree()
  file(WRITE ${SCRATCH}/${file} "/* line 1 */\n${content}\n")
  run_layering(rc text)
  if(rc EQUAL 0)
    message(SEND_ERROR "not refused: ${file}: ${content}")
  elseif(NOT text MATCHES "${file}:2:")
    message(SEND_ERROR "refused without naming ${file}:2: ${content}\n${text}")
  endif()
  math(EXPR case_count "${case_count} + 1")
endmacro()

make_good_tree()
run_layering(rc text)
if(NOT rc EQUAL 0)
  message(SEND_ERROR "a good tree is refused:\n${text}")
endif()

# What each folder must not include, one file each.
set(FORBIDDEN_base proto db lunmgr target web)
set(FORBIDDEN_proto db lunmgr target web)
set(FORBIDDEN_db proto lunmgr target web)
set(FORBIDDEN_lunmgr proto target web)
set(FORBIDDEN_target db web)
set(FORBIDDEN_web proto db target)
foreach(folder IN LISTS FOLDERS)
  foreach(other IN LISTS FORBIDDEN_${folder})
    expect_bad(${folder}/bad.c "#include \"${other}/x.h\"")
    expect_bad(${folder}/sub/bad.h "#include <${other}/x.h>")
  endforeach()
endforeach()

# The exempt file is target/main.c alone.
expect_bad(web/main.c "#include \"db/x.h\"")
expect_bad(target/sub/main.c "#include \"web/x.h\"")
# A name that only begins like the public header is not it.
expect_bad(web/bad.c "#include \"target/target.hpp\"")

# Other ways to write the same thing.
expect_bad(base/bad.c "#  include   <lunmgr/x.h>")
expect_bad(base/bad.c "\t#\tinclude\t\"lunmgr/x.h\"")
expect_bad(base/bad.c "#include\"lunmgr/x.h\"")
expect_bad(base/bad.c "#include <lunmgr/x.h> /* why not */")
expect_bad(base/bad.c "#include_next <lunmgr/x.h>")
expect_bad(base/bad.c "#/* hidden */include \"lunmgr/x.h\"")
expect_bad(base/bad.c "%:include \"lunmgr/x.h\"")
expect_bad(base/bad.c "#include \\\n\"lunmgr/x.h\"")
expect_bad(base/bad.c "#include HEADER_OF_LUNMGR")
expect_bad(lunmgr/bad.c "#include \"../db/x.h\"")
expect_bad(lunmgr/bad.c "#include <../target/x.h>")
expect_bad(lunmgr/bad.c "#include \"db/../target/x.h\"")
expect_bad(lunmgr/bad.c "#include \"./x.h\"")
expect_bad(lunmgr/bad.c "#include \"volume.h\"")
expect_bad(target/main.c "#include \"config.h\"")
expect_bad(target/main.c "#include \"../web/http.h\"")

# An empty tree is a mistake of the caller, not a pass.
file(REMOVE_RECURSE ${SCRATCH})
file(MAKE_DIRECTORY ${SCRATCH})
run_layering(rc text)
if(rc EQUAL 0)
  message(SEND_ERROR "an empty tree passes")
endif()
file(REMOVE_RECURSE ${SCRATCH})
message(STATUS "layering-selftest: ${case_count} bad files refused")
