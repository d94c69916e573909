// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.connect;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.texts;

import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.QueryResponse;
import software.amazon.awssdk.services.dynamodb.model.ReturnConsumedCapacity;

/**
 * A sparse index: of many orders it holds only the few that somebody must look at.
 *
 * <p>An item without the index's key attributes is not in the index. So "needs attention" is an
 * attribute that most orders do not have: to set it puts an order on the list, to remove it takes
 * the order off. Reading the list costs what the list weighs, not what the table weighs.
 */
final class FlaggedOrders {
    private static final int ORDERS = 200;

    private final DynamoDbClient db;
    private final String table;

    private FlaggedOrders(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("orderId", "S", "flag", "S", "flaggedAt", "S"))
                .keySchema(key("orderId"))
                .globalSecondaryIndexes(
                        index ->
                                index.indexName("flagged")
                                        .keySchema(key("flag", "flaggedAt"))
                                        // The list shows these two; the rest stays in the table.
                                        .projection(
                                                some ->
                                                        some.projectionType(ProjectionType.INCLUDE)
                                                                .nonKeyAttributes(
                                                                        "customer", "total")));
    }

    static String orderId(int number) {
        return "order-%04d".formatted(number);
    }

    static Map<String, AttributeValue> order(int number) {
        return item(
                "orderId", orderId(number),
                "customer", "customer-" + number % 17,
                "total", 100 + number,
                "notes", "Leave it with the neighbours. ".repeat(10));
    }

    void flag(int number, String flag, String at) {
        db.updateItem(
                update ->
                        update.tableName(table)
                                .key(item("orderId", orderId(number)))
                                .updateExpression("SET flag = :flag, flaggedAt = :at")
                                .conditionExpression("attribute_exists(orderId)")
                                .expressionAttributeValues(item(":flag", flag, ":at", at)));
    }

    void clearFlag(int number) {
        db.updateItem(
                update ->
                        update.tableName(table)
                                .key(item("orderId", orderId(number)))
                                .updateExpression("REMOVE flag, flaggedAt"));
    }

    QueryResponse flagged(String flag) {
        return db.query(
                query ->
                        query.tableName(table)
                                .indexName("flagged")
                                .keyConditionExpression("flag = :flag")
                                .expressionAttributeValues(item(":flag", flag))
                                .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL));
    }

    static List<String> ids(List<Map<String, AttributeValue>> items) {
        return texts(items, "orderId");
    }

    static List<String> orderIds(Integer... numbers) {
        return Stream.of(numbers).map(FlaggedOrders::orderId).toList();
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "flagged-orders", FlaggedOrders::define)) {
            var orders = IntStream.range(0, ORDERS).mapToObj(FlaggedOrders::order).toList();
            BatchLoad.writeAll(db::batchWriteItem, table.name(), orders);
            var office = new FlaggedOrders(db, table.name());
            office.checkList();
            office.compareWithScan();
        }
    }

    void checkList() {
        check("no order is flagged at first", flagged("fraud").items(), List.of());
        flag(150, "fraud", "2026-05-02T10:00:00Z");
        flag(7, "address", "2026-05-02T11:00:00Z");
        flag(42, "fraud", "2026-05-01T08:00:00Z");
        flag(99, "fraud", "2026-05-03T09:30:00Z");

        var frauds = flagged("fraud").items();
        check("the longest waiting comes first", ids(frauds), orderIds(42, 150, 99));
        check(
                "the index has what was projected, and no notes",
                frauds.get(0),
                item(
                        "orderId", orderId(42),
                        "flag", "fraud",
                        "flaggedAt", "2026-05-01T08:00:00Z",
                        "customer", "customer-8",
                        "total", 142));
        clearFlag(150);
        check("a cleared order leaves the list", ids(flagged("fraud").items()), orderIds(42, 99));
        flag(42, "address", "2026-05-04T12:00:00Z");
        check("a changed flag moves it", ids(flagged("address").items()), orderIds(7, 42));
    }

    /** The other way to the same orders, shown for its price: read everything, keep two. */
    void compareWithScan() {
        var scan =
                db.scan(
                        request ->
                                request.tableName(table)
                                        .filterExpression("flag = :flag")
                                        .expressionAttributeValues(item(":flag", "address"))
                                        .returnConsumedCapacity(ReturnConsumedCapacity.TOTAL));
        var query = flagged("address");
        check(
                "a scan finds the same",
                ids(scan.items()).stream().sorted().toList(),
                ids(query.items()).stream().sorted().toList());
        check(
                "having read the whole table",
                List.of(scan.scannedCount(), query.scannedCount()),
                List.of(ORDERS, 2));
        check("the index costs half a unit", query.consumedCapacity().capacityUnits(), 0.5);
        double scanUnits = scan.consumedCapacity().capacityUnits();
        check("the scan costs over ten times that", scanUnits > 5, true);
    }
}
