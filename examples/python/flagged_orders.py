# SPDX-License-Identifier: Apache-2.0
"""A sparse index: of many orders it holds only the few that somebody must look at.

An item without the index's key attributes is not in the index. So "needs attention" is an
attribute that most orders do not have; setting it puts an order on the list, removing it takes
the order off. Reading the list costs what the list weighs, not what the table weighs.
"""

from boto3.dynamodb.conditions import Attr, Key
from shared import attributes, check, key, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(order_id="S", flag="S", flagged_at="S"),
    "KeySchema": key("order_id"),
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "flagged",
            "KeySchema": key("flag", "flagged_at"),
            # The list shows the customer and the total; the rest stays in the table.
            "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["customer", "total"]},
        }
    ],
}


def order_id(number):
    return f"order-{number:04}"


def load_orders(table, count):
    # batch_writer sends 25 at a time and repeats what the server left unprocessed.
    with table.batch_writer() as batch:
        for number in range(count):
            batch.put_item(
                {
                    "order_id": order_id(number),
                    "customer": f"customer-{number % 17}",
                    "total": 100 + number,
                    "notes": "Leave it with the neighbours. " * 10,
                }
            )


def flag_order(table, number, flag, flagged_at):
    table.update_item(
        Key={"order_id": order_id(number)},
        UpdateExpression="SET flag = :flag, flagged_at = :at",
        ConditionExpression="attribute_exists(order_id)",
        ExpressionAttributeValues={":flag": flag, ":at": flagged_at},
    )


def clear_flag(table, number):
    table.update_item(
        Key={"order_id": order_id(number)}, UpdateExpression="REMOVE flag, flagged_at"
    )


def flagged_orders(table, flag):
    return table.query(
        IndexName="flagged",
        KeyConditionExpression=Key("flag").eq(flag),
        ReturnConsumedCapacity="TOTAL",
    )


def numbers(page):
    return [int(item["order_id"].removeprefix("order-")) for item in page["Items"]]


def main(table):
    load_orders(table, 200)
    check("no order is flagged at first", flagged_orders(table, "fraud")["Items"], [])

    flag_order(table, 150, "fraud", "2026-05-02T10:00:00Z")
    flag_order(table, 7, "address", "2026-05-02T11:00:00Z")
    flag_order(table, 42, "fraud", "2026-05-01T08:00:00Z")
    flag_order(table, 99, "fraud", "2026-05-03T09:30:00Z")

    frauds = flagged_orders(table, "fraud")
    check("the longest waiting comes first", numbers(frauds), [42, 150, 99])
    check(
        "the index has what was projected, and no notes",
        frauds["Items"][0],
        {
            "order_id": order_id(42),
            "flag": "fraud",
            "flagged_at": "2026-05-01T08:00:00Z",
            "customer": "customer-8",
            "total": 142,
        },
    )

    clear_flag(table, 150)
    check("a cleared order leaves the list", numbers(flagged_orders(table, "fraud")), [42, 99])
    flag_order(table, 42, "address", "2026-05-04T12:00:00Z")
    check("a changed flag moves it", numbers(flagged_orders(table, "address")), [7, 42])

    # The other way to the same orders, shown for its price: read everything, keep two.
    scan = table.scan(FilterExpression=Attr("flag").eq("address"), ReturnConsumedCapacity="TOTAL")
    query = flagged_orders(table, "address")
    check("a scan finds the same", sorted(numbers(scan)), sorted(numbers(query)))
    read = (scan["ScannedCount"], query["ScannedCount"])
    check("having read the whole table", read, (200, 2))
    units = [page["ConsumedCapacity"]["CapacityUnits"] for page in (query, scan)]
    check("the index costs half a unit", units[0], 0.5)
    check("the scan costs over ten times that", units[1] > 5, True)


if __name__ == "__main__":
    with temporary_table("flagged-orders", **DEFINITION) as orders:
        main(orders)
