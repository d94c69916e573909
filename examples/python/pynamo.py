# SPDX-License-Identifier: Apache-2.0
"""A library instead of requests: the books and loans of a town library as PynamoDB models.

A model says which attributes an item has; PynamoDB makes tables of models, and expressions of what
Python compares and computes. A version attribute guards every save against a change in between.

    book   isbn             title, shelf, copies, version     index by_shelf: shelf, title
    loan   reader, isbn     due
"""

import os
import uuid
from datetime import datetime, timezone

from pynamodb.attributes import (
    NumberAttribute,
    UnicodeAttribute,
    UTCDateTimeAttribute,
    VersionAttribute,
)
from pynamodb.connection import Connection
from pynamodb.exceptions import DoesNotExist, PutError, TransactWriteError, UpdateError
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactGet, TransactWrite
from shared import check

SUFFIX = uuid.uuid4().hex[:8]  # So that examples may run side by side.


class Settings:
    """Where the tables are; every model's Meta has the same."""

    host = os.environ.get("AWS_ENDPOINT_URL_DYNAMODB") or "http://127.0.0.1:8000"
    region = "us-east-1"
    billing_mode = "PAY_PER_REQUEST"


class ByShelf(GlobalSecondaryIndex):
    class Meta(Settings):
        index_name = "by_shelf"
        projection = AllProjection()

    shelf = UnicodeAttribute(hash_key=True)
    title = UnicodeAttribute(range_key=True)


class Book(Model):
    class Meta(Settings):
        table_name = f"books-{SUFFIX}"

    isbn = UnicodeAttribute(hash_key=True)
    title = UnicodeAttribute()
    shelf = UnicodeAttribute()
    copies = NumberAttribute(default=1)
    version = VersionAttribute()
    by_shelf = ByShelf()


class Loan(Model):
    class Meta(Settings):
        table_name = f"loans-{SUFFIX}"

    reader = UnicodeAttribute(hash_key=True)
    isbn = UnicodeAttribute(range_key=True)
    due = UTCDateTimeAttribute()


def lend(isbn, reader, due):
    """One copy less and one loan more, both or neither. False when there is no copy to lend."""
    try:
        with TransactWrite(connection=Connection(Settings.region, Settings.host)) as transaction:
            transaction.update(
                Book(isbn),
                actions=[Book.copies.add(-1)],
                condition=Book.copies > 0,
                add_version_condition=False,
            )
            transaction.save(Loan(reader, isbn, due=due), condition=Loan.isbn.does_not_exist())
    except TransactWriteError as error:
        reasons = [reason and reason.code for reason in error.cancellation_reasons]
        assert "ConditionalCheckFailed" in reasons, reasons
        return False
    return True


def fails(error, function, *arguments, **options):
    """The code with which the library's error says that the request failed; None if it did not."""
    try:
        function(*arguments, **options)
    except error as failure:
        return getattr(failure, "cause_response_code", None) or type(failure).__name__
    return None


def titles(books):
    return [book.title for book in books]


def main():
    shelve_books()
    check_queries()
    check_updates()
    check_loans()


def shelve_books():
    with Book.batch_write() as batch:
        batch.save(Book("0-01", title="Middlemarch", shelf="novels", copies=2, version=1))
        batch.save(Book("0-02", title="Emma", shelf="novels", version=1))
        batch.save(Book("0-03", title="Walden", shelf="essays", version=1))
    Book("0-04", title="Dubliners", shelf="stories", copies=3).save()


def check_queries():
    check("a book is found by its key", Book.get("0-03").title, "Walden")
    check("one that is not there is an error", fails(DoesNotExist, Book.get, "9"), "DoesNotExist")
    novels = titles(Book.by_shelf.query("novels"))
    check("a shelf is sorted by title", novels, ["Emma", "Middlemarch"])
    check(
        "a part of it can be asked for",
        titles(Book.by_shelf.query("novels", Book.title.startswith("Mid"))),
        ["Middlemarch"],
    )
    check(
        "a filter keeps some of what was read",
        titles(Book.by_shelf.query("novels", filter_condition=Book.copies > 1)),
        ["Middlemarch"],
    )
    check("shelves are counted", Book.by_shelf.count("novels"), 2)
    pages = Book.by_shelf.query("novels", page_size=1)
    check("pages of one item are read to the end", len(list(pages)), 2)
    found = sorted(titles(Book.batch_get(["0-01", "0-04", "9"])))
    check("many keys are read at once", found, ["Dubliners", "Middlemarch"])
    check("a scan sees every book", sorted(titles(Book.scan()))[0], "Dubliners")


def check_updates():
    mine, yours = Book.get("0-04"), Book.get("0-04")
    mine.update(actions=[Book.shelf.set("novels"), Book.copies.set(Book.copies + 2)])
    check("an update answers with the new item", (mine.shelf, mine.copies), ("novels", 5))
    check("and counts the version up", mine.version, 2)
    check("the index has the book at once", titles(Book.by_shelf.query("novels"))[0], "Dubliners")
    yours.title = "The Dubliners"
    check(
        "a save from an old version fails",
        fails(PutError, yours.save),
        "ConditionalCheckFailedException",
    )
    check(
        "an update whose condition does not hold fails",
        fails(UpdateError, mine.update, actions=[Book.copies.set(0)], condition=Book.copies < 5),
        "ConditionalCheckFailedException",
    )
    check("neither changed anything", (Book.get("0-04").title, mine.copies), ("Dubliners", 5))


def check_loans():
    due = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    check("the only copy can be lent", lend("0-02", "ada", due), True)
    check("but once", lend("0-02", "bob", due), False)
    check("the refused loan was not written", list(Loan.query("bob")), [])
    twice = [lend("0-01", "ada", due), lend("0-01", "ada", due)]
    check("a reader has one copy of a book", twice, [True, False])
    check("and the second stays on its shelf", Book.get("0-01").copies, 1)
    loans = [(loan.isbn, loan.due) for loan in Loan.query("ada")]
    check("dates come back as dates", loans, [("0-01", due), ("0-02", due)])
    with TransactGet(connection=Connection(Settings.region, Settings.host)) as transaction:
        book = transaction.get(Book, "0-02")
        loan = transaction.get(Loan, "ada", "0-02")
    check("both are read in one transaction", (book.get().copies, loan.get().due), (0, due))


if __name__ == "__main__":
    try:
        Book.create_table(wait=True)
        Loan.create_table(wait=True)
        main()
    finally:
        for model in (Book, Loan):
            if model.exists():
                model.delete_table()
