/* SPDX-License-Identifier: Apache-2.0 */
/* Mappings: which volume or snapshot a host sees under which LUN, and what its hypervisor
 * needs to attach it. Create, show, list, delete; by id, or by what it shows and host.
 * Control thread. */
#include "lunmgr/host.h"
#include "web/api.h"
#include "web/page.h"
#include "web/portals.h"

#include <stdio.h>
#include <string.h>

const struct schema schema_mapping_create = {
    "MappingCreate", {"volume", "snapshot", "host", "lun", "read_only", "export"}};

static const char export_shared[] = "shared", export_own[] = "own";

#define URI_MAX        (sizeof("iscsi:////65535") + TARGET_ADDRESS_MAX + TARGET_NAME_MAX)
#define LINE_MAX_BYTES (URI_MAX + HOST_INITIATOR_MAX + 128)

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

struct attach {
    json_t *portals, *uris, *qemu; /* an entry for each portal */
};

static bool attach_fill(struct attach *attach, const struct target *target,
                        const char *name, const struct mapping_info *info,
                        const char *initiator)
{
    struct portals portals;
    portals_list(target, &portals);
    for (size_t i = 0; i < portals.count; i++) {
        char uri[URI_MAX], line[LINE_MAX_BYTES];
        snprintf(uri, sizeof(uri), "iscsi://%s/%s/%u", portals.address[i], name,
                 info->lun);
        qemu_line(line, uri, info, initiator);
        if (json_array_append_new(attach->portals, json_string(portals.address[i])) !=
                0 ||
            json_array_append_new(attach->uris, json_string(uri)) != 0 ||
            json_array_append_new(attach->qemu, json_string(line)) != 0)
            return false;
    }
    return true;
}

static json_t *mapping_json(const struct web *web, const struct mapping *mapping)
{
    struct mapping_info info;
    struct host_info host;
    char created[TIME_TEXT_MAX], target[TARGET_NAME_MAX];
    struct attach attach = {json_array(), json_array(), json_array()};
    mapping_describe(mapping, &info);
    host_describe(mapping_host(mapping), &host);
    target_name_of(web->target, mapping, target);
    if (!attach_fill(&attach, web->target, target, &info, host.initiators[0])) {
        json_decref(attach.portals);
        json_decref(attach.uris);
        json_decref(attach.qemu);
        return NULL;
    }
    bool shows_snapshot = info.snapshot_id[0] != '\0';
    return json_pack(
        "{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s, s:i, s:b, s:s, s:s, s:s, s:o, s:o, s:o}",
        "id", info.id, "volume", info.volume_name, "volume_id", info.volume_id,
        "snapshot", shows_snapshot ? info.snapshot_name : NULL, "snapshot_id",
        shows_snapshot ? info.snapshot_id : NULL, "host", info.host_name, "host_id",
        info.host_id, "lun", (int)info.lun, "read_only", info.read_only, "created",
        time_text(created, info.created_s), "export",
        info.own_target ? export_own : export_shared, "target", target, "portals",
        attach.portals, "uris", attach.uris, "qemu", attach.qemu);
}

/* ---- Show and list ----------------------------------------------------------------- */

/* Grows in the order of mapping_next: a comma sorts before every byte of a name and of an
 * id. */
static void mapping_key(const struct mapping *mapping, char key[WEB_AFTER_MAX])
{
    struct mapping_info info;
    mapping_describe(mapping, &info);
    snprintf(key, WEB_AFTER_MAX, "%s,%05u%s%s", info.host_name, info.lun,
             info.own_target ? "," : "", info.own_target ? info.id : "");
}

void api_mapping_list(struct exchange *x)
{
    struct page page;
    struct lunmgr *m = x->web->lunmgr;
    enum page_step step = PAGE_SKIP;
    page_begin(&page, x);
    for (struct mapping *mapping = mapping_next(m, NULL);
         mapping != NULL && step != PAGE_STOP; mapping = mapping_next(m, mapping)) {
        char key[WEB_AFTER_MAX];
        mapping_key(mapping, key);
        step = page_step(&page, key);
        if (step == PAGE_TAKE)
            page_add(&page, mapping_json(x->web, mapping));
    }
    page_reply(&page, x);
}

void api_mapping_show(struct exchange *x)
{
    char name[WEB_KEY_MAX];
    struct mapping *mapping = mapping_find(x->web->lunmgr, exchange_key(x, name));
    if (mapping == NULL)
        reply_not_found(x, "mapping", name);
    else
        reply_json(x, 200, mapping_json(x->web, mapping));
}

/* ---- Create and delete ------------------------------------------------------------- */

static void mapping_on_created(void *arg, struct mapping *mapping, const struct err *e)
{
    struct exchange *x = arg;
    struct mapping_info info;
    if (!exchange_is_live(x))
        return;
    if (e != NULL) {
        reply_err(x, e);
        return;
    }
    mapping_describe(mapping, &info);
    reply_created(x, "/v1/mappings", info.id, mapping_json(x->web, mapping));
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
