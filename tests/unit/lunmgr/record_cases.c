/* SPDX-License-Identifier: Apache-2.0 */
/* The world, the changes, the refusals. */
#include "tests/unit/lunmgr/record_cases.h"

#include "base/digest.h"
#include "lunmgr/host_priv.h"
#include "lunmgr/lunmgr_priv.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static const uint8_t hash_k[TOKEN_HASH_BYTES] = {1}, hash_a[TOKEN_HASH_BYTES] = {2},
                     hash_n[TOKEN_HASH_BYTES] = {3};
static char path_q[400], path_n[400];

/* ---- The world ------------------------------------------------------------------- */

static void must(int rc)
{
    assert_int_equal(rc, 0);
}

static void add_token(const char *name, const uint8_t *hash, const char *host)
{
    const struct token_spec spec = {.name = name,
                                    .hash = hash,
                                    .scope = host == NULL ? TOKEN_ADMIN : TOKEN_ATTACH,
                                    .host = host};
    struct answer a = {.came = false};
    token_add(rig.manager, &spec, on_token, &a);
    must(wait_for(&a));
}

int cases_setup(void **state)
{
    (void)state;
    struct pool_rig_options options = {
        .engine = RIG_FAKE, .lane_count = 1, .pool_bytes = 16 * MIB, .tick_ms = 5};
    pool_rig_create(&rig, &options);
    snprintf(path_q, sizeof(path_q), "%s/q.img", rig.dir);
    snprintf(path_n, sizeof(path_n), "%s/n.img", rig.dir);
    must(pool_rig_make_pool(&rig, "q", path_q, MIB, NULL, NULL));
    struct volume *v = pool_rig_volume(&rig, "v", MIB, 512);
    pool_rig_volume(&rig, "w", MIB, 512);
    pool_rig_volume(&rig, "t", MIB, 512);
    must(rig_write(&rig, v, 0, 4 * EXTENT_BYTES, 1));
    must(rig_snapshot(&rig, "v", "s", NULL, NULL));
    must(rig_write(&rig, v, 0, EXTENT_BYTES, 2));
    must(rig_trash(&rig, "t", NULL));
    must(make_host_of("h", "iqn.h").err.code);
    must(make_host_of("g", "iqn.g").err.code);
    must(map("v", "h", 1).err.code);
    add_token("k", hash_k, NULL);
    add_token("a", hash_a, "g");
    must(rig_round(&rig));
    pool_rig_settle(&rig);
    return 0;
}

int cases_teardown(void **state)
{
    (void)state;
    pool_rig_destroy(&rig);
    return 0;
}

/* ---- Volumes --------------------------------------------------------------------- */

static void make_volume(struct answer *a, const struct volume_spec *spec)
{
    volume_create(rig.manager, spec, on_volume, a);
}

static void ask_create(struct answer *a)
{
    make_volume(a, &(struct volume_spec){.name = "n", .pool = "p", .size_bytes = MIB});
}

static void ask_create_taken(struct answer *a)
{
    make_volume(a, &(struct volume_spec){.name = "w", .pool = "p", .size_bytes = MIB});
}

static void ask_create_nowhere(struct answer *a)
{
    make_volume(a, &(struct volume_spec){.name = "n", .pool = "x", .size_bytes = MIB});
}

static void ask_clone(struct answer *a)
{
    make_volume(a, &(struct volume_spec){.name = "n", .snapshot = "v/s"});
}

static void ask_clone_of_none(struct answer *a)
{
    make_volume(a, &(struct volume_spec){.name = "n", .snapshot = "v/x"});
}

static void change_volume(struct answer *a, const struct volume_change *change)
{
    volume_change(rig.manager, "w", change, on_volume, a);
}

static void ask_grow(struct answer *a)
{
    static const struct label label = {.key = "owner", .value = "me"};
    static const struct label_list labels = {.labels = &label, .count = 1};
    change_volume(a, &(struct volume_change){
                         .name = "n", .size_bytes = 32 * MIB, .labels = &labels});
}

static void ask_shrink(struct answer *a)
{
    change_volume(
        a, &(struct volume_change){.size_bytes = MIB / 2, .allow_data_loss = true});
}

static const struct qos_change to_limited = {.named = 1U << QOS_IOPS, .to = {{100}}};
static const struct qos_change to_nonsense = {.named = 1U << QOS_BURST_S,
                                              .to = {{[QOS_BURST_S] = 5}}};

static void ask_limit(struct answer *a)
{
    change_volume(a, &(struct volume_change){.qos = &to_limited});
}

static void ask_nonsense(struct answer *a)
{
    change_volume(a, &(struct volume_change){.name = "n", .qos = &to_nonsense});
}

static void ask_rename_taken(struct answer *a)
{
    change_volume(a, &(struct volume_change){.name = "v"});
}

static void ask_shrink_unwilling(struct answer *a)
{
    change_volume(a, &(struct volume_change){.size_bytes = MIB / 2});
}

static void ask_trash(struct answer *a)
{
    volume_delete(rig.manager, "w", false, on_done, a);
}

static void ask_delete(struct answer *a)
{
    volume_delete(rig.manager, "w", true, on_done, a);
}

static void ask_delete_mapped(struct answer *a)
{
    volume_delete(rig.manager, "v", false, on_done, a);
}

static void ask_restore(struct answer *a)
{
    volume_restore(rig.manager, "t", NULL, on_volume, a);
}

static void ask_restore_taken(struct answer *a)
{
    volume_restore(rig.manager, "t", "w", on_volume, a);
}

static void ask_purge(struct answer *a)
{
    volume_purge(rig.manager, "t", on_done, a);
}

static void ask_purge_none(struct answer *a)
{
    volume_purge(rig.manager, "w", on_done, a);
}

/* ---- Snapshots ------------------------------------------------------------------- */

static void on_snapshots(void *arg, struct volume *const *made, size_t count,
                         const struct err *e)
{
    on_volume(arg, count == 0 ? NULL : made[0], e);
}

static void make_snapshots(struct answer *a, const char *const *volumes, size_t count,
                           const char *name)
{
    const struct snapshot_spec spec = {
        .volumes = volumes, .volume_count = count, .name = name};
    snapshot_create(rig.manager, &spec, on_snapshots, a);
}

static const char *const v_and_w[] = {"v", "w"};

static void ask_snapshot(struct answer *a)
{
    make_snapshots(a, v_and_w, 1, "n");
}

static void ask_group(struct answer *a)
{
    make_snapshots(a, v_and_w, 2, "n");
}

static void ask_snapshot_taken(struct answer *a)
{
    make_snapshots(a, v_and_w, 2, "s");
}

static void ask_snapshot_rename(struct answer *a)
{
    snapshot_change(rig.manager, "v/s", &(struct volume_change){.name = "n"}, on_volume,
                    a);
}

static void ask_snapshot_delete(struct answer *a)
{
    snapshot_delete(rig.manager, "v/s", on_done, a);
}

static void ask_snapshot_delete_none(struct answer *a)
{
    snapshot_delete(rig.manager, "v/x", on_done, a);
}

static void roll_back(struct answer *a, const char *snapshot, const char *keep)
{
    const struct rollback_spec spec = {.snapshot = snapshot, .keep_name = keep};
    volume_rollback(rig.manager, "v", &spec, on_volume, a);
}

static void ask_rollback(struct answer *a)
{
    roll_back(a, "s", "kept");
}

static void ask_rollback_none(struct answer *a)
{
    roll_back(a, "x", "kept");
}

static void ask_rollback_taken(struct answer *a)
{
    roll_back(a, "s", "s");
}

/* ---- Hosts and mappings ---------------------------------------------------------- */

static void create_host(struct answer *a, const char *name, const char *initiator)
{
    const struct host_spec spec = {
        .name = name, .initiators = &initiator, .initiator_count = 1};
    host_create(rig.manager, &spec, on_host, a);
}

static void ask_host(struct answer *a)
{
    create_host(a, "n", "iqn.n");
}

static void ask_host_taken(struct answer *a)
{
    create_host(a, "h", "iqn.n");
}

static void ask_host_initiator_taken(struct answer *a)
{
    create_host(a, "n", "iqn.g");
}

static void change_initiator(struct answer *a, const char *initiator)
{
    const struct host_change change = {.initiators = &initiator, .initiator_count = 1};
    host_change(rig.manager, "h", &change, on_host, a);
}

static void ask_host_change(struct answer *a)
{
    change_initiator(a, "iqn.n");
}

static void ask_host_limit(struct answer *a)
{
    const struct host_change change = {.qos = &to_limited};
    host_change(rig.manager, "h", &change, on_host, a);
}

static void ask_host_change_taken(struct answer *a)
{
    change_initiator(a, "iqn.g");
}

static void ask_host_delete(struct answer *a)
{
    host_delete(rig.manager, "g", on_done, a);
}

static void ask_host_delete_mapped(struct answer *a)
{
    host_delete(rig.manager, "h", on_done, a);
}

static void change_box(struct answer *a, const char *secret)
{
    static const bool yes = true;
    const struct auth_change change = {.chap = &yes, .user = "u", .secret = secret};
    auth_box_change(rig.manager, &change, on_done, a);
}

static void ask_auth(struct answer *a)
{
    change_box(a, "discovery-secret");
}

static void ask_auth_short(struct answer *a)
{
    change_box(a, "short");
}

static void ask_port_group(struct answer *a)
{
    const struct alua_access access = {.state = ALUA_STANDBY};
    port_group_set(rig.manager, 7, &access, on_done, a);
}

static void make_mapping(struct answer *a, const char *volume, uint16_t lun)
{
    const struct mapping_spec spec = {.volume = volume, .host = "h", .lun = lun};
    mapping_create(rig.manager, &spec, on_mapping, a);
}

static void ask_map(struct answer *a)
{
    make_mapping(a, "w", LUN_ANY);
}

static void ask_map_lun_taken(struct answer *a)
{
    make_mapping(a, "w", 1);
}

static void ask_map_twice(struct answer *a)
{
    make_mapping(a, "v", 2);
}

static void ask_unmap(struct answer *a)
{
    mapping_delete(rig.manager, "v/h", on_done, a);
}

static void ask_unmap_none(struct answer *a)
{
    mapping_delete(rig.manager, "w/h", on_done, a);
}

/* ---- Tokens and pools ------------------------------------------------------------ */

static void make_token(struct answer *a, const char *name, const char *host,
                       int64_t expires_s)
{
    const struct token_spec spec = {.name = name,
                                    .hash = hash_n,
                                    .scope = TOKEN_ATTACH,
                                    .host = host,
                                    .expires_s = expires_s};
    token_add(rig.manager, &spec, on_token, a);
}

static void ask_token(struct answer *a)
{
    make_token(a, "n", "h", 0);
}

static void ask_token_taken(struct answer *a)
{
    make_token(a, "k", "h", 0);
}

static void ask_token_nobodys(struct answer *a)
{
    make_token(a, "n", "x", 0);
}

static void ask_token_expired(struct answer *a)
{
    make_token(a, "n", "h", 1700000000);
}

static void ask_token_remove(struct answer *a)
{
    token_remove(rig.manager, "k", on_done, a);
}

static void ask_token_remove_none(struct answer *a)
{
    token_remove(rig.manager, "x", on_done, a);
}

static void make_pool(struct answer *a, const char *name, const char *path,
                      uint64_t bytes)
{
    const struct pool_device_spec device = {.path = path, .size_bytes = bytes};
    const struct pool_spec spec = {.name = name, .devices = &device, .device_count = 1};
    pool_create(rig.manager, &spec, on_pool, a);
}

static void ask_pool(struct answer *a)
{
    make_pool(a, "n", path_n, MIB);
}

static void ask_pool_change(struct answer *a)
{
    static const uint32_t percent = 100000;
    static const bool on = true;
    const struct pool_change change = {.overcommit_cap_percent = &percent,
                                       .page_cache = &on};
    pool_change(rig.manager, "p", &change, on_pool, a);
}

static void ask_pool_cap_too_high(struct answer *a)
{
    static const uint32_t percent = POOL_CAP_PERCENT_MAX + 1;
    const struct pool_change change = {.overcommit_cap_percent = &percent};
    pool_change(rig.manager, "p", &change, on_pool, a);
}

static void ask_pool_change_none(struct answer *a)
{
    const struct pool_change change = {.overcommit_cap_percent = NULL};
    pool_change(rig.manager, "none", &change, on_pool, a);
}

static void ask_pool_taken(struct answer *a)
{
    make_pool(a, "q", path_n, MIB);
}

static void ask_pool_in_use(struct answer *a)
{
    make_pool(a, "n", path_q, 0);
}

static void ask_pool_nowhere(struct answer *a)
{
    make_pool(a, "n", "/nowhere/at/all", MIB);
}

static void ask_pool_no_file(struct answer *a)
{
    make_pool(a, "n", path_n, 0);
}

static void ask_pool_delete(struct answer *a)
{
    pool_delete(rig.manager, "q", on_done, a);
}

static void ask_pool_delete_used(struct answer *a)
{
    pool_delete(rig.manager, "p", on_done, a);
}

static void ask_record(struct answer *a)
{
    struct record *next = TAKE(rig.manager->next_record);
    record_write(rig.manager, next, on_done, a);
    free(next);
}

/* ---- Ids ------------------------------------------------------------------------- */

static void id_copy(char out[VOLUME_ID_MAX], const char *id)
{
    snprintf(out, VOLUME_ID_MAX, "%s", id);
}

static void id_volume(const struct answer *a, char out[VOLUME_ID_MAX])
{
    id_copy(out, volume_id(a->object));
}

static void id_group(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct snapshot_info info;
    snapshot_describe(a->object, &info);
    id_copy(out, info.group_id);
}

static void id_host(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct host_info info;
    host_describe(a->object, &info);
    id_copy(out, info.id);
}

static void id_mapping(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct mapping_info info;
    mapping_describe(a->object, &info);
    id_copy(out, info.id);
}

static void id_token(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct token_info info;
    token_describe(a->object, &info);
    id_copy(out, info.id);
}

static void id_pool(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct pool_info info;
    pool_describe(a->object, &info);
    id_copy(out, info.id);
}

static void id_w(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, volume_id(volume_find(rig.manager, "w")));
}

static void id_trashed(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, volume_id(volume_trash_find(rig.manager, "t")));
}

static void id_s(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, volume_id(snapshot_find(rig.manager, "v/s")));
}

static void id_g(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, host_find(rig.manager, "g")->row.id);
}

static void id_v_of_h(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, mapping_find(rig.manager, "v/h")->row.id);
}

static void id_k(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, token_find(rig.manager, "k")->row.id);
}

static void id_q(const struct answer *a, char out[VOLUME_ID_MAX])
{
    struct pool_info info;
    (void)a;
    pool_describe(pool_find(rig.manager, "q"), &info);
    id_copy(out, info.id);
}

static void id_given(const struct answer *a, char out[VOLUME_ID_MAX])
{
    (void)a;
    id_copy(out, "given");
}

/* ---- All of it ------------------------------------------------------------------- */

const struct change_case change_cases[] = {
    {"volume_create", ask_create, id_volume, false},
    {"volume_clone", ask_clone, id_volume, false},
    {"volume_grow", ask_grow, id_volume, false},
    {"volume_shrink", ask_shrink, id_volume, false},
    {"volume_limit", ask_limit, id_volume, false},
    {"volume_trash", ask_trash, id_w, true},
    {"volume_delete", ask_delete, id_w, true},
    {"volume_restore", ask_restore, id_volume, false},
    {"volume_purge", ask_purge, id_trashed, true},
    {"snapshot_create", ask_snapshot, id_volume, false},
    {"snapshot_group_create", ask_group, id_group, false},
    {"snapshot_change", ask_snapshot_rename, id_volume, false},
    {"snapshot_delete", ask_snapshot_delete, id_s, true},
    {"volume_rollback", ask_rollback, id_volume, false},
    {"host_create", ask_host, id_host, false},
    {"host_change", ask_host_change, id_host, false},
    {"host_limit", ask_host_limit, id_host, false},
    {"host_delete", ask_host_delete, id_g, true},
    {"auth_change", ask_auth, id_given, true},
    {"portal_group_change", ask_port_group, id_given, true},
    {"mapping_create", ask_map, id_mapping, false},
    {"mapping_delete", ask_unmap, id_v_of_h, true},
    {"token_create", ask_token, id_token, false},
    {"token_delete", ask_token_remove, id_k, true},
    {"pool_create", ask_pool, id_pool, false},
    {"pool_change", ask_pool_change, id_pool, false},
    {"pool_delete", ask_pool_delete, id_q, true},
    {"session_delete", ask_record, id_given, true},
};
const size_t change_case_count = ARRAY_LEN(change_cases);

const struct refusal refusals[] = {
    {"volume_create", ask_create_taken, -EEXIST, "name"},
    {"volume_create", ask_create_nowhere, -ENOENT, "pool"},
    {"volume_clone", ask_clone_of_none, -ENOENT, "snapshot"},
    {"volume_change", ask_rename_taken, -EEXIST, "name"},
    {"volume_change", ask_shrink_unwilling, -EINVAL, "size"},
    {"volume_change", ask_nonsense, -EINVAL, "qos/burst_s"},
    {"volume_delete", ask_delete_mapped, -EBUSY, "volume"},
    {"volume_restore", ask_restore_taken, -EEXIST, "name"},
    {"volume_purge", ask_purge_none, -ENOENT, "volume"},
    {"snapshot_create", ask_snapshot_taken, -EEXIST, "name"},
    {"snapshot_delete", ask_snapshot_delete_none, -ENOENT, "snapshot"},
    {"volume_rollback", ask_rollback_none, -ENOENT, "snapshot"},
    {"volume_rollback", ask_rollback_taken, -EEXIST, "keep_name"},
    {"host_create", ask_host_taken, -EEXIST, "name"},
    {"host_create", ask_host_initiator_taken, -EEXIST, "initiators"},
    {"host_change", ask_host_change_taken, -EEXIST, "initiators"},
    {"host_delete", ask_host_delete_mapped, -EBUSY, "host"},
    {"auth_change", ask_auth_short, -EINVAL, "discovery/secret"},
    {"mapping_create", ask_map_lun_taken, -EEXIST, "lun"},
    {"mapping_create", ask_map_twice, -EEXIST, "volume"},
    {"mapping_delete", ask_unmap_none, -ENOENT, "mapping"},
    {"token_create", ask_token_taken, -EEXIST, "name"},
    {"token_create", ask_token_nobodys, -ENOENT, "host"},
    {"token_create", ask_token_expired, -EINVAL, "expires"},
    {"token_delete", ask_token_remove_none, -ENOENT, "token"},
    {"pool_create", ask_pool_taken, -EEXIST, "name"},
    {"pool_change", ask_pool_cap_too_high, -EINVAL, "overcommit_cap_percent"},
    {"pool_change", ask_pool_change_none, -ENOENT, "pool"},
    {"pool_create", ask_pool_in_use, -EBUSY, "devices/0/path"},
    {"pool_create", ask_pool_nowhere, -ENOENT, "devices/0/path"},
    {"pool_create", ask_pool_no_file, -ENOENT, "devices/0/path"},
    {"pool_delete", ask_pool_delete_used, -EBUSY, "pool"},
};
const size_t refusal_count = ARRAY_LEN(refusals);

void record_next(const char *operation, const char *key, bool dry_run)
{
    struct record r = {.dry_run = dry_run,
                       .audited = true,
                       .who = "token ci",
                       .from = "192.0.2.7",
                       .subject = "what the request names",
                       .subject_id = "given",
                       .request = "{\"a\":1}",
                       .principal = "token:ci",
                       .fingerprint = {7}};
    snprintf(r.operation, sizeof(r.operation), "%s", operation);
    snprintf(r.key, sizeof(r.key), "%s", key);
    lunmgr_record_next(rig.manager, &r);
    memset(&r, 'x', sizeof(r)); /* it is copied */
}

struct answer ask(void (*fn)(struct answer *a))
{
    struct answer a = {.came = false};
    fn(&a);
    assert_false(a.came);
    wait_for(&a);
    return a;
}

/* ---- The catalog ----------------------------------------------------------------- */

static int sum_row(void *arg, int count, char **values, char **names)
{
    (void)names;
    for (int i = 0; i < count; i++) {
        const char *value = values[i] == NULL ? "(null)" : values[i];
        digest_add(arg, value, strlen(value) + 1);
    }
    return 0;
}

void catalog_sum(uint8_t sum[DIGEST_BYTES])
{
    static const char *const tables[] = {
        "box",       "pool", "device",  "layer", "volume", "label",  "share",
        "host",      "auth", "mapping", "token", "audit",  "replay", "sqlite_sequence",
        "port_group"};
    char path[400], sql[64];
    struct digest d;
    sqlite3 *db = NULL;
    snprintf(path, sizeof(path), "%s/catalog.db", rig.dir);
    must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL));
    digest_begin(&d);
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        snprintf(sql, sizeof(sql), "SELECT * FROM %s ORDER BY 1", tables[i]);
        must(sqlite3_exec(db, sql, sum_row, &d, NULL));
    }
    digest_end(&d, sum);
    sqlite3_close(db);
}
