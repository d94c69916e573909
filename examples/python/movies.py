# SPDX-License-Identifier: Apache-2.0
"""Thousands of movies by year and title: loaded in parallel, asked for ranges of titles.

  PK year (a number)    SK title

The answers are compared with the same question asked of the file.
"""

import json
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from boto3.dynamodb.conditions import Attr, Key
from shared import attributes, check, connect, key, query_all, shared_data, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(year="N", title="S"),
    "KeySchema": key("year", "title"),
}
LOADERS = 4


def load(table_name, movies):
    with connect().Table(table_name).batch_writer() as batch:
        for movie in movies:
            batch.put_item(movie)


def titles(movies):
    return [movie["title"] for movie in movies]


def in_year(table, year, condition=None, **query):
    in_order = Key("year").eq(year) & condition if condition else Key("year").eq(year)
    return query_all(table, KeyConditionExpression=in_order, **query)


def check_ranges(table, year, movies):
    """movies are the year's, by title."""
    title = Key("title")
    check(f"{year}: all {len(movies)}", in_year(table, year), movies)
    descending = titles(in_year(table, year, ScanIndexForward=False))
    check(f"{year}: backwards", descending, titles(reversed(movies)))
    check(
        f"{year}: from A to L",
        titles(in_year(table, year, title.between("A", "L"))),
        [name for name in titles(movies) if "A" <= name <= "L"],
    )
    check(
        f"{year}: beginning with The",
        titles(in_year(table, year, title.begins_with("The "))),
        [name for name in titles(movies) if name.startswith("The ")],
    )
    middle = movies[len(movies) // 2]["title"]
    check(
        f"{year}: after {middle}",
        titles(in_year(table, year, title.gt(middle))),
        titles(movies[len(movies) // 2 + 1 :]),
    )
    check(
        f"{year}: rated 8 or better",
        titles(in_year(table, year, FilterExpression=Attr("info.rating").gte(8))),
        [movie["title"] for movie in movies if movie["info"].get("rating", 0) >= 8],
    )
    check(
        f"{year}: title and first actor only",
        in_year(table, year, ProjectionExpression="title, info.actors[0]"),
        [first_actor(movie) for movie in movies],
    )


def first_actor(movie):
    actors = movie["info"].get("actors")
    info = {"info": {"actors": actors[:1]}} if actors else {}
    return {"title": movie["title"], **info}


def page_through(table, year, size):
    """The year in pages of a given size, as a web site would show it. Returns the pages."""
    pages, start = [], {}
    while True:
        page = table.query(KeyConditionExpression=Key("year").eq(year), Limit=size, **start)
        pages.append(page["Items"])
        if "LastEvaluatedKey" not in page:
            return pages
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def main(table, movies):
    with ThreadPoolExecutor(LOADERS) as threads:
        list(threads.map(lambda n: load(table.name, movies[n::LOADERS]), range(LOADERS)))

    years = defaultdict(list)
    # The server orders titles by their bytes in UTF-8.
    for movie in sorted(movies, key=lambda movie: movie["title"].encode()):
        years[movie["year"]].append(movie)
    counts = {
        year: table.query(KeyConditionExpression=Key("year").eq(year), Select="COUNT")["Count"]
        for year in years
    }
    check(f"{len(movies)} movies are loaded", sum(counts.values()), len(movies))
    check("each in its year", counts, {year: len(years[year]) for year in years})

    for year in sorted(years, key=lambda year: len(years[year]))[-3:]:
        check_ranges(table, year, years[year])
    pages = page_through(table, 1994, 10)
    check("pages of ten are full but the last", {len(page) for page in pages[:-1]}, {10})
    check("and hold every movie once", sum(pages, []), years[1994])
    one = movies[len(movies) // 3]
    found = table.get_item(Key={"year": one["year"], "title": one["title"]})["Item"]
    check("a movie is found by its key", found, one)


if __name__ == "__main__":
    path = shared_data("movies.json")
    with temporary_table("movies", **DEFINITION) as table:
        main(table, json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal))
