# SPDX-License-Identifier: Apache-2.0
# Writes OUT, a C file with every migration as an array, from FILES (a list of NNN_*.sql in order).
# Run as: cmake -DOUT=migrations.c "-DFILES=a;b" -P embed.cmake
set(arrays "")
set(table "")
set(expected 1)
foreach(file IN LISTS FILES)
  get_filename_component(name "${file}" NAME_WE)
  if(NOT name MATCHES "^([0-9][0-9][0-9])_")
    message(FATAL_ERROR "${file}: a migration is named NNN_what.sql")
  endif()
  math(EXPR number "1${CMAKE_MATCH_1} - 1000")
  if(NOT number EQUAL expected)
    message(FATAL_ERROR "${file}: migration ${expected} comes next")
  endif()
  math(EXPR expected "${expected} + 1")
  file(READ "${file}" hex HEX)
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
  string(APPEND arrays "static const char migration_${number}[] = {${bytes}0};\n")
  string(APPEND table "    migration_${number},\n")
endforeach()
math(EXPR count "${expected} - 1")
file(WRITE "${OUT}" "/* Made from db/migrations by db/embed.cmake. */
#include \"db/migrate.h\"

${arrays}
const char *const migrations[] = {
${table}};
const int migration_count = ${count};
")
