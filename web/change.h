/* SPDX-License-Identifier: Apache-2.0 */
/* What volumes and snapshots have in common in requests: labels, and changes
 * of name, protection and labels. Pure; any thread. */
#ifndef WEB_CHANGE_H
#define WEB_CHANGE_H

#include "lunmgr/volume.h"
#include "web/json_in.h"

struct labels_in {
    struct label labels[LABEL_COUNT_MAX];
    struct label_list list; /* of them; empty if absent */
};
/* Member "labels": an object of strings. False if it is absent or refused. */
bool labels_read(struct input *in, struct labels_in *out);

/* A change with room for what it points to. */
struct change_in {
    struct volume_change change;
    bool is_protected, zero_detect;
    struct labels_in labels;
};
/* Begins with the members name, protected and labels. */
void change_read(struct input *in, struct change_in *out);

#endif
