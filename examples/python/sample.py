# SPDX-License-Identifier: Apache-2.0
"""The sample application of `make run`: a small shop in one table.

It creates its table when that is not there yet, loads customers, products and orders, and shows
three things one does with DynamoDB: a Query by key, a look-up in an index, and a transaction. It
may run any number of times on the same data; each run places one more order.

    PK                SK              GSI1PK              GSI1SK
    CUSTOMER#ada      PROFILE         EMAIL#ada@...       CUSTOMER#ada
    CUSTOMER#ada      ORDER#<date>    STATUS#shipped      <date>
    PRODUCT#lamp      DETAILS
"""

import datetime
import os
import sys

import boto3
from boto3.dynamodb.conditions import Key
from botocore.exceptions import ClientError

TABLE = "Shop"
STOCK = 1000

CUSTOMERS = [("ada", "Ada", "ada@shop.example"), ("grace", "Grace", "grace@shop.example")]
PRODUCTS = [("lamp", "Desk lamp", 4900), ("chair", "Office chair", 18900), ("mug", "Mug", 1200)]
ORDERS = [
    ("ada", "2026-01-04T10:00:00", "shipped", [("lamp", 1)]),
    ("ada", "2026-02-11T09:30:00", "shipped", [("mug", 4), ("chair", 1)]),
    ("ada", "2026-03-02T17:45:00", "open", [("mug", 2)]),
    ("grace", "2026-02-20T12:00:00", "open", [("chair", 2)]),
]


def main():
    dynamodb = connect()
    table = open_table(dynamodb)
    load(table)
    show_orders_of(table, "ada")
    show_status(table, "open")
    place_order(dynamodb.meta.client, "grace", "mug", 1)
    refuse_order(dynamodb.meta.client, "grace", "mug", STOCK * 10)


def connect():
    return boto3.resource(
        "dynamodb",
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_DYNAMODB", "http://127.0.0.1:8000"),
        region_name=os.environ.get("AWS_REGION", "us-east-1"),
        # The server takes any credentials; the SDK wants to have some.
        aws_access_key_id=os.environ.get("AWS_ACCESS_KEY_ID", "sample"),
        aws_secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY", "sample"),
    )


def open_table(dynamodb):
    """The shop's table, created by the first run."""
    try:
        table = dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"}
                for name in ("PK", "SK", "GSI1PK", "GSI1SK")
            ],
            KeySchema=[
                {"AttributeName": "PK", "KeyType": "HASH"},
                {"AttributeName": "SK", "KeyType": "RANGE"},
            ],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "GSI1",
                    "KeySchema": [
                        {"AttributeName": "GSI1PK", "KeyType": "HASH"},
                        {"AttributeName": "GSI1SK", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "ALL"},
                }
            ],
        )
        print(f"created table {TABLE} with index GSI1")
    except dynamodb.meta.client.exceptions.ResourceInUseException:
        table = dynamodb.Table(TABLE)
        print(f"found table {TABLE}")
    waiter = dynamodb.meta.client.get_waiter("table_exists")
    waiter.wait(TableName=TABLE, WaiterConfig={"Delay": 1})
    return table


def load(table):
    """Writes what the shop begins with; the stock of a product that is there already is kept."""
    with table.batch_writer() as batch:
        for name, full_name, email in CUSTOMERS:
            key = f"CUSTOMER#{name}"
            batch.put_item(
                Item={
                    "PK": key,
                    "SK": "PROFILE",
                    "name": full_name,
                    "GSI1PK": f"EMAIL#{email}",
                    "GSI1SK": key,
                }
            )
        for customer, date, status, lines in ORDERS:
            batch.put_item(Item=order_item(customer, date, status, lines))
    for product, title, cents in PRODUCTS:
        table.update_item(
            Key={"PK": f"PRODUCT#{product}", "SK": "DETAILS"},
            UpdateExpression="SET title = :t, cents = :c, stock = if_not_exists(stock, :s)",
            ExpressionAttributeValues={":t": title, ":c": cents, ":s": STOCK},
        )
    count = len(CUSTOMERS) + len(PRODUCTS) + len(ORDERS)
    print(f"loaded {count} items: {len(CUSTOMERS)} customers, {len(PRODUCTS)} products, "
          f"{len(ORDERS)} orders")


def order_item(customer, date, status, lines):
    prices = {product: cents for product, _, cents in PRODUCTS}
    return {
        "PK": f"CUSTOMER#{customer}",
        "SK": f"ORDER#{date}",
        "status": status,
        "cents": sum(prices[product] * count for product, count in lines),
        "lines": [{"product": product, "count": count} for product, count in lines],
        "GSI1PK": f"STATUS#{status}",
        "GSI1SK": date,
    }


def show_orders_of(table, customer):
    """One Query by key: a customer's orders, newest first."""
    answer = table.query(
        KeyConditionExpression=Key("PK").eq(f"CUSTOMER#{customer}") & Key("SK").begins_with("ORDER#"),
        ScanIndexForward=False,
        ReturnConsumedCapacity="TOTAL",
    )
    units = answer["ConsumedCapacity"]["CapacityUnits"]
    print(f"\nQuery by key: the {answer['Count']} orders of {customer}, newest first ({units} units)")
    for order in answer["Items"]:
        print(f"  {order['SK'][6:16]}  {order['status']:8} {money(order['cents'])}")
    if answer["Count"] < 3:
        sys.exit("sample: orders are missing")


def show_status(table, status):
    """One look-up in the index: all orders of a status, oldest first."""
    answer = table.query(
        IndexName="GSI1", KeyConditionExpression=Key("GSI1PK").eq(f"STATUS#{status}"), Limit=5
    )
    print(f"\nIndex look-up: the oldest {answer['Count']} {status} orders of all customers")
    for order in answer["Items"]:
        print(f"  {order['GSI1SK'][:10]}  {order['PK'][9:]:8} {money(order['cents'])}")
    if answer["Count"] < 2:
        sys.exit("sample: index entries are missing")


def place_order(client, customer, product, count):
    """A transaction: the stock goes down and the order is there, or neither."""
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    order = order_item(customer, date, "open", [(product, count)])
    client.transact_write_items(TransactItems=[
        {"Put": {"TableName": TABLE, "Item": order,
                 "ConditionExpression": "attribute_not_exists(PK)"}},
        take_from_stock(product, count),
    ])
    stock = stock_of(client, product)
    print(f"\nTransaction: {customer} ordered {count} {product}; {stock} left in stock")


def refuse_order(client, customer, product, count):
    """A transaction that cannot be: no order is written when the stock does not suffice."""
    order = order_item(customer, "2026-12-31T00:00:00", "open", [(product, count)])
    before = stock_of(client, product)
    try:
        client.transact_write_items(TransactItems=[
            {"Put": {"TableName": TABLE, "Item": order}}, take_from_stock(product, count)])
    except ClientError as error:
        codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
        print(f"Transaction: {count} {product} were refused {codes}")
    else:
        sys.exit("sample: an order beyond the stock was taken")
    if stock_of(client, product) != before:
        sys.exit("sample: a cancelled transaction changed the stock")


def take_from_stock(product, count):
    return {"Update": {
        "TableName": TABLE,
        "Key": {"PK": f"PRODUCT#{product}", "SK": "DETAILS"},
        "UpdateExpression": "SET stock = stock - :n",
        "ConditionExpression": "stock >= :n",
        "ExpressionAttributeValues": {":n": count},
    }}


def stock_of(client, product):
    answer = client.get_item(
        TableName=TABLE,
        Key={"PK": f"PRODUCT#{product}", "SK": "DETAILS"},
        ConsistentRead=True,
        ProjectionExpression="stock",
    )
    return answer["Item"]["stock"]


def money(cents):
    return f"{int(cents) / 100:8.2f} EUR"


if __name__ == "__main__":
    main()
