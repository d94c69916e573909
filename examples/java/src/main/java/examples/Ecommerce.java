// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.checkFails;
import static examples.Shared.connect;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.number;
import static examples.Shared.queryAll;
import static examples.Shared.text;
import static examples.Shared.texts;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.PutRequest;
import software.amazon.awssdk.services.dynamodb.model.QueryResponse;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/**
 * An online shop in a single table: users, orders, order items, products and reviews.
 *
 * <p>First come the questions the shop asks, then the keys that answer each with one Query. Items
 * read together share a partition; within it the sort key puts them in the order wanted.
 *
 * <pre>
 *   entity      PK            SK                    GSI1PK           GSI1SK
 *   user        USER#id       PROFILE               EMAIL#email      USER#id
 *   order       USER#id       ORDER#date#id         STATUS#status    date#id
 *   order item  ORDER#id      ITEM#product
 *   product     PRODUCT#id    DETAILS               CATEGORY#name    PRICE#cents
 *   review      PRODUCT#id    REVIEW#date#user
 * </pre>
 *
 * <p>GSI1 is overloaded: one index answers three kinds of question. Order items and reviews have
 * none of its keys, so they stay out of it.
 */
final class Ecommerce {
    record Line(String product, int quantity, int cents) {}

    private final DynamoDbClient db;
    private final String table;

    private Ecommerce(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("PK", "S", "SK", "S", "GSI1PK", "S", "GSI1SK", "S"))
                .keySchema(key("PK", "SK"))
                .globalSecondaryIndexes(
                        index ->
                                index.indexName("GSI1")
                                        .keySchema(key("GSI1PK", "GSI1SK"))
                                        .projection(all -> all.projectionType(ProjectionType.ALL)));
    }

    // ---- the items

    static Map<String, AttributeValue> user(String id, String name, String email) {
        return item(
                "PK", "USER#" + id, "SK", "PROFILE",
                "GSI1PK", "EMAIL#" + email, "GSI1SK", "USER#" + id,
                "id", id, "name", name, "email", email);
    }

    static Map<String, AttributeValue> product(String id, String category, int cents, int stock) {
        return item(
                "PK", "PRODUCT#" + id, "SK", "DETAILS",
                "GSI1PK", "CATEGORY#" + category, "GSI1SK", priceKey(cents),
                "id", id, "category", category, "cents", cents, "stock", stock);
    }

    static Map<String, AttributeValue> review(String product, String user, String date, int stars) {
        return item(
                "PK", "PRODUCT#" + product, "SK", "REVIEW#" + date + "#" + user,
                "user", user, "stars", stars);
    }

    static Map<String, AttributeValue> order(
            String id, String user, String date, List<Line> lines) {
        int cents = lines.stream().mapToInt(line -> line.cents * line.quantity).sum();
        return item(
                "PK", "USER#" + user, "SK", "ORDER#" + date + "#" + id,
                "GSI1PK", "STATUS#placed", "GSI1SK", date + "#" + id,
                "id", id, "status", "placed", "cents", cents);
    }

    static Map<String, AttributeValue> orderItem(String order, Line line) {
        return item(
                "PK", "ORDER#" + order, "SK", "ITEM#" + line.product,
                "product", line.product, "quantity", line.quantity, "cents", line.cents);
    }

    /** Strings sort by their bytes: a number inside a key needs leading zeros. */
    static String priceKey(int cents) {
        return "PRICE#%08d".formatted(cents);
    }

    // ---- the questions

    List<Map<String, AttributeValue>> query(String condition, Object... values) {
        return queryAll(
                db,
                query ->
                        query.tableName(table)
                                // Only the index's conditions name the index's keys.
                                .indexName(condition.startsWith("GSI1PK") ? "GSI1" : null)
                                .keyConditionExpression(condition)
                                .expressionAttributeValues(item(values)));
    }

    Optional<Map<String, AttributeValue>> userByEmail(String email) {
        return query("GSI1PK = :email", ":email", "EMAIL#" + email).stream().findFirst();
    }

    List<Map<String, AttributeValue>> ordersWithStatus(String status) {
        return query("GSI1PK = :status", ":status", "STATUS#" + status);
    }

    List<Map<String, AttributeValue>> productsInCategory(String category, int centsMax) {
        return query(
                "GSI1PK = :category AND GSI1SK <= :price",
                ":category", "CATEGORY#" + category, ":price", priceKey(centsMax));
    }

    /** One page of a user's orders; the response says where the next page starts. */
    QueryResponse ordersNewestFirst(String user, int limit, Map<String, AttributeValue> start) {
        return db.query(
                query ->
                        query.tableName(table)
                                .keyConditionExpression("PK = :user AND begins_with(SK, :order)")
                                .expressionAttributeValues(
                                        item(":user", "USER#" + user, ":order", "ORDER#"))
                                .scanIndexForward(false)
                                .limit(limit)
                                .exclusiveStartKey(start));
    }

    List<Map<String, AttributeValue>> ordersBetween(String user, String from, String to) {
        return query(
                "PK = :user AND SK BETWEEN :from AND :to",
                ":user", "USER#" + user, ":from", "ORDER#" + from, ":to", "ORDER#" + to);
    }

    List<Map<String, AttributeValue>> itemsOfOrder(String order) {
        return query("PK = :order", ":order", "ORDER#" + order);
    }

    /** A product and its reviews in one request: the product sorts before them. */
    List<Map<String, AttributeValue>> productPage(String product) {
        return query("PK = :product", ":product", "PRODUCT#" + product);
    }

    // ---- the changes

    /** Writes the order, its items and the new stock together, or nothing at all. */
    void placeOrder(String id, String user, String date, Line... lines) {
        var actions = new ArrayList<TransactWriteItem>();
        Stream.concat(
                        Stream.of(order(id, user, date, List.of(lines))),
                        Stream.of(lines).map(line -> orderItem(id, line)))
                .forEach(item -> actions.add(putNew(item)));
        for (Line line : lines) {
            actions.add(takeFromStock(line));
        }
        db.transactWriteItems(request -> request.transactItems(actions));
    }

    private TransactWriteItem putNew(Map<String, AttributeValue> item) {
        return TransactWriteItem.builder()
                .put(
                        put ->
                                put.tableName(table)
                                        .item(item)
                                        .conditionExpression("attribute_not_exists(PK)"))
                .build();
    }

    private TransactWriteItem takeFromStock(Line line) {
        return TransactWriteItem.builder()
                .update(
                        update ->
                                update.tableName(table)
                                        .key(item("PK", "PRODUCT#" + line.product, "SK", "DETAILS"))
                                        .updateExpression("SET stock = stock - :quantity")
                                        .conditionExpression("stock >= :quantity")
                                        .expressionAttributeValues(
                                                item(":quantity", line.quantity)))
                .build();
    }

    /** A new status is a new index key: the order moves within GSI1 in the same write. */
    Map<String, AttributeValue> changeStatus(
            Map<String, AttributeValue> order, String from, String to) {
        return db.updateItem(
                        update ->
                                update.tableName(table)
                                        .key(item("PK", order.get("PK"), "SK", order.get("SK")))
                                        .updateExpression("SET #status = :to, GSI1PK = :key")
                                        .conditionExpression("#status = :from")
                                        .expressionAttributeNames(Map.of("#status", "status"))
                                        .expressionAttributeValues(
                                                item(
                                                        ":from", from, ":to", to,
                                                        ":key", "STATUS#" + to))
                                        .returnValues(ReturnValue.ALL_NEW))
                .attributes();
    }

    // ---- the checks

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "shop", Ecommerce::define)) {
            var shop = new Ecommerce(db, table.name());
            shop.load();
            shop.checkQuestions();
            shop.checkChanges();
        }
    }

    static final Line LAMP = new Line("lamp", 1, 3900);
    static final Line MUGS = new Line("mug", 4, 950);
    static final Line RUG = new Line("rug", 2, 12900);

    void load() {
        var catalog =
                Stream.of(
                                user("ada", "Ada", "ada@example.com"),
                                user("bob", "Bob", "bob@example.com"),
                                product("lamp", "home", 3900, 10),
                                product("rug", "home", 12900, 2),
                                product("mug", "home", 950, 100),
                                product("pen", "office", 250, 500),
                                review("lamp", "ada", "2026-02-01", 5),
                                review("lamp", "bob", "2026-03-09", 3))
                        .map(item -> PutRequest.builder().item(item).build())
                        .map(put -> WriteRequest.builder().putRequest(put).build())
                        .toList();
        db.batchWriteItem(request -> request.requestItems(Map.of(table, catalog)));
        placeOrder("1001", "ada", "2026-01-15", LAMP, MUGS);
        placeOrder("1002", "bob", "2026-02-20", RUG);
        placeOrder("1003", "ada", "2026-03-02", MUGS);
        placeOrder("1004", "ada", "2026-03-28", LAMP);
    }

    void checkQuestions() {
        check(
                "an e-mail address finds its user",
                userByEmail("bob@example.com").map(user -> text(user, "name")),
                Optional.of("Bob"));
        check("an unknown address finds nobody", userByEmail("eve@example.com"), Optional.empty());

        var first = ordersNewestFirst("ada", 2, null);
        check("orders come newest first", texts(first.items(), "id"), List.of("1004", "1003"));
        check("there is a next page", first.hasLastEvaluatedKey(), true);
        var second = ordersNewestFirst("ada", 2, first.lastEvaluatedKey());
        check("it goes on where the first ended", texts(second.items(), "id"), List.of("1001"));
        check("the last page has no next one", second.hasLastEvaluatedKey(), false);
        check(
                "orders of March",
                texts(ordersBetween("ada", "2026-03", "2026-04"), "id"),
                List.of("1003", "1004"));

        check(
                "an order has its items",
                texts(itemsOfOrder("1001"), "product"),
                List.of("lamp", "mug"));
        var page = productPage("lamp");
        check("orders took from the stock", number(page.get(0), "stock"), 8L);
        check(
                "reviews come with their product",
                page.stream().skip(1).map(review -> number(review, "stars")).toList(),
                List.of(5L, 3L));
        check(
                "a category is sorted by price",
                texts(productsInCategory("home", 5000), "id"),
                List.of("mug", "lamp"));
    }

    void checkChanges() {
        var placed = ordersWithStatus("placed");
        check(
                "four orders are placed",
                texts(placed, "id"),
                List.of("1001", "1002", "1003", "1004"));
        var shipped = changeStatus(placed.get(0), "placed", "shipped");
        check("a shipped order keeps its total", number(shipped, "cents"), 7700L);
        check(
                "it has left the placed ones",
                texts(ordersWithStatus("placed"), "id"),
                List.of("1002", "1003", "1004"));
        check("it is among the shipped ones", ordersWithStatus("shipped"), List.of(shipped));
        checkFails(
                "an order is shipped once",
                ConditionalCheckFailedException.class,
                () -> changeStatus(shipped, "placed", "shipped"));

        var refused =
                checkFails(
                        "what is out of stock cannot be ordered",
                        TransactionCanceledException.class,
                        () -> placeOrder("1005", "bob", "2026-04-01", MUGS, RUG));
        check(
                "the reasons name the rug, which is the last of the five actions",
                refused.cancellationReasons().stream().map(CancellationReason::code).toList(),
                List.of("None", "None", "None", "None", "ConditionalCheckFailed"));
        check("nothing of the refused order was written", itemsOfOrder("1005"), List.of());
        check("not even the mugs were taken", number(productPage("mug").get(0), "stock"), 92L);
    }
}
