/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands: every command is declared and listed here, and nowhere else. */
#include "cli/cli.h"

extern const cli_command_t cmd_image_build;
extern const cli_command_t cmd_image_info;
extern const cli_command_t cmd_image_verify;
extern const cli_command_t cmd_image_sign;
extern const cli_command_t cmd_image_encrypt;
extern const cli_command_t cmd_image_decrypt;
extern const cli_command_t cmd_key_new;
extern const cli_command_t cmd_key_digest;
extern const cli_command_t cmd_ptable_build;
extern const cli_command_t cmd_ptable_show;
extern const cli_command_t cmd_ptable_check;
extern const cli_command_t cmd_flash_create;
extern const cli_command_t cmd_flash_info;
extern const cli_command_t cmd_flash_read;
extern const cli_command_t cmd_flash_write;
extern const cli_command_t cmd_flash_erase;
extern const cli_command_t cmd_ota_status;
extern const cli_command_t cmd_ota_update;
extern const cli_command_t cmd_ota_switch;
extern const cli_command_t cmd_ota_confirm;
extern const cli_command_t cmd_ota_invalidate;
extern const cli_command_t cmd_boot;
extern const cli_command_t cmd_torture;

const cli_command_t *const cli_commands[] = {
    &cmd_image_build, &cmd_image_info,  &cmd_image_verify,   &cmd_image_sign,  &cmd_image_encrypt, &cmd_image_decrypt,
    &cmd_key_new,     &cmd_key_digest,  &cmd_ptable_build,   &cmd_ptable_show, &cmd_ptable_check,  &cmd_flash_create,
    &cmd_flash_info,  &cmd_flash_read,  &cmd_flash_write,    &cmd_flash_erase, &cmd_ota_status,    &cmd_ota_update,
    &cmd_ota_switch,  &cmd_ota_confirm, &cmd_ota_invalidate, &cmd_boot,        &cmd_torture,       NULL,
};
