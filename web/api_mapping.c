/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings: which volume or snapshot a host sees under which LUN, and what its hypervisor
 * needs to attach it. Create, show, list, delete; by id, or by what it shows and host.
 * Control thread. */
#include "lunmgr/host.h"
#include "web/api.h"
#include "web/held.h"
#include "web/resource.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

const struct schema schema_mapping_create = {
    "MappingCreate", {"volume", "snapshot", "host", "lun", "read_only", "export"}};

const struct schema schema_mapping_put = {"MappingPut", {"lun", "read_only", "export"}};

static const char export_shared[] = "shared", export_own[] = "own";

#define URI_MAX        (sizeof("iscsi:////65535") + TARGET_ADDRESS_MAX + TARGET_NAME_MAX)
#define LINE_MAX_BYTES (URI_MAX + HOST_INITIATOR_MAX + 128)

struct mapping_row {
    struct mapping_info info;
    const struct mapping *mapping;
    char target[TARGET_NAME_MAX];
};

/* ---- How to attach it -------------------------------------------------------------- */

/* The line for QEMU's command line; the host's first name, since QEMU's own default name
 * would see nothing. */
static void qemu_line(char line[LINE_MAX_BYTES], const char *uri,
                      const struct mapping_info *info, const char *initiator)
{
    char name[HOST_INITIATOR_MAX + 32] = "";
    if (strcmp(initiator, "any") != 0)
        snprintf(name, sizeof(name), "-iscsi initiator-name=%s ", initiator);
    snprintf(line, LINE_MAX_BYTES,
             "%s-drive file=%s,format=raw,if=virtio,cache=none,discard=unmap%s", name,
             uri, info->read_only ? ",readonly=on" : "");
}

/* What an entry of a list says of one portal's address. */
typedef void (*attach_fn)(char line[LINE_MAX_BYTES], const char *address,
                          const struct mapping_row *row);

static void attach_address(char line[LINE_MAX_BYTES], const char *address,
                           const struct mapping_row *row)
{
    (void)row;
    snprintf(line, LINE_MAX_BYTES, "%s", address);
}

static void put_uri(char uri[URI_MAX], const char *address, const struct mapping_row *row)
{
    snprintf(uri, URI_MAX, "iscsi://%s/%s/%u", address, row->target, row->info.lun);
}

static void attach_uri(char line[LINE_MAX_BYTES], const char *address,
                       const struct mapping_row *row)
{
    put_uri(line, address, row);
}

static void attach_qemu(char line[LINE_MAX_BYTES], const char *address,
                        const struct mapping_row *row)
{
    char uri[URI_MAX];
    struct host_info host;
    host_describe(mapping_host(row->mapping), &host);
    put_uri(uri, address, row);
    qemu_line(line, uri, &row->info, host.initiators[0]);
}

/* An entry for each portal. */
static void attach_put(struct json_text *out, const struct web *web,
                       const struct mapping_row *row, attach_fn say)
{
    struct portals room;
    const struct portals *portals = held_portals(web, &room);
    json_text_puts(out, "[");
    for (size_t i = 0; i < portals->count; i++) {
        char line[LINE_MAX_BYTES];
        say(line, portals->address[i], row);
        json_text_puts(out, i == 0 ? "" : ",");
        json_text_string(out, line);
    }
    json_text_puts(out, "]");
}

static void portals_put(struct json_text *out, const struct web *web, const void *row)
{
    attach_put(out, web, row, attach_address);
}

static void uris_put(struct json_text *out, const struct web *web, const void *row)
{
    attach_put(out, web, row, attach_uri);
}

static void qemu_put(struct json_text *out, const struct web *web, const void *row)
{
    attach_put(out, web, row, attach_qemu);
}

/* ---- The resource ------------------------------------------------------------------ */

static const char *export_text(const void *row)
{
    return ((const struct mapping_row *)row)->info.own_target ? export_own
                                                              : export_shared;
}

#define ROW(member) COLUMN_AT(struct mapping_row, member)

static const struct column columns[] = {
    {"id", COLUMN_TEXT, ROW(info.id)},
    {"volume", COLUMN_TEXT, ROW(info.volume_name)},
    {"volume_id", COLUMN_TEXT, ROW(info.volume_id)},
    {"snapshot", COLUMN_TEXT, ROW(info.snapshot_name), .nullable = true},
    {"snapshot_id", COLUMN_TEXT, ROW(info.snapshot_id), .nullable = true},
    {"host", COLUMN_TEXT, ROW(info.host_name)},
    {"host_id", COLUMN_TEXT, ROW(info.host_id)},
    {"lun", COLUMN_UINT, ROW(info.lun), .settable = true},
    {"read_only", COLUMN_BOOL, ROW(info.read_only), .settable = true},
    {"created", COLUMN_TIME, ROW(info.created_s)},
    {"export", COLUMN_TEXT, .text = export_text, .settable = true},
    {"target", COLUMN_TEXT, ROW(target)},
    {"portals", COLUMN_JSON, .put = portals_put},
    {"uris", COLUMN_JSON, .put = uris_put},
    {"qemu", COLUMN_JSON, .put = qemu_put},
    {.name = NULL},
};

static void *mapping_of_name(const struct web *web, const char *name)
{
    return mapping_find(web->lunmgr, name);
}

static void *mapping_of_walk(const struct web *web, struct row_walk *walk)
{
    return mapping_walk(web->lunmgr, walk);
}

static void mapping_fill(const struct web *web, const void *mapping, void *info)
{
    struct mapping_row *row = info;
    row->mapping = mapping;
    mapping_describe(mapping, &row->info);
    target_name_of(web->target, mapping, row->target);
}

static_assert(MAPPING_KEY_MAX <= WEB_AFTER_MAX, "a cursor may be a mapping's key");

static void mapping_list_key(const void *mapping, const void *info,
                             char key[WEB_AFTER_MAX])
{
    (void)info;
    mapping_key(mapping, key);
}

/* To one whose token is for a host, that host's. */
static bool mapping_is_shown(const void *row, const struct principal *who)
{
    const struct mapping_info *info = &((const struct mapping_row *)row)->info;
    return !permit_is_for_host(who) || strcmp(info->host_id, who->host_id) == 0;
}

const struct resource resource_mapping = {
    .kind = "mapping",
    .collection = "/v1/mappings",
    .info_bytes = sizeof(struct mapping_row),
    .columns = columns,
    .find = mapping_of_name,
    .next = mapping_of_walk,
    .describe = mapping_fill,
    .key = mapping_list_key,
    .is_shown = mapping_is_shown,
};

/* ---- Create and delete ------------------------------------------------------------- */

static void mapping_on_created(void *arg, struct mapping *mapping, const struct err *e)
{
    struct exchange *x = arg;
    if (exchange_resume(x, e))
        reply_resource(x, 201, &resource_mapping, mapping);
}

/* A volume or a snapshot is shown; a snapshot to be read only. */
static void shown_read(struct input *in, struct mapping_spec *spec)
{
    spec->snapshot = input_snapshot(in, "snapshot", INPUT_OPTIONAL);
    spec->volume = input_reference(
        in, "volume", spec->snapshot == NULL ? INPUT_REQUIRED : INPUT_OPTIONAL);
    if (spec->snapshot != NULL && spec->volume != NULL)
        input_refuse(in, "snapshot", "volume or snapshot, one of them",
                     "both a volume and a snapshot are named");
    spec->read_only = input_bool(in, "read_only", spec->snapshot != NULL);
    if (spec->snapshot != NULL && !spec->read_only)
        input_refuse(in, "read_only", "true, or the member left out",
                     "a snapshot can only be read");
}

/* True: as a target of its own. */
static bool export_read(struct input *in, const struct target *target)
{
    const char *export =
        input_string(in, "export", INPUT_OPTIONAL, sizeof(export_shared));
    if (export == NULL || strcmp(export, export_shared) == 0)
        return false;
    if (strcmp(export, export_own) != 0)
        input_refuse(in, "export", "shared or own", "there is no such export");
    else if (!target_may_have_own(target))
        input_refuse(in, "export", "shared, or a target-name that begins with iqn.",
                     "no name can be made of %s", target_name(target));
    return true;
}

void api_mapping_create(struct exchange *x)
{
    struct input in;
    struct mapping_spec spec = {.lun = LUN_ANY};
    input_begin(&in, x->body, "", &schema_mapping_create, &x->problem);
    shown_read(&in, &spec);
    spec.host = input_reference(&in, "host", INPUT_REQUIRED);
    spec.own_target = export_read(&in, x->web->target);
    spec.lun = (uint16_t)input_uint(&in, "lun", INPUT_OPTIONAL, 0, LUN_MAX, LUN_ANY);
    if (input_good(&in))
        mapping_create(x->web->lunmgr, &spec, mapping_on_created, x);
    else
        reply_problem(x);
}

void api_mapping_delete(struct exchange *x)
{
    char name[WEB_KEY_MAX];
    mapping_delete(x->web->lunmgr, exchange_key(x, name), reply_done, x);
}
