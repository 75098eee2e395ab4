/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: what they let through, and which are refused with what would be accepted. */
#include "web/filter.h"

#include "cm.h"
#include "lunmgr/volume.h"
#include "target/target.h"
#include "web/api.h"

#include <stdio.h>
#include <string.h>

static const struct label labels[] = {{"env", "prod"}, {"empty", ""}, {"odd", "a,b*c"}};

static const struct volume_info web1 = {
    .id = "00000000-0000-4000-8000-000000000001",
    .name = "web1",
    .pool_name = "fast",
    .size_bytes = 10ULL << 30,
    .block_bytes = 512,
    .created_s = 1714564800,
    .is_protected = true,
    .labels = {labels, ARRAY_LEN(labels)},
};

static bool allows(const char *text, const struct resource *r, const void *info)
{
    struct filter f;
    struct problem p = {0};
    if (!filter_read(text, r, &f, &p))
        fail_msg("%s: %s", text, p.detail);
    return filter_allows(&f, info);
}

static const struct {
    const char *filter;
    bool allows;
} cases_of_web1[] = {
    {"", true},
    {"name=web1", true},
    {"name=web", false},
    {"name!=web1", false},
    {"name!=web", true},
    {"name<web2", true},
    {"name>web1", false},
    {"name>=web1", true},
    {"name<=web1", true},
    {"name~web*", true},
    {"name~w?b?", true},
    {"name~*1", true},
    {"name~*", true},
    {"name~?", false},
    {"name~web", false},
    {"name~WEB*", false},
    {"name~*e*b*", true},
    {"name~web1*", true},
    {"size=10GiB", true},
    {"size=10737418240", true},
    {"size>=10GiB", true},
    {"size>10GiB", false},
    {"size<1TiB", true},
    {"size<=9GiB", false},
    {"size!=9GiB", true},
    {"block_size=512", true},
    {"block_size<512", false},
    {"protected=true", true},
    {"protected!=true", false},
    {"protected=false", false},
    {"zero_detect=false", true},
    {"created=2024-05-01T12:00:00Z", true},
    {"created>2024-05-01T11:59:59Z", true},
    {"created<2024-05-01T14:00:01+02:00", true},
    {"created>2024-05-01T12:00:00Z", false},
    {"clone_of=null", true},
    {"clone_of!=null", false},
    {"clone_of=", false},
    {"clone_of!=x", true},
    {"clone_of<z", false},
    {"clone_of~*", false},
    {"name=null", false},
    {"labels.env=prod", true},
    {"labels.env!=prod", false},
    {"labels.env~pr*", true},
    {"labels.env>p", true},
    {"labels.none=prod", false},
    {"labels.none!=prod", true},
    {"labels.none=null", true},
    {"labels.none!=null", false},
    {"labels.env=null", false},
    {"labels.empty=", true},
    {"labels.empty=null", false},
    {"labels.odd=a\\,b*c", true},
    {"labels.odd~a\\,b\\*?", true},
    {"labels.odd~a\\,b\\?c", false},
    {"labels.odd~*\\**", true},
    {"labels.env=\\p\\rod", true},
    {"name~*w*e\\b?,labels.none!=\\,x", true},
    {"size>=1GiB,protected=true,labels.env=prod,name~web*", true},
    {"size>=1GiB,protected=true,labels.env=prod,name~db*", false},
    {"name=web1,name=web1,name=web1,name=web1,name=web1,name=web1,name=web1,"
     "name=web1",
     true},
};

static void filters_let_through_what_they_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases_of_web1); i++) {
        if (allows(cases_of_web1[i].filter, &resource_volume, &web1) !=
            cases_of_web1[i].allows)
            fail_msg("%s", cases_of_web1[i].filter);
    }
}

static void numbers_that_are_shown_as_text_are_numbers(void **state)
{
    const struct target_drain_info drain = {.id = 10, .sessions = 2};
    (void)state;
    assert_true(allows("id>9,sessions=2,portal=null", &resource_drain, &drain));
    assert_false(allows("id<9", &resource_drain, &drain));
}

static void bad_filters_are_refused_with_what_would_do(void **state)
{
    static const struct {
        const char *filter, *accepted;
    } cases[] = {
        {"nothing=1", "id, name, pool, pool_id, size,"},
        {"labels=1", "labels.KEY"},
        {"labels.=1", "labels.KEY"},
        {"name.x=1", "labels.KEY"},
        {"name", "MEMBER and"},
        {"name!web", "MEMBER and"},
        {",", "MEMBER and"},
        {"name=a,", "MEMBER and"},
        {"=a", "id, name"},
        {"size~1*", "= != < <= > >="},
        {"protected>true", "= !="},
        {"protected=yes", "true or false"},
        {"clone_of>null", "= !="},
        {"size=big", "bytes"},
        {"size=-1", "bytes"},
        {"size=99999999TiB", "bytes"},
        {"size=null", "bytes"},
        {"block_size=512B", "a whole number"},
        {"created=yesterday", "a time"},
        {"created<1960-01-01T00:00:00Z", "a time"},
        {"name=a\\", "text"},
        {"name=1,name=1,name=1,name=1,name=1,name=1,name=1,name=1,name=1", "at most 8"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct filter f;
        struct problem p = {0};
        if (filter_read(cases[i].filter, &resource_volume, &f, &p))
            fail_msg("%s was taken", cases[i].filter);
        assert_int_equal(p.kind, PROBLEM_BAD_PARAMETER);
        assert_string_equal(p.parameter, "filter");
        if (strstr(p.accepted, cases[i].accepted) == NULL)
            fail_msg("%s: %s", cases[i].filter, p.accepted);
    }
}

static void a_member_of_objects_cannot_be_filtered_by(void **state)
{
    struct filter f;
    struct problem p = {0};
    (void)state;
    assert_false(filter_read("auth=x", &resource_host, &f, &p));
    assert_null(strstr(p.accepted, "auth"));
    p.kind = PROBLEM_NONE;
    assert_false(filter_read("secrets=x", &resource_host, &f, &p));
    assert_null(strstr(p.accepted, "secrets"));
}

/* A pattern of a stranger's is never more work than its length times the text's. */
static void a_pattern_of_stars_is_soon_done(void **state)
{
    static struct volume_info info;
    char filter[WEB_FILTER_MAX] = "name~";
    (void)state;
    memset(info.name, 'a', sizeof(info.name) - 1);
    for (size_t at = strlen(filter); at + 3 < sizeof(filter); at += 2)
        memcpy(filter + at, "*a", 3);
    assert_false(allows(filter, &resource_volume, &info));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(filters_let_through_what_they_say),
        cmocka_unit_test(numbers_that_are_shown_as_text_are_numbers),
        cmocka_unit_test(bad_filters_are_refused_with_what_would_do),
        cmocka_unit_test(a_member_of_objects_cannot_be_filtered_by),
        cmocka_unit_test(a_pattern_of_stars_is_soon_done),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
