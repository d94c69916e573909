/* SPDX-License-Identifier: Apache-2.0 */
/* policy_document — reads a policy and writes it again, member by member. */
#include "ops/policy_document.h"

#include <strings.h>

#include "base/json.h"

#define INVALID "One or more parameter values were invalid: Invalid policy document: "

enum { DEPTH_MAX = 16, ACCOUNT_DIGITS = 12 };

struct writing {
    struct call *call;
    struct buffer out;
    bool ok; /* false: nested deeper than any policy */
};

typedef void write_function(struct writing *w, const struct json_token *token);

static void write_value(struct writing *w, const struct json_token *token, unsigned depth);

/* ---- values ---------------------------------------------------------------------------------- */

static void write_comma(struct writing *w)
{
    const uint8_t last = w->out.data[w->out.length - 1];
    if (last != '{' && last != '[') BUFFER_TEXT(&w->out, ",");
}

static void write_name(struct writing *w, struct slice name)
{
    write_comma(w);
    json_append_string(&w->out, name);
    BUFFER_TEXT(&w->out, ":");
}

static void write_string(struct writing *w, const struct json_token *token)
{
    json_append_string(&w->out, json_string(token, w->call->arena));
}

static void write_container(struct writing *w, const struct json_token *token, unsigned depth)
{
    const bool is_object = token->kind == JSON_OBJECT;
    const struct json_token *element = json_first(token);
    buffer_append_byte(&w->out, is_object ? '{' : '[');
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        if (is_object) {
            write_name(w, json_string(element, w->call->arena));
            element++;
        } else {
            write_comma(w);
        }
        write_value(w, element, depth + 1);
    }
    buffer_append_byte(&w->out, is_object ? '}' : ']');
}

static void write_value(struct writing *w, const struct json_token *token, unsigned depth)
{
    if (depth > DEPTH_MAX) {
        w->ok = false;
        return;
    }
    if (token->kind == JSON_STRING) {
        write_string(w, token);
    } else if (token->kind == JSON_OBJECT || token->kind == JSON_ARRAY) {
        write_container(w, token, depth);
    } else if (token->kind == JSON_NUMBER) {
        buffer_append(&w->out, json_raw(token));
    } else {
        const char *const words[] = {
            [JSON_NULL] = "null", [JSON_FALSE] = "false", [JSON_TRUE] = "true"};
        buffer_append(&w->out, slice_of_string(words[token->kind]));
    }
}

static void write_any(struct writing *w, const struct json_token *token)
{
    write_value(w, token, 0);
}

/* ["x"] -> "x" */
static void write_one_or_more(struct writing *w, const struct json_token *token)
{
    const bool is_single = token->kind == JSON_ARRAY && token->length == 1;
    write_value(w, is_single ? json_first(token) : token, 0);
}

/* ---- members --------------------------------------------------------------------------------- */

static void write_effect(struct writing *w, const struct json_token *token)
{
    static const struct slice effects[] = {{(const uint8_t *)"Allow", 5},
                                           {(const uint8_t *)"Deny", 4}};
    const struct slice text = json_raw(token);
    for (int i = 0; i < 2 && token->kind == JSON_STRING; i++) {
        if (text.length != effects[i].length) continue;
        if (strncasecmp((const char *)text.data, (const char *)effects[i].data, text.length) != 0)
            continue;
        json_append_string(&w->out, effects[i]);
        return;
    }
    write_any(w, token);
}

static bool is_account(struct slice text)
{
    if (text.length != ACCOUNT_DIGITS) return false;
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    return true;
}

/* An account by its number is its root. */
static void write_principal_name(struct writing *w, const struct json_token *token)
{
    if (token->kind != JSON_STRING || !is_account(json_raw(token))) {
        write_any(w, token);
        return;
    }
    json_append_string(&w->out, arena_format(w->call->arena, "arn:aws:iam::%.*s:root",
                                             SLICE_ARGS(json_raw(token))));
}

static void write_principal_names(struct writing *w, const struct json_token *token)
{
    if (token->kind != JSON_ARRAY || token->length == 1) {
        write_principal_name(w, token->kind == JSON_ARRAY ? json_first(token) : token);
        return;
    }
    BUFFER_TEXT(&w->out, "[");
    const struct json_token *name = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, name = json_next(name)) {
        write_comma(w);
        write_principal_name(w, name);
    }
    BUFFER_TEXT(&w->out, "]");
}

static void write_principal(struct writing *w, const struct json_token *token)
{
    if (token->kind != JSON_OBJECT) {
        write_any(w, token);
        return;
    }
    BUFFER_TEXT(&w->out, "{");
    const struct json_token *kind = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, kind = json_next(kind + 1)) {
        write_name(w, json_string(kind, w->call->arena));
        write_principal_names(w, kind + 1);
    }
    BUFFER_TEXT(&w->out, "}");
}

struct member {
    const char *name;
    write_function *write;
};

static const struct member statement_members[] = {
    {"Sid", write_any},
    {"Effect", write_effect},
    {"Principal", write_principal},
    {"NotPrincipal", write_principal},
    {"Action", write_one_or_more},
    {"NotAction", write_one_or_more},
    {"Resource", write_one_or_more},
    {"NotResource", write_one_or_more},
    {"Condition", write_any},
    {NULL, NULL},
};

static bool is_known(struct slice name)
{
    for (const struct member *member = statement_members; member->name != NULL; member++) {
        if (slice_equal_string(name, member->name)) return true;
    }
    return false;
}

static void write_statement(struct writing *w, const struct json_token *token)
{
    write_comma(w);
    BUFFER_TEXT(&w->out, "{");
    for (const struct member *member = statement_members; member->name != NULL; member++) {
        const struct json_token *value = json_member(token, slice_of_string(member->name));
        if (value == NULL) continue;
        write_name(w, slice_of_string(member->name));
        member->write(w, value);
    }
    const struct json_token *name = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, name = json_next(name + 1)) {
        if (is_known(json_string(name, w->call->arena))) continue;
        write_name(w, json_string(name, w->call->arena));
        write_any(w, name + 1);
    }
    BUFFER_TEXT(&w->out, "}");
}

/* ---- the document ---------------------------------------------------------------------------- */

static enum error_code check_statement(struct call *call, const struct json_token *statement)
{
    if (statement->kind != JSON_OBJECT)
        return fail(call, ERROR_VALIDATION, INVALID "This policy contains invalid Json");
    if (json_member(statement, SLICE("Resource")) == NULL &&
        json_member(statement, SLICE("NotResource")) == NULL)
        return fail(call, ERROR_VALIDATION, INVALID "Missing required field Resource");
    return OK;
}

static enum error_code check_unique(struct call *call, const struct json_token *statements)
{
    const struct json_token *one = json_first(statements);
    for (uint32_t i = 0; i < statements->length; i++, one = json_next(one)) {
        const struct json_token *sid = json_member(one, SLICE("Sid"));
        const struct json_token *other = json_first(statements);
        for (uint32_t j = 0; sid != NULL && j < i; j++, other = json_next(other)) {
            const struct json_token *earlier = json_member(other, SLICE("Sid"));
            if (earlier == NULL || !slice_equal(json_raw(sid), json_raw(earlier))) continue;
            return fail(call, ERROR_VALIDATION,
                        INVALID "The Statement Ids in the policy are not unique");
        }
    }
    return OK;
}

static enum error_code write_statements(struct writing *w, const struct json_token *statements)
{
    if (statements == NULL || statements->length == 0) {
        return fail(w->call, ERROR_VALIDATION,
                    INVALID "Could not parse the policy: Statement is empty!");
    }
    write_name(w, SLICE("Statement"));
    BUFFER_TEXT(&w->out, "[");
    if (statements->kind != JSON_ARRAY) {
        TRY(check_statement(w->call, statements));
        write_statement(w, statements);
    } else {
        const struct json_token *statement = json_first(statements);
        for (uint32_t i = 0; i < statements->length; i++, statement = json_next(statement)) {
            TRY(check_statement(w->call, statement));
            write_statement(w, statement);
        }
        TRY(check_unique(w->call, statements));
    }
    BUFFER_TEXT(&w->out, "]");
    return OK;
}

enum error_code policy_document_read(struct call *call, struct slice text, struct slice *policy)
{
    struct writing w = {.call = call, .out = buffer_open(call->arena, text.length), .ok = true};
    const struct json_token *root = json_parse(call->arena, text, NULL);
    if (root == NULL || root->kind != JSON_OBJECT)
        return fail(call, ERROR_VALIDATION, INVALID "This policy contains invalid Json");
    const struct json_token *version = json_member(root, SLICE("Version"));
    const struct json_token *id = json_member(root, SLICE("Id"));
    BUFFER_TEXT(&w.out, "{\"Version\":");
    if (version != NULL)
        write_any(&w, version);
    else
        BUFFER_TEXT(&w.out, "\"2008-10-17\"");
    if (id != NULL) {
        write_name(&w, SLICE("Id"));
        write_any(&w, id);
    }
    TRY(write_statements(&w, json_member(root, SLICE("Statement"))));
    BUFFER_TEXT(&w.out, "}");
    if (!w.ok) return fail(call, ERROR_VALIDATION, INVALID "This policy contains invalid Json");
    *policy = buffer_slice(&w.out);
    return OK;
}
