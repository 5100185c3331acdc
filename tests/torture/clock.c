/* SPDX-License-Identifier: Apache-2.0 */
/* The clock of tortured devices: time passes by being asked for, so that what is done at times is done at the same
 * operations each time that a life is lived again. */
#include "otter/otter_os.h"

#define STEP_US 20000

int64_t __wrap_otter_now_us(void); /* NOLINT(bugprone-reserved-identifier): the linker's name */

int64_t __wrap_otter_now_us(void)
{
    static int64_t now_us;
    now_us += STEP_US;
    return now_us;
}
