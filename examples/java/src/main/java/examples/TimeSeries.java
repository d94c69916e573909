// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.connect;
import static examples.Shared.inParallel;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.queryAll;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;

/**
 * A time series over ten write shards: written everywhere, read in parallel, and merged.
 *
 * <p>With the day alone as partition key every new reading would go to one partition, and a
 * partition takes 1,000 writes a second. A shard number in the key spreads a day over ten.
 *
 * <pre>
 *   PK day#shard    SK at (a number: milliseconds)
 * </pre>
 *
 * <p>A read asks all ten shards at the same time. Each answers in order of time, so the answers
 * only have to be merged.
 */
final class TimeSeries {
    private static final int SHARDS = 10;

    record Reading(Instant at, double celsius) {
        static Reading of(Map<String, AttributeValue> item) {
            return new Reading(
                    Instant.ofEpochMilli(Long.parseLong(item.get("at").n())),
                    Double.parseDouble(item.get("celsius").n()));
        }

        LocalDate day() {
            return LocalDate.ofInstant(at, ZoneOffset.UTC);
        }
    }

    private final DynamoDbClient db;
    private final String table;

    private TimeSeries(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("PK", "S", "at", "N")).keySchema(key("PK", "at"));
    }

    /** Any shard will do for a write, since reads ask them all. */
    static Map<String, AttributeValue> itemOf(Reading reading) {
        int shard = ThreadLocalRandom.current().nextInt(SHARDS);
        return item(
                "PK", reading.day() + "#" + shard,
                "at", reading.at.toEpochMilli(),
                "celsius", reading.celsius);
    }

    /** Merges lists that are sorted already, always taking the smallest head. */
    static List<Reading> merge(List<List<Reading>> lists, Comparator<Reading> order) {
        record Head(Reading reading, int list, int next) {}
        var heads = new PriorityQueue<Head>(Comparator.comparing(Head::reading, order));
        for (int n = 0; n < lists.size(); n++) {
            if (!lists.get(n).isEmpty()) {
                heads.add(new Head(lists.get(n).get(0), n, 1));
            }
        }
        var merged = new ArrayList<Reading>();
        while (!heads.isEmpty()) {
            var head = heads.remove();
            merged.add(head.reading);
            var list = lists.get(head.list);
            if (head.next < list.size()) {
                heads.add(new Head(list.get(head.next), head.list, head.next + 1));
            }
        }
        return merged;
    }

    /** The day's readings from `from` up to, but not including, `to`: a list for each shard. */
    List<List<Reading>> shardsBetween(LocalDate day, Instant from, Instant to) {
        return inParallel(SHARDS, shard -> shardBetween(day + "#" + shard, from, to));
    }

    private List<Reading> shardBetween(String shard, Instant from, Instant to) {
        var items =
                queryAll(
                        db,
                        query ->
                                query.tableName(table)
                                        // BETWEEN includes both ends.
                                        .keyConditionExpression(
                                                "PK = :shard AND #at BETWEEN :from AND :last")
                                        .expressionAttributeNames(Map.of("#at", "at"))
                                        .expressionAttributeValues(
                                                item(
                                                        ":shard", shard,
                                                        ":from", from.toEpochMilli(),
                                                        ":last", to.toEpochMilli() - 1)));
        return items.stream().map(Reading::of).toList();
    }

    static List<Reading> inOrder(List<List<Reading>> shards) {
        return merge(shards, Comparator.comparing(Reading::at));
    }

    /** The newest readings of a day. One shard may hold them all: each is asked for that many. */
    List<Reading> latest(LocalDate day, int count) {
        var shards = inParallel(SHARDS, shard -> latestOfShard(day + "#" + shard, count));
        var newestFirst = Comparator.comparing(Reading::at).reversed();
        return merge(shards, newestFirst).stream().limit(count).toList();
    }

    private List<Reading> latestOfShard(String shard, int count) {
        var page =
                db.query(
                        query ->
                                query.tableName(table)
                                        .keyConditionExpression("PK = :shard")
                                        .expressionAttributeValues(item(":shard", shard))
                                        .scanIndexForward(false)
                                        .limit(count));
        return page.items().stream().map(Reading::of).toList();
    }

    public static void main(String[] arguments) {
        // Two days, one reading every three minutes: 480 a day.
        var midnight = Instant.parse("2026-03-01T00:00:00Z");
        var readings =
                IntStream.range(0, 960)
                        .mapToObj(n -> reading(midnight.plus(Duration.ofMinutes(3L * n)), n))
                        .toList();
        try (var db = connect();
                var table = TemporaryTable.create(db, "readings", TimeSeries::define)) {
            var items = readings.stream().map(TimeSeries::itemOf).toList();
            BatchLoad.writeAll(db::batchWriteItem, table.name(), items);
            new TimeSeries(db, table.name()).checkReads(midnight, readings);
        }
    }

    private static Reading reading(Instant at, int n) {
        return new Reading(at, Math.round(100 * (12 + 8 * Math.sin(n / 76.0))) / 100.0);
    }

    void checkReads(Instant midnight, List<Reading> readings) {
        var first = LocalDate.parse("2026-03-01");
        var shards = shardsBetween(first, midnight, midnight.plus(Duration.ofDays(1)));
        check(
                "a day is complete, in order, and as written",
                inOrder(shards),
                readings.subList(0, 480));
        check("every shard holds some of it", shards.stream().noneMatch(List::isEmpty), true);

        var nine = midnight.plus(Duration.ofHours(9));
        var ten = midnight.plus(Duration.ofHours(10));
        check(
                "an hour has its twenty readings, and its end is the next hour's",
                inOrder(shardsBetween(first, nine, ten)),
                readings.subList(180, 200));

        var newest = new ArrayList<>(readings.subList(955, 960));
        newest.sort(Comparator.comparing(Reading::at).reversed());
        check("the newest five of a day", latest(first.plusDays(1), 5), newest);
        check("a day without readings is empty", latest(first.plusDays(2), 5), List.of());
    }
}
