/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: every command is declared and listed here, and nowhere else. */
#include "cli/cli.h"

extern const cli_command_t cmd_ptable_build;
extern const cli_command_t cmd_ptable_show;
extern const cli_command_t cmd_ptable_check;

const cli_command_t *const cli_commands[] = {
    &cmd_ptable_build,
    &cmd_ptable_show,
    &cmd_ptable_check,
    NULL,
};
