// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.connect;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.number;
import static examples.Shared.text;
import static examples.Shared.with;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Function;
import java.util.stream.IntStream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BatchWriteItemRequest;
import software.amazon.awssdk.services.dynamodb.model.BatchWriteItemResponse;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.KeysAndAttributes;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/**
 * Batches: loading many items, and reading many, with retry of what was left unprocessed.
 *
 * <p>A batch succeeds as long as some of it does. What the server had no capacity for, or what did
 * not fit into a 16 MB answer, comes back unprocessed and must be sent again, after a pause that
 * grows. Code that ignores it loses data only under load.
 */
final class BatchLoad {
    private static final int WRITES_MAX = 25;
    private static final int KEYS_MAX = 100;
    private static final int ROUNDS_MAX = 10;

    /** What sends a BatchWriteItem: db::batchWriteItem, or something in front of it. */
    interface Writer extends Function<BatchWriteItemRequest, BatchWriteItemResponse> {}

    record Read(List<Map<String, AttributeValue>> items, int requests) {}

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("id", "S")).keySchema(key("id"));
    }

    /** Waits about twice as long each time; the random part keeps many loaders out of step. */
    static void backOff(int round) {
        long longest = Math.min(25L << round, 2000);
        Shared.sleep(longest / 2 + ThreadLocalRandom.current().nextLong(longest / 2));
    }

    static <T> List<List<T>> chunks(List<T> list, int size) {
        return IntStream.iterate(0, start -> start < list.size(), start -> start + size)
                .mapToObj(start -> list.subList(start, Math.min(start + size, list.size())))
                .toList();
    }

    /** Writes all items. Returns how many requests it took. */
    static int writeAll(Writer writer, String table, List<Map<String, AttributeValue>> items) {
        int requests = 0;
        for (var chunk : chunks(items, WRITES_MAX)) {
            var pending = Map.of(table, chunk.stream().map(BatchLoad::put).toList());
            for (int round = 0; !pending.isEmpty(); round++) {
                pauseOrGiveUp(round);
                var request = BatchWriteItemRequest.builder().requestItems(pending).build();
                pending = writer.apply(request).unprocessedItems();
                requests++;
            }
        }
        return requests;
    }

    private static WriteRequest put(Map<String, AttributeValue> item) {
        return WriteRequest.builder().putRequest(put -> put.item(item)).build();
    }

    private static void pauseOrGiveUp(int round) {
        if (round == ROUNDS_MAX) {
            throw new IllegalStateException("a part of the batch stays unprocessed");
        } else if (round > 0) {
            backOff(round);
        }
    }

    /** Reads all keys; the items come in no particular order, so they are sorted. */
    static Read readAll(DynamoDbClient db, String table, List<Map<String, AttributeValue>> keys) {
        var items = new ArrayList<Map<String, AttributeValue>>();
        int requests = 0;
        for (var chunk : chunks(keys, KEYS_MAX)) {
            var pending = Map.of(table, KeysAndAttributes.builder().keys(chunk).build());
            for (int round = 0; !pending.isEmpty(); round++) {
                pauseOrGiveUp(round);
                var keysLeft = pending;
                var response = db.batchGetItem(request -> request.requestItems(keysLeft));
                items.addAll(response.responses().getOrDefault(table, List.of()));
                pending = response.unprocessedKeys();
                requests++;
            }
        }
        items.sort(Comparator.comparing(item -> text(item, "id")));
        return new Read(items, requests);
    }

    /**
     * A server on an idle machine processes every write, so the retry would never run here. This
     * writer plays a busy one: of every other request it sends half, and hands back the other half.
     */
    static Writer busy(DynamoDbClient db, String table) {
        var turn = new int[1];
        return request -> {
            var writes = request.requestItems().get(table);
            int sent = turn[0]++ % 2 == 0 ? (writes.size() + 1) / 2 : writes.size();
            db.batchWriteItem(half -> half.requestItems(Map.of(table, writes.subList(0, sent))));
            var rest = writes.subList(sent, writes.size());
            return BatchWriteItemResponse.builder()
                    .unprocessedItems(rest.isEmpty() ? Map.of() : Map.of(table, rest))
                    .build();
        };
    }

    static List<Map<String, AttributeValue>> keysOf(List<Map<String, AttributeValue>> items) {
        return items.stream().map(item -> Map.of("id", item.get("id"))).toList();
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "batches", BatchLoad::define)) {
            checkWords(db, table.name());
            checkPictures(db, table.name());
            check(
                    "what does not exist is simply not returned",
                    readAll(db, table.name(), List.of(item("id", "none"))).items,
                    List.of());
        }
    }

    static void checkWords(DynamoDbClient db, String table) {
        var words =
                IntStream.range(0, 1000)
                        .mapToObj(n -> item("id", "word-" + (1000 + n), "number", n))
                        .toList();
        check("1,000 items are 40 batches", writeAll(db::batchWriteItem, table, words), 40);
        var read = readAll(db, table, keysOf(words));
        check("all of them are there", read.items, words);
        check("and were read in ten", read.requests, 10);

        var changed =
                words.subList(0, 100).stream()
                        .map(word -> with(word, "number", -number(word, "number") - 1))
                        .toList();
        check(
                "a busy server takes twice the requests",
                writeAll(busy(db, table), table, changed),
                8);
        check("and nothing is lost", readAll(db, table, keysOf(changed)).items, changed);
    }

    /** 60 items of 350 KB are 21 MB: more than one answer holds, so the server splits it. */
    static void checkPictures(DynamoDbClient db, String table) {
        var pictures =
                IntStream.range(0, 60)
                        .mapToObj(n -> item("id", "picture-" + (100 + n), "bytes", picture(n)))
                        .toList();
        writeAll(db::batchWriteItem, table, pictures);
        var gallery = readAll(db, table, keysOf(pictures));
        check("21 MB take more than one answer", gallery.requests > 1, true);
        check("and every picture arrives", gallery.items.equals(pictures), true);
    }

    static byte[] picture(int number) {
        var bytes = new byte[350 * 1024];
        Arrays.fill(bytes, (byte) number);
        return bytes;
    }
}
