/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * Text in the manner of printf as a field of an event, for <ust/tracef.h> and <ust/tracelog.h>. What formats a text has no
 * use for the usual way: its events are recorded by ust_record_values.
 */
#ifndef UST_MESSAGE_H
#define UST_MESSAGE_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include <ust/object.h>
#include <ust/probe.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A longer text is cut, and ends in "...". It is formatted on the stack of the calling thread. */
#define UST_MESSAGE_BYTES_MAX 2048

struct ust_message {
	uint64_t bytes;
	char text[UST_MESSAGE_BYTES_MAX];
};

/* Formats `message`; errno is as it was. The C library allocates memory for some directives with a precision of hundreds. */
ust_unhooked __attribute__((format(printf, 2, 0), unused)) static void
ust_format_message(struct ust_message *message, const char *format, va_list args)
{
	static const char cut[] = "...", wrong[] = "(cannot be formatted)";
	int error = errno;
	int length = vsnprintf(message->text, sizeof(message->text), format, args);
	uint64_t bytes = (uint64_t)length;

	errno = error;
	if (length < 0) {
		bytes = sizeof(wrong) - 1;
		__builtin_memcpy(message->text, wrong, bytes);
	} else if (bytes >= sizeof(message->text)) {
		bytes = sizeof(message->text) - sizeof(cut);
		/* Not in the middle of a character of UTF-8. */
		while (bytes && (message->text[bytes] & 0xc0) == 0x80)
			bytes--;
		__builtin_memcpy(message->text + bytes, cut, sizeof(cut) - 1);
		bytes += sizeof(cut) - 1;
	}
	message->bytes = bytes;
}

#ifdef __cplusplus
}
#endif

#endif /* UST_MESSAGE_H */
