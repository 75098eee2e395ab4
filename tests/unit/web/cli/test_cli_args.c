/* SPDX-License-Identifier: Apache-2.0 */
/* The command line is read as the manual says, and refused in one line that names what is
 * wrong and what is accepted. */
#include "cli_rig.h"

static void words_and_flags_may_mix(void **state)
{
    struct args args;
    (void)state;
    assert_int_equal(rig_read(&args, WORDS("--json", "volume", "create", "--size=1GiB",
                                           "web01", "--socket", "/s", "--pool", "fast")),
                     OUTCOME_DONE);
    assert_ptr_equal(args.resource, &resource_volume);
    assert_string_equal(args.verb->name, "create");
    assert_int_equal(args.name_count, 1);
    assert_string_equal(args.names[0], "web01");
    assert_string_equal(args_value(&args, "size"), "1GiB");
    assert_string_equal(args_value(&args, "socket"), "/s");
    assert_true(args_has(&args, "json"));
    assert_false(args_has(&args, "help"));
    args_fini(&args);
}

static void members_of_the_api_are_flags_too(void **state)
{
    struct args args;
    (void)state;
    assert_int_equal(rig_read(&args, WORDS("mapping", "create", "v", "h", "--read_only")),
                     OUTCOME_DONE);
    assert_true(args_has(&args, "read-only"));
    args_fini(&args);
}

static void a_yes_can_be_taken_back(void **state)
{
    struct args args;
    (void)state;
    assert_int_equal(
        rig_read(&args, WORDS("mapping", "create", "v/h", "--read-only=false")),
        OUTCOME_DONE);
    assert_false(args_has(&args, "read-only"));
    assert_string_equal(args_value(&args, "read-only"), "false");
    args_fini(&args);
}

static void flags_end_at_two_dashes(void **state)
{
    struct args args;
    (void)state;
    assert_int_equal(rig_read(&args, WORDS("volume", "show", "--", "--json", "-")),
                     OUTCOME_DONE);
    assert_int_equal(args.name_count, 2);
    assert_string_equal(args.names[0], "--json");
    assert_false(args_has(&args, "json"));
    args_fini(&args);
}

static void repeatable_flags_keep_their_order(void **state)
{
    struct args args;
    (void)state;
    assert_int_equal(rig_read(&args, WORDS("host", "create", "h", "--initiator", "iqn.a",
                                           "--initiator=iqn.b")),
                     OUTCOME_DONE);
    assert_string_equal(args_nth(&args, "initiators", 0)->value, "iqn.a");
    assert_string_equal(args_nth(&args, "initiators", 1)->value, "iqn.b");
    assert_null(args_nth(&args, "initiators", 2));
    args_fini(&args);
}

static void help_needs_nothing_else(void **state)
{
    static char *const lines[][4] = {
        {"--help"},
        {"-h"},
        {"--version"},
        {"volume", "--help"},
        {"volume", "create", "--help"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct args args;
        assert_int_equal(rig_read(&args, lines[i]), OUTCOME_DONE);
        args_fini(&args);
    }
}

static void wrong_words_are_named_with_what_is_accepted(void **state)
{
    (void)state;
    rig_expect_usage(
        WORDS("vol"),
        PARTS("vol;", "pool, device, volume, snapshot, trash, host", "status"));
    rig_expect_usage(WORDS("volume", "mak"),
                     PARTS("volume: ", "verb mak", "create, clone, list, show, change"));
    rig_expect_usage(WORDS("volume"), PARTS("a verb is missing", "create"));
    rig_expect_usage(WORDS("--json"), PARTS("a resource is missing", "pool"));
    rig_expect_usage(WORDS("status", "now"), PARTS("too many names", "ashlarctl status"));
    rig_expect_usage(WORDS("token", "make", "t"),
                     PARTS("make", "create, list, show, delete"));
}

static void wrong_names_show_the_usage(void **state)
{
    (void)state;
    rig_expect_usage(WORDS("pool", "show"), PARTS("a name is missing", "pool show NAME"));
    rig_expect_usage(WORDS("pool", "check", "a", "b"),
                     PARTS("too many names", "pool check NAME"));
    rig_expect_usage(WORDS("pool", "show", "a", ""), PARTS("a name is empty"));
}

static void wrong_flags_are_named_with_what_is_accepted(void **state)
{
    (void)state;
    rig_expect_usage(
        WORDS("volume", "create", "v", "--sizes", "1"),
        PARTS("--sizes;",
              "--pool, --size, --block-size, --physical-block-size, --protected, "
              "--zero-detect, --guaranteed, --iops, --bytes-per-s, --burst-iops, "
              "--burst-bytes-per-s, --burst-s, --label, --json"));
    rig_expect_usage(WORDS("volume", "list", "--size", "1"), PARTS("--size;", "--json"));
    rig_expect_usage(WORDS("-x"), PARTS("-x;", "--socket"));
    rig_expect_usage(WORDS("volume", "create", "v", "--size"),
                     PARTS("--size needs a value", "SIZE"));
    rig_expect_usage(WORDS("volume", "create", "v", "--pool", "--size", "1"),
                     PARTS("--pool needs a value", "POOL"));
    rig_expect_usage(WORDS("volume", "create", "v", "--pool", "p"),
                     PARTS("--size is missing", "--pool POOL --size SIZE"));
    rig_expect_usage(
        WORDS("volume", "create", "v", "--pool", "p", "--size", "1", "--size", "2"),
        PARTS("--size is given twice"));
    rig_expect_usage(WORDS("mapping", "create", "v", "h", "--read-only=maybe"),
                     PARTS("--read-only", "--read-only=false"));
    rig_expect_usage(WORDS("pool", "create", "p"),
                     PARTS("--device is missing", "--device PATH"));
}

static void what_was_typed_cannot_break_the_line(void **state)
{
    (void)state;
    rig_expect_usage(WORDS("a\nb\x1b[2J"), PARTS("a?b?[2J"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_flags_may_mix),
        cmocka_unit_test(members_of_the_api_are_flags_too),
        cmocka_unit_test(a_yes_can_be_taken_back),
        cmocka_unit_test(flags_end_at_two_dashes),
        cmocka_unit_test(repeatable_flags_keep_their_order),
        cmocka_unit_test(help_needs_nothing_else),
        cmocka_unit_test(wrong_words_are_named_with_what_is_accepted),
        cmocka_unit_test(wrong_names_show_the_usage),
        cmocka_unit_test(wrong_flags_are_named_with_what_is_accepted),
        cmocka_unit_test(what_was_typed_cannot_break_the_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
