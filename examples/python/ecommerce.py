# SPDX-License-Identifier: Apache-2.0
"""An online shop in a single table: users, orders, order items, products and reviews.

First come the questions the shop asks, then the keys that answer each with one Query. Items read
together share a partition; within it the sort key puts them in the order wanted.

  entity      PK            SK                    GSI1PK           GSI1SK
  user        USER#id       PROFILE               EMAIL#email      USER#id
  order       USER#id       ORDER#date#id         STATUS#status    date#id
  order item  ORDER#id      ITEM#product
  product     PRODUCT#id    DETAILS               CATEGORY#name    PRICE#cents
  review      PRODUCT#id    REVIEW#date#user

GSI1 is overloaded: one index, three kinds of lookup, because each kind of item brings its own
values for the same two attributes. Order items and reviews have none, so they stay out of it.
"""

from boto3.dynamodb.conditions import Attr, Key
from shared import attributes, check, check_fails, key, query_all, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(PK="S", SK="S", GSI1PK="S", GSI1SK="S"),
    "KeySchema": key("PK", "SK"),
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "GSI1",
            "KeySchema": key("GSI1PK", "GSI1SK"),
            "Projection": {"ProjectionType": "ALL"},
        }
    ],
}

# ---- the items


def user(id, name, email):
    keys = {"PK": f"USER#{id}", "SK": "PROFILE", "GSI1PK": f"EMAIL#{email}", "GSI1SK": f"USER#{id}"}
    return {**keys, "id": id, "name": name, "email": email}


def product(id, category, title, cents, stock):
    keys = {
        "PK": f"PRODUCT#{id}",
        "SK": "DETAILS",
        "GSI1PK": f"CATEGORY#{category}",
        "GSI1SK": price_key(cents),
    }
    return {**keys, "id": id, "title": title, "cents": cents, "stock": stock}


def price_key(cents):
    """Strings sort by their bytes: a number inside a key needs leading zeros."""
    return f"PRICE#{cents:08}"


def review(product_id, user_id, date, stars, text):
    keys = {"PK": f"PRODUCT#{product_id}", "SK": f"REVIEW#{date}#{user_id}"}
    return {**keys, "user": user_id, "date": date, "stars": stars, "text": text}


def order(id, user_id, date, lines):
    keys = {
        "PK": f"USER#{user_id}",
        "SK": f"ORDER#{date}#{id}",
        "GSI1PK": "STATUS#placed",
        "GSI1SK": f"{date}#{id}",
    }
    cents = sum(line["cents"] * line["quantity"] for line in lines)
    return {**keys, "id": id, "date": date, "status": "placed", "cents": cents}


def order_item(order_id, line):
    return {"PK": f"ORDER#{order_id}", "SK": f"ITEM#{line['product']}", **line}


# ---- the questions


def user_by_email(table, email):
    condition = Key("GSI1PK").eq(f"EMAIL#{email}")
    found = query_all(table, IndexName="GSI1", KeyConditionExpression=condition)
    return found[0] if found else None


def orders_newest_first(table, user_id, limit, start=None):
    """One page of a user's orders, newest first, and where the next page starts."""
    page = table.query(
        KeyConditionExpression=Key("PK").eq(f"USER#{user_id}") & Key("SK").begins_with("ORDER#"),
        ScanIndexForward=False,
        Limit=limit,
        **({"ExclusiveStartKey": start} if start else {}),
    )
    return page["Items"], page.get("LastEvaluatedKey")


def orders_between(table, user_id, first, last):
    dates = Key("SK").between(f"ORDER#{first}", f"ORDER#{last}")
    return query_all(table, KeyConditionExpression=Key("PK").eq(f"USER#{user_id}") & dates)


def items_of_order(table, id):
    return query_all(table, KeyConditionExpression=Key("PK").eq(f"ORDER#{id}"))


def product_page(table, id):
    """A product and its reviews in one request: the product sorts before its reviews."""
    details, *reviews = query_all(table, KeyConditionExpression=Key("PK").eq(f"PRODUCT#{id}"))
    return details, reviews


def products_in_category(table, category, cents_max):
    condition = Key("GSI1PK").eq(f"CATEGORY#{category}") & Key("GSI1SK").lte(price_key(cents_max))
    return query_all(table, IndexName="GSI1", KeyConditionExpression=condition)


def orders_with_status(table, status):
    condition = Key("GSI1PK").eq(f"STATUS#{status}")
    return query_all(table, IndexName="GSI1", KeyConditionExpression=condition)


# ---- the changes


def place_order(table, id, user_id, date, lines):
    """Writes the order, its items and the new stock together, or nothing at all."""

    def put(item):
        condition = "attribute_not_exists(PK)"
        return {"Put": {"TableName": table.name, "Item": item, "ConditionExpression": condition}}

    def take(line):
        update = {
            "TableName": table.name,
            "Key": {"PK": f"PRODUCT#{line['product']}", "SK": "DETAILS"},
            "UpdateExpression": "SET stock = stock - :quantity",
            "ConditionExpression": "stock >= :quantity",
            "ExpressionAttributeValues": {":quantity": line["quantity"]},
        }
        return {"Update": update}

    table.meta.client.transact_write_items(
        TransactItems=[
            put(order(id, user_id, date, lines)),
            *(put(order_item(id, line)) for line in lines),
            *(take(line) for line in lines),
        ]
    )


def change_status(table, item, old, new):
    """A new status is a new index key: the order moves within GSI1 in the same write."""
    answer = table.update_item(
        Key={"PK": item["PK"], "SK": item["SK"]},
        UpdateExpression="SET #status = :new, GSI1PK = :key",
        ConditionExpression=Attr("status").eq(old),
        ExpressionAttributeNames={"#status": "status"},
        ExpressionAttributeValues={":new": new, ":key": f"STATUS#{new}"},
        ReturnValues="ALL_NEW",
    )
    return answer["Attributes"]


def ids(items):
    return " ".join(item["id"] for item in items)


def load_catalog(table):
    with table.batch_writer() as batch:
        batch.put_item(user("ada", "Ada", "ada@example.com"))
        batch.put_item(user("bob", "Bob", "bob@example.com"))
        batch.put_item(product("lamp", "home", "Desk lamp", 3900, 10))
        batch.put_item(product("rug", "home", "Wool rug", 12900, 2))
        batch.put_item(product("mug", "home", "Mug", 950, 100))
        batch.put_item(product("pen", "office", "Pen", 250, 500))
        batch.put_item(review("lamp", "ada", "2026-02-01", 5, "Bright."))
        batch.put_item(review("lamp", "bob", "2026-03-09", 3, "Wobbles."))


def main(table):
    load_catalog(table)
    lamp = {"product": "lamp", "quantity": 1, "cents": 3900}
    mugs = {"product": "mug", "quantity": 4, "cents": 950}
    rugs = {"product": "rug", "quantity": 2, "cents": 12900}
    place_order(table, "1001", "ada", "2026-01-15", [lamp, mugs])
    place_order(table, "1002", "bob", "2026-02-20", [rugs])
    place_order(table, "1003", "ada", "2026-03-02", [mugs])
    place_order(table, "1004", "ada", "2026-03-28", [lamp])

    check(
        "an e-mail address finds its user", user_by_email(table, "bob@example.com")["name"], "Bob"
    )
    check("an unknown address finds nobody", user_by_email(table, "eve@example.com"), None)

    first, next_page = orders_newest_first(table, "ada", 2)
    second, end = orders_newest_first(table, "ada", 2, next_page)
    check("orders come newest first", ids(first), "1004 1003")
    check("the next page goes on where the first ended", ids(second), "1001")
    check("the last page has no next one", end, None)
    check("orders of March", ids(orders_between(table, "ada", "2026-03", "2026-04")), "1003 1004")

    items = [(item["product"], item["quantity"]) for item in items_of_order(table, "1001")]
    check("an order has its items", items, [("lamp", 1), ("mug", 4)])
    details, reviews = product_page(table, "lamp")
    check("orders took from the stock", details["stock"], 8)
    check("reviews come with their product", [item["stars"] for item in reviews], [5, 3])
    cheap = products_in_category(table, "home", 5000)
    check("a category is sorted by price", ids(cheap), "mug lamp")

    placed = orders_with_status(table, "placed")
    check("four orders are placed", ids(placed), "1001 1002 1003 1004")
    shipped = change_status(table, second[0], "placed", "shipped")
    check(
        "a shipped order keeps its total", (shipped["status"], shipped["cents"]), ("shipped", 7700)
    )
    placed = orders_with_status(table, "placed")
    check("it has left the placed ones", ids(placed), "1002 1003 1004")
    check("it is among the shipped ones", ids(orders_with_status(table, "shipped")), "1001")
    refused = "ConditionalCheckFailedException"
    check_fails(
        "an order is shipped once", refused, change_status, table, shipped, "placed", "shipped"
    )

    refused = check_fails(
        "what is out of stock cannot be ordered",
        "TransactionCanceledException",
        *(place_order, table, "1005", "bob", "2026-04-01", [mugs, rugs]),
    )
    check(
        "the reasons name the rug, which is the last of the five actions",
        [reason["Code"] for reason in refused["CancellationReasons"]],
        ["None", "None", "None", "None", "ConditionalCheckFailed"],
    )
    check("nothing of the refused order was written", items_of_order(table, "1005"), [])
    check("not even the mugs were taken", product_page(table, "mug")[0]["stock"], 92)


if __name__ == "__main__":
    with temporary_table("shop", **DEFINITION) as shop:
        main(shop)
