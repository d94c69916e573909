# SPDX-License-Identifier: Apache-2.0
"""A session store for a web site: look-up by token, sliding expiry, "log me out everywhere".

  table    token                  user, expires_at, cart
  index    by_user: user, token   (keys only: a list of the user's sessions)

expires_at is in seconds, as the table's time to live wants it. The clean-up that time to live does
may come late, so an expired session can still be found: every use says what time it is.
"""

import uuid

from boto3.dynamodb.conditions import Attr, Key
from shared import attributes, check, key, query_all, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(token="S", user="S"),
    "KeySchema": key("token"),
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "by_user",
            "KeySchema": key("user", "token"),
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        }
    ],
}
LIFETIME_S = 1800


def log_in(table, user, now):
    token = str(uuid.uuid4())
    table.put_item(
        Item={"token": token, "user": user, "cart": [], "expires_at": now + LIFETIME_S},
        ConditionExpression=Attr("token").not_exists(),
    )
    return token


def find(table, token, now):
    """The session, if there is one and it has not expired."""
    session = table.get_item(Key={"token": token}, ConsistentRead=True).get("Item")
    return session if session and session["expires_at"] > now else None


def update(table, token, now, *cart_items):
    """Every request extends the session.

    The condition keeps an expired one expired, and keeps the update from creating one that was
    just logged out.
    """
    try:
        answer = table.update_item(
            Key={"token": token},
            UpdateExpression="SET expires_at = :expires, cart = list_append(cart, :items)",
            ConditionExpression=Attr("expires_at").gt(now),
            ExpressionAttributeValues={":expires": now + LIFETIME_S, ":items": list(cart_items)},
            ReturnValues="ALL_NEW",
        )
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return None
    return answer["Attributes"]


def log_out(table, token):
    """True when there was a session to end."""
    return "Attributes" in table.delete_item(Key={"token": token}, ReturnValues="ALL_OLD")


def sessions_of(table, user):
    return query_all(table, IndexName="by_user", KeyConditionExpression=Key("user").eq(user))


def log_out_everywhere(table, user):
    sessions = sessions_of(table, user)
    with table.batch_writer() as batch:
        for session in sessions:
            batch.delete_item(Key={"token": session["token"]})
    return len(sessions)


def main(table):
    noon = 1_780_000_000
    phone = log_in(table, "ada", noon)
    laptop = log_in(table, "ada", noon + 60)
    other = log_in(table, "bob", noon)

    check("a token finds its session", find(table, phone, noon + 10)["user"], "ada")
    check("an invented token finds nothing", find(table, str(uuid.uuid4()), noon), None)

    session = update(table, phone, noon + 1700, "lamp")
    check("use extends a session", session["expires_at"], noon + 1700 + LIFETIME_S)
    check("so it outlives its first half hour", find(table, phone, noon + 3000)["cart"], ["lamp"])
    check("an unused one does not", find(table, laptop, noon + 3000), None)
    check("an expired session cannot be extended", update(table, laptop, noon + 3000), None)

    listed = sessions_of(table, "ada")
    tokens = [session["token"] for session in listed]
    check("a user sees all their sessions", tokens, sorted([phone, laptop]))
    check("the list holds keys only", set(listed[0]), {"token", "user"})

    check("logging out ends a session", log_out(table, other), True)
    check("only once", log_out(table, other), False)
    check("use does not bring it back", update(table, other, noon + 10), None)
    check("it is gone from the list", sessions_of(table, "bob"), [])

    check("logging out everywhere ends both sessions", log_out_everywhere(table, "ada"), 2)
    check("no token is left", find(table, phone, noon + 3000), None)
    check("and no entry in the list", sessions_of(table, "ada"), [])


if __name__ == "__main__":
    with temporary_table("sessions", **DEFINITION) as table:
        main(table)
