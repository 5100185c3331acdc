/* SPDX-License-Identifier: Apache-2.0 */
/* The least firmware: proves that otter_add_firmware() makes an image of it. */
#include "sdkconfig.h"

_Static_assert(sizeof(CONFIG_TEST_URL) == sizeof("https://host/fw.bin"), "quotes survive");

void app_main(void);

void app_main(void)
{
}
