/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file scenarios.h
 * @brief The stories: what a device goes through once, and then again with the power cut everywhere.
 */
#pragma once

#include "tests/torture/life.h"

/** All of them; a NULL name ends the list. */
extern const scenario_t scenarios[];

/** The scenario of that name, or NULL. */
const scenario_t *scenario_find(const char *name);
