# SPDX-License-Identifier: Apache-2.0
"""Transfers between accounts: money moves in transactions, raced by many clients, and is conserved.

A transfer is three writes that happen together or not at all: the record that it happened, the
debit, and the credit. The record lies with the account that paid:

  account   PK ACCOUNT#name   SK BALANCE          balance
  transfer  PK ACCOUNT#name   SK TRANSFER#id      payee, amount

The record's key makes a transfer happen once: a second try with the same id finds it there. The
ClientRequestToken does the same for ten minutes, and answers the retry with success.
"""

import random
import time
import uuid
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor

from boto3.dynamodb.conditions import Key
from shared import attributes, check, check_fails, connect, key, query_all, temporary_table

DEFINITION = {"AttributeDefinitions": attributes(PK="S", SK="S"), "KeySchema": key("PK", "SK")}
ACCOUNTS = ["ann", "ben", "cem", "dee", "eli", "fay"]
OPENING_BALANCE = 100
CLIENTS = 12
TRANSFERS = 10

Order = namedtuple("Order", "id payer payee amount")


def new_order(payer, payee, amount):
    return Order(str(uuid.uuid4()), payer, payee, amount)


def balance_key(account):
    return {"PK": f"ACCOUNT#{account}", "SK": "BALANCE"}


def transfer(table, order, token=None):
    def update(account, expression, condition):
        return {
            "Update": {
                "TableName": table.name,
                "Key": balance_key(account),
                "UpdateExpression": expression,
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {":amount": order.amount},
            }
        }

    record = {
        "PK": f"ACCOUNT#{order.payer}",
        "SK": f"TRANSFER#{order.id}",
        "payee": order.payee,
        "amount": order.amount,
    }
    put = {
        "TableName": table.name,
        "Item": record,
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    table.meta.client.transact_write_items(
        ClientRequestToken=token or order.id,
        TransactItems=[
            {"Put": put},
            update(order.payer, "SET balance = balance - :amount", "balance >= :amount"),
            update(order.payee, "SET balance = balance + :amount", "attribute_exists(PK)"),
        ],
    )


def transfer_or_refuse(table, order):
    """True when the money moved, false when there was not enough of it.

    Tries again when another transaction was in the way.
    """
    for attempt in range(100):
        try:
            transfer(table, order)
            return True
        except table.meta.client.exceptions.TransactionCanceledException as error:
            codes = [reason["Code"] for reason in error.response["CancellationReasons"]]
            if codes[1] == "ConditionalCheckFailed":
                return False
            if "TransactionConflict" not in codes:
                raise
            time.sleep(random.random() * 0.005 * (attempt + 1))
    raise RuntimeError(f"transfer {order.id} never got its turn")


def balance_of(table, account):
    return table.get_item(Key=balance_key(account), ConsistentRead=True)["Item"]["balance"]


def transfers_of(table, account):
    condition = Key("PK").eq(f"ACCOUNT#{account}") & Key("SK").begins_with("TRANSFER#")
    return query_all(table, KeyConditionExpression=condition, ConsistentRead=True)


def race_transfers(table, number):
    """One client's transfers: who pays whom follows from the numbers, the timing does not."""
    moved = 0
    for step in range(TRANSFERS):
        payer = (number + step) % len(ACCOUNTS)
        payee = (payer + 1 + number * step % (len(ACCOUNTS) - 1)) % len(ACCOUNTS)
        amount = 5 + (number * 31 + step * 17) % 60
        moved += transfer_or_refuse(table, new_order(ACCOUNTS[payer], ACCOUNTS[payee], amount))
    return moved


def check_one_transfer(table):
    order = new_order("ann", "ben", 30)
    transfer(table, order)
    check("money has moved", (balance_of(table, "ann"), balance_of(table, "ben")), (70, 130))

    transfer(table, order)
    check("the same request again succeeds and moves nothing", balance_of(table, "ann"), 70)
    check_fails(
        "another request under the same token is a mistake",
        "IdempotentParameterMismatchException",
        *(transfer, table, order._replace(amount=31)),
    )
    again = check_fails(
        "without the token it is the record that stops the second transfer",
        "TransactionCanceledException",
        *(transfer, table, order, str(uuid.uuid4())),
    )
    codes = [reason["Code"] for reason in again["CancellationReasons"]]
    check("and the reasons say so", codes, ["ConditionalCheckFailed", "None", "None"])
    refused = transfer_or_refuse(table, new_order("ann", "ben", 1000))
    check("nobody pays what they do not have", refused, False)
    check("a refused transfer leaves no record", len(transfers_of(table, "ann")), 1)


def check_books(table, count):
    """Works out every balance from the records alone, and compares."""
    expected = dict.fromkeys(ACCOUNTS, OPENING_BALANCE)
    records = [(payer, record) for payer in ACCOUNTS for record in transfers_of(table, payer)]
    for payer, record in records:
        expected[payer] -= record["amount"]
        expected[record["payee"]] += record["amount"]
    balances = {account: balance_of(table, account) for account in ACCOUNTS}
    check("every transfer made has its record, and no other", len(records), count)
    check("balances are what the records say", balances, expected)
    check("money is conserved", sum(balances.values()), len(ACCOUNTS) * OPENING_BALANCE)
    check("no account is overdrawn", min(balances.values()) >= 0, True)


def main(table):
    for account in ACCOUNTS:
        table.put_item(Item={**balance_key(account), "balance": OPENING_BALANCE})
    check_one_transfer(table)

    tables = [connect().Table(table.name) for _ in range(CLIENTS)]
    with ThreadPoolExecutor(CLIENTS) as threads:
        moved = sum(threads.map(race_transfers, tables, range(CLIENTS)))
    print(f"{CLIENTS * TRANSFERS} transfers tried by {CLIENTS} clients, {moved} made")
    check_books(table, moved + 1)


if __name__ == "__main__":
    with temporary_table("bank", **DEFINITION) as bank:
        main(bank)
