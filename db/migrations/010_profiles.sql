-- SPDX-License-Identifier: Apache-2.0
-- What kind of initiator a host is. Hosts of before are held to nothing, as linux is.

ALTER TABLE host ADD COLUMN profile TEXT NOT NULL DEFAULT 'linux'
    CONSTRAINT profile CHECK (profile IN ('linux', 'qemu', 'xen', 'esxi', 'windows'));
