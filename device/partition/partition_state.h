/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file partition_state.h
 * @brief The module's one struct. Private to device/partition.
 */
#pragma once

#include "device/partition/partition_internal.h"
#include "otter/otter_os.h"

/** A listed partition. */
typedef struct partition_node {
    struct partition_node *next;
    uint32_t position; /**< Counts up along the list; not reused while it is loaded. */
    bool external;     /**< Registered by the application. */
    esp_partition_t info;
} partition_node_t;

/** A mapping. */
typedef struct partition_mapping {
    struct partition_mapping *next;
    esp_partition_mmap_handle_t handle;
    uint8_t bytes[];
} partition_mapping_t;

/** State of the module. */
typedef struct partition_state {
    otter_mutex_t list_lock; /**< Guards the list and the mappings. Taken before flash_lock. */
    bool loaded;             /**< The table was read. */
    partition_node_t *first;
    partition_node_t *last;
    uint32_t next_position;
    uint32_t slot_count;
    partition_mapping_t *mappings;
    esp_partition_mmap_handle_t last_mapping;

    otter_mutex_t flash_lock; /**< Guards flash operations and the watch. */
    partition_watch_t watch;  /**< Number of the last watch begun. */
    bool watch_holds;
    uint32_t watch_address;
    uint32_t watch_size;
} partition_state_t;

extern partition_state_t partition_state;

/**
 * Takes list_lock and makes sure that the list is loaded.
 *
 * @return ESP_OK; on an error of reading the table (see esp_partition_find_err()) the lock is not held
 */
esp_err_t partition_lock_list(void);

/** Gives list_lock back. */
void partition_unlock_list(void);

/** Appends an empty node. list_lock is held. NULL if there is no memory. */
partition_node_t *partition_append_node(void);

/** Node that a partition is a copy of, or NULL. list_lock is held. */
const partition_node_t *partition_find_node(const esp_partition_t *partition);

/** Releases the list. list_lock is held. */
void partition_free_list(void);

/** Releases all mappings. list_lock is held. */
void partition_free_mappings(void);
