/* SPDX-License-Identifier: Apache-2.0 */
/* Names and flags become the request body that the API's document describes. */
#include "web/cli/body.h"

#include "cli_rig.h"

static void expect_body(char *const *words, const char *want)
{
    struct args args;
    assert_int_equal(rig_read(&args, words), OUTCOME_DONE);
    json_t *body = body_make(&args, args.names);
    assert_non_null(body);
    AUTO_FREE char *text = json_dumps(body, JSON_COMPACT);
    assert_string_equal(text, want);
    json_decref(body);
    args_fini(&args);
}

static void expect_refused(char *const *words, const char *part)
{
    struct args args;
    assert_int_equal(rig_read(&args, words), OUTCOME_DONE);
    rig_catch();
    json_t *body = body_make(&args, args.names);
    AUTO_FREE char *text = rig_caught();
    assert_null(body);
    assert_non_null(strstr(text, part));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    args_fini(&args);
}

static void sizes_are_bytes_or_text(void **state)
{
    (void)state;
    expect_body(WORDS("volume", "create", "v", "--pool", "p", "--size", "4096"),
                "{\"name\":\"v\",\"pool\":\"p\",\"size\":4096}");
    expect_body(
        WORDS("volume", "create", "v", "--pool", "p", "--size", "100GiB", "--block-size",
              "4096"),
        "{\"name\":\"v\",\"pool\":\"p\",\"size\":\"100GiB\",\"block_size\":4096}");
    /* Not ours to judge: the daemon says what is wrong with these. */
    expect_body(WORDS("volume", "create", "v", "--pool", "p", "--size", "-1"),
                "{\"name\":\"v\",\"pool\":\"p\",\"size\":-1}");
    expect_body(
        WORDS("volume", "create", "v", "--pool", "p", "--size", "99999999999999999999"),
        "{\"name\":\"v\",\"pool\":\"p\",\"size\":\"99999999999999999999\"}");
    expect_body(WORDS("volume", "create", "v", "--pool", "p", "--size="),
                "{\"name\":\"v\",\"pool\":\"p\",\"size\":\"\"}");
}

static void a_device_is_a_path_and_perhaps_a_size(void **state)
{
    (void)state;
    expect_body(WORDS("pool", "create", "p", "--device", "/dev/sdb"),
                "{\"name\":\"p\",\"devices\":[{\"path\":\"/dev/sdb\"}]}");
    expect_body(
        WORDS("pool", "create", "p", "--device", "/a,b,size=1GiB", "--device", "/c,d"),
        "{\"name\":\"p\",\"devices\":[{\"path\":\"/a,b\",\"size\":\"1GiB\"},"
        "{\"path\":\"/c,d\"}]}");
    expect_refused(WORDS("pool", "create", "p", "--device", "/a,sizes=1"),
                   "--device /a,sizes=1: there is no option sizes=1; accepted: "
                   "PATH[,size=SIZE]");
}

static void lists_and_yes_and_numbers_have_their_types(void **state)
{
    (void)state;
    expect_body(WORDS("host", "create", "h", "--initiator", "iqn.a", "--initiator", "b"),
                "{\"name\":\"h\",\"initiators\":[\"iqn.a\",\"b\"]}");
    expect_body(WORDS("mapping", "create", "v", "h", "--lun", "1", "--read-only"),
                "{\"volume\":\"v\",\"host\":\"h\",\"lun\":1,\"read_only\":true}");
    expect_body(WORDS("token", "create", "t", "--json", "--socket", "/s"),
                "{\"name\":\"t\"}");
    expect_refused(WORDS("mapping", "create", "v", "h", "--lun", "x"),
                   "--lun x is not a number; accepted: 0..16383");
    expect_refused(WORDS("mapping", "create", "v", "h", "--lun="), "is not a number");
    expect_refused(WORDS("mapping", "create", "v", "h", "--lun", "-"), "is not a number");
    expect_refused(WORDS("mapping", "create", "v", "h", "--lun", "9223372036854775808"),
                   "is not a number");
}

static void labels_are_members_of_an_object(void **state)
{
    (void)state;
    expect_body(WORDS("volume", "change", "v", "--label", "a=1", "--label", "b=c=d",
                      "--label=e="),
                "{\"labels\":{\"a\":\"1\",\"b\":\"c=d\",\"e\":\"\"}}");
    expect_body(WORDS("volume", "change", "v", "--label", "none"), "{\"labels\":{}}");
    expect_refused(WORDS("volume", "change", "v", "--label", "a"),
                   "--label a is no label; accepted: KEY=VALUE, or none");
    expect_refused(WORDS("volume", "change", "v", "--label", "a=\xff"), "UTF-8");
    expect_refused(WORDS("volume", "change", "v", "--label", "\xff=a"), "UTF-8");
}

static void a_flag_that_says_no_is_not_one_that_is_absent(void **state)
{
    (void)state;
    expect_body(WORDS("volume", "change", "v"), "{}");
    expect_body(WORDS("volume", "change", "v", "--protected=false", "--zero-detect"),
                "{\"protected\":false,\"zero_detect\":true}");
}

static void a_name_goes_where_its_form_says(void **state)
{
    (void)state;
    expect_body(WORDS("mapping", "create", "v", "h"),
                "{\"volume\":\"v\",\"host\":\"h\"}");
    expect_body(WORDS("mapping", "create", "v/s", "h"),
                "{\"snapshot\":\"v/s\",\"host\":\"h\"}");
    expect_body(WORDS("volume", "clone", "v/s", "c", "--size", "2GiB"),
                "{\"snapshot\":\"v/s\",\"name\":\"c\",\"size\":\"2GiB\"}");
    expect_body(WORDS("volume", "rollback", "v", "s", "--fence"),
                "{\"snapshot\":\"s\",\"fence\":true}");
}

static void what_is_not_text_is_refused(void **state)
{
    (void)state;
    expect_refused(WORDS("token", "create", "a\xff"), "NAME is not UTF-8 text");
    expect_refused(WORDS("host", "create", "h", "--initiator", "\xc3"),
                   "--initiator is not UTF-8 text");
    expect_refused(WORDS("pool", "create", "p", "--device", "/\xff,size=1"),
                   "--device is not UTF-8 text");
    expect_refused(WORDS("pool", "create", "p", "--device", "/a,size=\xff"),
                   "--device is not UTF-8 text");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_are_bytes_or_text),
        cmocka_unit_test(a_device_is_a_path_and_perhaps_a_size),
        cmocka_unit_test(lists_and_yes_and_numbers_have_their_types),
        cmocka_unit_test(labels_are_members_of_an_object),
        cmocka_unit_test(a_flag_that_says_no_is_not_one_that_is_absent),
        cmocka_unit_test(a_name_goes_where_its_form_says),
        cmocka_unit_test(what_is_not_text_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
