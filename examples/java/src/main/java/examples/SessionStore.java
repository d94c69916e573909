// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.connect;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.number;
import static examples.Shared.queryAll;
import static examples.Shared.text;
import static examples.Shared.texts;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.ProjectionType;
import software.amazon.awssdk.services.dynamodb.model.ReturnValue;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/**
 * A session store for a web site: look-up by token, sliding expiry, "log me out everywhere".
 *
 * <pre>
 *   table   token                 user, expiresAt, cart
 *   index   byUser: user, token   (keys only: a list of the user's sessions)
 * </pre>
 *
 * <p>expiresAt is in seconds, as the table's time to live wants it. The clean-up that time to live
 * does may come late, so an expired session can still be found: every use says what time it is.
 */
final class SessionStore {
    private static final long LIFETIME_S = 1800;

    private final DynamoDbClient db;
    private final String table;

    private SessionStore(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("token", "S", "user", "S"))
                .keySchema(key("token"))
                .globalSecondaryIndexes(
                        index ->
                                index.indexName("byUser")
                                        .keySchema(key("user", "token"))
                                        .projection(
                                                keys ->
                                                        keys.projectionType(
                                                                ProjectionType.KEYS_ONLY)));
    }

    String logIn(String user, long now) {
        String token = UUID.randomUUID().toString();
        var session =
                item(
                        "token", token,
                        "user", user,
                        "cart", List.of(),
                        "expiresAt", now + LIFETIME_S);
        db.putItem(
                put ->
                        put.tableName(table)
                                .item(session)
                                .conditionExpression("attribute_not_exists(#token)")
                                .expressionAttributeNames(Map.of("#token", "token")));
        return token;
    }

    /** The session, if there is one and it has not expired. */
    Optional<Map<String, AttributeValue>> find(String token, long now) {
        var response =
                db.getItem(
                        get -> get.tableName(table).key(item("token", token)).consistentRead(true));
        return Optional.of(response.item())
                .filter(session -> response.hasItem() && number(session, "expiresAt") > now);
    }

    /**
     * Every request extends the session. The condition keeps an expired one expired, and keeps the
     * update from creating one that was just logged out.
     */
    Optional<Map<String, AttributeValue>> use(String token, long now, String... cartItems) {
        try {
            var response =
                    db.updateItem(
                            update ->
                                    update.tableName(table)
                                            .key(item("token", token))
                                            .updateExpression(
                                                    "SET expiresAt = :expires,"
                                                            + " cart = list_append(cart, :items)")
                                            .conditionExpression("expiresAt > :now")
                                            .expressionAttributeValues(
                                                    item(
                                                            ":expires", now + LIFETIME_S,
                                                            ":now", now,
                                                            ":items", List.of(cartItems)))
                                            .returnValues(ReturnValue.ALL_NEW));
            return Optional.of(response.attributes());
        } catch (ConditionalCheckFailedException expired) {
            return Optional.empty();
        }
    }

    /** True when there was a session to end. */
    boolean logOut(String token) {
        return db.deleteItem(
                        delete ->
                                delete.tableName(table)
                                        .key(item("token", token))
                                        .returnValues(ReturnValue.ALL_OLD))
                .hasAttributes();
    }

    List<Map<String, AttributeValue>> sessionsOf(String user) {
        return queryAll(
                db,
                query ->
                        query.tableName(table)
                                .indexName("byUser")
                                .keyConditionExpression("#user = :user")
                                .expressionAttributeNames(Map.of("#user", "user"))
                                .expressionAttributeValues(item(":user", user)));
    }

    /** Ends all of a user's sessions. They fit into one batch here; see BatchLoad for more. */
    int logOutEverywhere(String user) {
        var deletes =
                texts(sessionsOf(user), "token").stream()
                        .map(token -> item("token", token))
                        .map(
                                key ->
                                        WriteRequest.builder()
                                                .deleteRequest(delete -> delete.key(key))
                                                .build())
                        .toList();
        db.batchWriteItem(request -> request.requestItems(Map.of(table, deletes)));
        return deletes.size();
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "sessions", SessionStore::define)) {
            new SessionStore(db, table.name()).checkLife();
        }
    }

    void checkLife() {
        long noon = 1_780_000_000L;
        String phone = logIn("ada", noon);
        String laptop = logIn("ada", noon + 60);
        String other = logIn("bob", noon);
        var nobody = Optional.<Map<String, AttributeValue>>empty();

        check("a token finds its session", text(find(phone, noon + 10).get(), "user"), "ada");
        check("an invented token finds nothing", find(UUID.randomUUID().toString(), noon), nobody);

        var session = use(phone, noon + 1700, "lamp").get();
        check("use extends a session", number(session, "expiresAt"), noon + 1700 + LIFETIME_S);
        check(
                "so it outlives its first half hour",
                find(phone, noon + 3000).get().get("cart"),
                AttributeValue.fromL(List.of(AttributeValue.fromS("lamp"))));
        check("an unused one does not", find(laptop, noon + 3000), nobody);
        check("an expired session cannot be extended", use(laptop, noon + 3000), nobody);

        var listed = sessionsOf("ada");
        check(
                "a user sees all their sessions",
                texts(listed, "token"),
                Stream.of(phone, laptop).sorted().toList());
        check("the list holds keys only", listed.get(0).keySet(), Set.of("token", "user"));

        check("logging out ends a session", logOut(other), true);
        check("only once", logOut(other), false);
        check("use does not bring it back", use(other, noon + 10), nobody);
        check("it is gone from the list", sessionsOf("bob"), List.of());

        check("logging out everywhere ends both sessions", logOutEverywhere("ada"), 2);
        check("no token is left", find(phone, noon + 3000), nobody);
        check("and no entry in the list", sessionsOf("ada"), List.of());
    }
}
