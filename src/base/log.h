/* SPDX-License-Identifier: Apache-2.0 */
/* log — one line per event on standard error: time, level, text. Any thread. */
#ifndef STATOR_BASE_LOG_H
#define STATOR_BASE_LOG_H

#include "base/check.h"

void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
