/* SPDX-License-Identifier: Apache-2.0 */
/* value_json — DynamoDB JSON ({"S":"x"}) to values as bytes, with DynamoDB's refusals, and back. */
#ifndef STATOR_MODEL_VALUE_JSON_H
#define STATOR_MODEL_VALUE_JSON_H

#include "base/json.h"
#include "model/error.h"
#include "model/value.h"

/*
 * Reads one attribute value into out. The shapes have been checked (ops/validate.c): the token is
 * an object whose known members have JSON types that fit; unknown members are ignored; JSON null
 * members are absent. Fails with VALIDATION and the texts of facts/errors.md section 4. depth is
 * the nesting level the value stands at: 1 for a top-level attribute of an item.
 */
enum error_code value_from_json(struct call *call, const struct json_token *token, unsigned depth,
                                struct buffer *out) WARN_UNUSED;

/* Reads {"name": {"S": …}, …} into an encoded item in the call's arena. */
enum error_code item_from_json(struct call *call, const struct json_token *token,
                               struct slice *item) WARN_UNUSED;

/* Appends a value as {"S":"x"}. */
void value_to_json(struct buffer *out, struct value value);

/* Appends an item as {"name":{"S":"x"},…}. */
void item_to_json(struct buffer *out, struct slice item);

/* Appends a value as messages print it: {S:a}, {N:1}, {L:[{S:x}]}, … (AttributeValue's toString).
 * */
void value_to_text(struct buffer *out, struct value value);

#endif
