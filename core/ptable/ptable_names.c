/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ptable/ptable_names.h"

#include <string.h>

#include "core/ptable/ptable_csv.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

typedef struct name {
    uint8_t type;
    uint8_t subtype;
    char text[16];
} name_t;

static const name_t types[] = {
    {PART_TYPE_APP, 0, "app"},
    {PART_TYPE_DATA, 0, "data"},
    {PART_TYPE_BOOTLOADER, 0, "bootloader"},
    {PART_TYPE_PARTITION_TABLE, 0, "partition_table"},
};

static const name_t subtypes[] = {
    {PART_TYPE_APP, PART_SUBTYPE_FACTORY, "factory"},
    {PART_TYPE_APP, 0x10, "ota_0"},
    {PART_TYPE_APP, 0x11, "ota_1"},
    {PART_TYPE_APP, 0x12, "ota_2"},
    {PART_TYPE_APP, 0x13, "ota_3"},
    {PART_TYPE_APP, 0x14, "ota_4"},
    {PART_TYPE_APP, 0x15, "ota_5"},
    {PART_TYPE_APP, 0x16, "ota_6"},
    {PART_TYPE_APP, 0x17, "ota_7"},
    {PART_TYPE_APP, 0x18, "ota_8"},
    {PART_TYPE_APP, 0x19, "ota_9"},
    {PART_TYPE_APP, 0x1A, "ota_10"},
    {PART_TYPE_APP, 0x1B, "ota_11"},
    {PART_TYPE_APP, 0x1C, "ota_12"},
    {PART_TYPE_APP, 0x1D, "ota_13"},
    {PART_TYPE_APP, 0x1E, "ota_14"},
    {PART_TYPE_APP, 0x1F, "ota_15"},
    {PART_TYPE_APP, PART_SUBTYPE_TEST, "test"},
    {PART_TYPE_APP, 0x30, "tee_0"},
    {PART_TYPE_APP, 0x31, "tee_1"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, "ota"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_RF, "phy"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_WIFI, "nvs"},
    {PART_TYPE_DATA, 0x03, "coredump"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_NVS_KEYS, "nvs_keys"},
    {PART_TYPE_DATA, PART_SUBTYPE_DATA_EFUSE_EM, "efuse"},
    {PART_TYPE_DATA, 0x06, "undefined"},
    {PART_TYPE_DATA, 0x80, "esphttpd"},
    {PART_TYPE_DATA, 0x81, "fat"},
    {PART_TYPE_DATA, 0x82, "spiffs"},
    {PART_TYPE_DATA, 0x83, "littlefs"},
    {PART_TYPE_DATA, 0x90, "tee_ota"},
    {PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_PRIMARY, "primary"},
    {PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_OTA, "ota"},
    {PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_RECOVERY, "recovery"},
    {PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_PRIMARY, "primary"},
    {PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_OTA, "ota"},
};

static const struct {
    uint32_t bit;
    char text[12];
} flags[] = {
    {PART_FLAG_ENCRYPTED, "encrypted"},
    {PART_FLAG_READONLY, "readonly"},
};

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool equal_any_case(const char *a, const char *b)
{
    while (*a != '\0' && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return *a == '\0' && *b == '\0';
}

bool ptable_find_type(const char *name, uint8_t *type)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        if (equal_any_case(types[i].text, name)) {
            *type = types[i].type;
            return true;
        }
    }
    return false;
}

bool ptable_find_subtype(uint8_t type, const char *name, uint8_t *subtype)
{
    for (size_t i = 0; i < COUNT(subtypes); i++) {
        if (subtypes[i].type == type && equal_any_case(subtypes[i].text, name)) {
            *subtype = subtypes[i].subtype;
            return true;
        }
    }
    return false;
}

uint32_t ptable_find_flag(const char *name)
{
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (strcmp(flags[i].text, name) == 0) {
            return flags[i].bit;
        }
    }
    return 0;
}

const char *ptable_flag_name(uint32_t index, uint32_t *bit)
{
    if (index >= COUNT(flags)) {
        return NULL;
    }
    *bit = flags[index].bit;
    return flags[index].text;
}

const char *ptable_type_name(uint8_t type)
{
    for (size_t i = 0; i < COUNT(types); i++) {
        if (types[i].type == type) {
            return types[i].text;
        }
    }
    return NULL;
}

const char *ptable_subtype_name(uint8_t type, uint8_t subtype)
{
    for (size_t i = 0; i < COUNT(subtypes); i++) {
        if (subtypes[i].type == type && subtypes[i].subtype == subtype) {
            return subtypes[i].text;
        }
    }
    return NULL;
}
