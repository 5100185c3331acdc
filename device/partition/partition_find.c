/* SPDX-License-Identifier: Apache-2.0 */
/* Searching the list. */
#include <stdlib.h>
#include <string.h>

#include "device/partition/partition_state.h"

/* A search. It remembers a position, not a node, so that it survives changes of the list. */
struct esp_partition_iterator_opaque_ {
    esp_partition_type_t type;
    esp_partition_subtype_t subtype;
    const char *label;
    uint32_t position;
    const esp_partition_t *found;
};

typedef struct esp_partition_iterator_opaque_ search_t;

static bool matches(const search_t *search, const partition_node_t *node)
{
    return (search->type == ESP_PARTITION_TYPE_ANY || search->type == node->info.type) &&
           (search->subtype == ESP_PARTITION_SUBTYPE_ANY || search->subtype == node->info.subtype) &&
           (search->label == NULL || strcmp(search->label, node->info.label) == 0);
}

/* Moves to the next match behind search->position. list_lock is held. */
static bool advance(search_t *search)
{
    for (const partition_node_t *node = partition_state.first; node != NULL; node = node->next) {
        if (node->position > search->position && matches(search, node)) {
            search->position = node->position;
            search->found = &node->info;
            return true;
        }
    }
    search->found = NULL;
    return false;
}

static esp_err_t find_first(search_t *search)
{
    esp_err_t err = partition_lock_list();
    if (err != ESP_OK) {
        return err;
    }
    if (search->type == ESP_PARTITION_TYPE_ANY && search->subtype != ESP_PARTITION_SUBTYPE_ANY) {
        err = ESP_ERR_INVALID_ARG;
    } else if (!advance(search)) {
        err = ESP_ERR_NOT_FOUND;
    }
    partition_unlock_list();
    return err;
}

esp_err_t esp_partition_find_err(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label,
                                 esp_partition_iterator_t *out_iterator)
{
    if (out_iterator == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_iterator = NULL;
    search_t search = {.type = type, .subtype = subtype, .label = label};
    esp_err_t err = find_first(&search);
    if (err != ESP_OK) {
        return err;
    }
    search_t *iterator = malloc(sizeof(*iterator));
    if (iterator == NULL) {
        return ESP_ERR_NO_MEM;
    }
    *iterator = search;
    *out_iterator = iterator;
    return ESP_OK;
}

esp_partition_iterator_t esp_partition_find(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                            const char *label)
{
    esp_partition_iterator_t iterator = NULL;
    (void)esp_partition_find_err(type, subtype, label, &iterator);
    return iterator;
}

esp_err_t esp_partition_find_first_err(esp_partition_type_t type, esp_partition_subtype_t subtype, const char *label,
                                       const esp_partition_t **partition)
{
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    search_t search = {.type = type, .subtype = subtype, .label = label};
    esp_err_t err = find_first(&search);
    *partition = err == ESP_OK ? search.found : NULL;
    return err;
}

const esp_partition_t *esp_partition_find_first(esp_partition_type_t type, esp_partition_subtype_t subtype,
                                                const char *label)
{
    const esp_partition_t *partition = NULL;
    (void)esp_partition_find_first_err(type, subtype, label, &partition);
    return partition;
}

const esp_partition_t *esp_partition_get(esp_partition_iterator_t iterator)
{
    return iterator != NULL ? iterator->found : NULL;
}

esp_partition_iterator_t esp_partition_next(esp_partition_iterator_t iterator)
{
    if (iterator == NULL) {
        return NULL;
    }
    bool found = false;
    if (partition_lock_list() == ESP_OK) {
        found = advance(iterator);
        partition_unlock_list();
    }
    if (!found) {
        free(iterator);
        return NULL;
    }
    return iterator;
}

void esp_partition_iterator_release(esp_partition_iterator_t iterator)
{
    free(iterator);
}

esp_err_t esp_partition_verify_err(const esp_partition_t *partition, const esp_partition_t **out_partition)
{
    if (out_partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    *out_partition = NULL;
    if (partition == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    esp_err_t err = partition_lock_list();
    if (err != ESP_OK) {
        return err;
    }
    const partition_node_t *node = partition_find_node(partition);
    *out_partition = node != NULL ? &node->info : NULL;
    partition_unlock_list();
    return node != NULL ? ESP_OK : ESP_ERR_NOT_FOUND;
}

const esp_partition_t *esp_partition_verify(const esp_partition_t *partition)
{
    const esp_partition_t *listed = NULL;
    (void)esp_partition_verify_err(partition, &listed);
    return listed;
}
