// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.connect;
import static examples.Shared.inParallel;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.number;
import static examples.Shared.queryAll;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;

/**
 * A view counter that many visitors increment at once: the count is spread over shards.
 *
 * <pre>
 *   PK page    SK shard#n    views
 * </pre>
 *
 * <p>ADD increments in the server, so no increment is lost. But one item is one place on one
 * partition: a popular page needs several, and its count is their sum. A page's shards share a
 * partition key here to keep the reading to one Query; for more writes than one partition takes,
 * put the shard's number into the partition key, as TimeSeries does.
 */
final class ViewCounter {
    private static final int SHARDS = 10;
    private static final int VISITORS = 16;
    private static final int VIEWS = 25;

    private final DynamoDbClient db;
    private final String table;

    private ViewCounter(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("page", "S", "shard", "S"))
                .keySchema(key("page", "shard"));
    }

    /** Counts one view. ADD creates the shard when it is not there yet. Returns its new count. */
    long countView(String page) {
        String shard = "shard#" + ThreadLocalRandom.current().nextInt(SHARDS);
        var response =
                db.updateItem(
                        update ->
                                update.tableName(table)
                                        .key(item("page", page, "shard", shard))
                                        .updateExpression("ADD #views :one")
                                        .expressionAttributeNames(Map.of("#views", "views"))
                                        .expressionAttributeValues(item(":one", 1))
                                        .returnValues(ReturnValue.UPDATED_NEW));
        return number(response.attributes(), "views");
    }

    /** The count of each shard that has one. */
    List<Long> shardsOf(String page) {
        var shards =
                queryAll(
                        db,
                        query ->
                                query.tableName(table)
                                        .keyConditionExpression("#page = :page")
                                        .expressionAttributeNames(Map.of("#page", "page"))
                                        .expressionAttributeValues(item(":page", page))
                                        .consistentRead(true));
        return shards.stream().map(shard -> number(shard, "views")).toList();
    }

    long views(String page) {
        return shardsOf(page).stream().mapToLong(views -> views).sum();
    }

    private long visit(String page) {
        for (int view = 0; view < VIEWS; view++) {
            countView(page);
        }
        return VIEWS;
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "views", ViewCounter::define)) {
            var counter = new ViewCounter(db, table.name());
            check("a page nobody saw has no views", counter.views("/about"), 0L);
            check("the first view is number one", counter.countView("/about"), 1L);

            inParallel(VISITORS, visitor -> counter.visit("/"));
            System.out.println("views a shard: " + counter.shardsOf("/"));
            check("no view is lost", counter.views("/"), (long) VISITORS * VIEWS);
            check("the views are spread over the shards", counter.shardsOf("/").size(), SHARDS);
            check("other pages are counted apart", counter.views("/about"), 1L);
        }
    }
}
