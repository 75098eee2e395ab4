/* SPDX-License-Identifier: Apache-2.0 */
/* A disk's first sector: reads its second one through the firmware's disk service, as any boot loader
 * would, writes it to the first serial port up to its NUL, and turns the machine off. Real mode, at
 * 0x7c00, the drive's number in dl. */
    .code16
    .globl _start
_start:
    xor %ax, %ax
    mov %ax, %ds
    mov %ax, %ss
    mov $0x7c00, %sp
    mov $packet, %si
    mov $0x42, %ah /* extended read */
    int $0x13
    mov $text, %si
    jnc say
    mov $unread, %si
say:
    lodsb
    test %al, %al
    jz off
    mov $0x3f8, %dx
    outb %al, %dx
    jmp say
off:
    mov $0x604, %dx /* QEMU's power management: soft off */
    mov $0x2000, %ax
    outw %ax, %dx
stop:
    hlt
    jmp stop

unread:
    .asciz "ASHLAR-GUEST: FAIL: the second sector cannot be read\r\n"
packet: /* one sector from LBA 1 to 0000:text */
    .byte 16, 0
    .word 1, text, 0
    .quad 1
    .org 510
    .word 0xaa55
    .set text, 0x7e00
