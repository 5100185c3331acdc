/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file signature_facts.h
 * @brief Who signed an image, as facts.
 */
#pragma once

#include "cli/output.h"
#include "core/image/image.h"

/**
 * The signature blocks of a walked image: an array of {block, scheme, key_digest, verdict}; scheme and key_digest are null if
 * the block is malformed. NULL without memory.
 *
 * Verdicts: "good", "bad" (does not verify), "other" (of another image), "revoked", "untrusted" (both only of a walk that knows
 * which keys count), "malformed".
 */
json_t *cli_signatures_json(const image_walk_t *walk);

/** Prints the array as a table; nothing if it is empty. */
void cli_print_signatures(const json_t *signatures);

/** Says on stderr, a line each, whose signatures there are: for an image that was refused. */
void cli_note_signatures(const image_walk_t *walk);
