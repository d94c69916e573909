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
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.KeysAndAttributes;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

/**
 * A tree of folders: each node is stored under its parent's path.
 *
 * <pre>
 *   PK parent path    SK name        the node /music/jazz/1959 is PK "/music/jazz", SK "1959"
 * </pre>
 *
 * <p>The children of a folder are one Query. The ancestors of a node need no search at all: its
 * path spells out the keys of every one of them, and one BatchGetItem fetches them together.
 */
final class Hierarchy {
    private final DynamoDbClient db;
    private final String table;

    private Hierarchy(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("PK", "S", "SK", "S")).keySchema(key("PK", "SK"));
    }

    /** The key of "/music/jazz/1959" is "/music/jazz", "1959"; a top folder's parent is "/". */
    static Map<String, AttributeValue> keyOf(String path) {
        int slash = path.lastIndexOf('/');
        return item("PK", path.substring(0, Math.max(slash, 1)), "SK", path.substring(slash + 1));
    }

    /** "/music/jazz/1959" has the ancestors "/music" and "/music/jazz". */
    static List<String> ancestorPaths(String path) {
        var paths = new ArrayList<String>();
        for (int slash = path.indexOf('/', 1); slash > 0; slash = path.indexOf('/', slash + 1)) {
            paths.add(path.substring(0, slash));
        }
        return paths;
    }

    void addFolder(String path) {
        add(path, item("path", path));
    }

    void addFile(String path, int size) {
        add(path, item("path", path, "fileSize", size));
    }

    /** Adds a node. The parent must exist, and is checked in the same transaction: no orphans. */
    private void add(String path, Map<String, AttributeValue> attributes) {
        var node = keyOf(path);
        node.putAll(attributes);
        var actions = new ArrayList<TransactWriteItem>();
        actions.add(
                TransactWriteItem.builder()
                        .put(
                                put ->
                                        put.tableName(table)
                                                .item(node)
                                                .conditionExpression("attribute_not_exists(PK)"))
                        .build());
        var ancestors = ancestorPaths(path);
        if (!ancestors.isEmpty()) {
            actions.add(checkFolder(ancestors.get(ancestors.size() - 1)));
        }
        db.transactWriteItems(request -> request.transactItems(actions));
    }

    private TransactWriteItem checkFolder(String path) {
        // A file has a size and no children.
        String isFolder = "attribute_exists(PK) AND attribute_not_exists(fileSize)";
        return TransactWriteItem.builder()
                .conditionCheck(
                        check ->
                                check.tableName(table)
                                        .key(keyOf(path))
                                        .conditionExpression(isFolder))
                .build();
    }

    List<Map<String, AttributeValue>> children(String path) {
        return queryAll(
                db,
                query ->
                        query.tableName(table)
                                .keyConditionExpression("PK = :path")
                                .expressionAttributeValues(item(":path", path)));
    }

    List<Map<String, AttributeValue>> childrenNamed(String path, String prefix) {
        return queryAll(
                db,
                query ->
                        query.tableName(table)
                                .keyConditionExpression("PK = :path AND begins_with(SK, :prefix)")
                                .expressionAttributeValues(
                                        item(":path", path, ":prefix", prefix)));
    }

    /** From the top down. BatchGetItem keeps no order, so the length of the path gives it back. */
    List<Map<String, AttributeValue>> ancestors(String path) {
        var keys = ancestorPaths(path).stream().map(Hierarchy::keyOf).toList();
        if (keys.isEmpty()) {
            return List.of();
        }
        var asked = Map.of(table, KeysAndAttributes.builder().keys(keys).build());
        return db.batchGetItem(get -> get.requestItems(asked)).responses().get(table).stream()
                .sorted(Comparator.comparing(node -> text(node, "path").length()))
                .toList();
    }

    /** The size of everything below a folder: one Query a folder. */
    long totalSize(String path) {
        return children(path).stream()
                .mapToLong(
                        node ->
                                node.containsKey("fileSize")
                                        ? number(node, "fileSize")
                                        : totalSize(text(node, "path")))
                .sum();
    }

    static List<String> paths(List<Map<String, AttributeValue>> nodes) {
        return texts(nodes, "path");
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "tree", Hierarchy::define)) {
            var tree = new Hierarchy(db, table.name());
            tree.grow();
            tree.checkReads();
            tree.checkRefusals();
        }
    }

    void grow() {
        addFolder("/music");
        addFolder("/music/jazz");
        addFolder("/music/jazz/1959");
        addFile("/music/jazz/1959/so-what.flac", 540);
        addFile("/music/jazz/1959/take-five.flac", 320);
        addFile("/music/jazz/readme.txt", 2);
        addFolder("/music/folk");
        addFolder("/photos");
        addFile("/photos/2025-winter", 77);
    }

    void checkReads() {
        check(
                "children come by name",
                paths(children("/music")),
                List.of("/music/folk", "/music/jazz"));
        check("the top has children too", paths(children("/")), List.of("/music", "/photos"));
        check("an empty folder has none", children("/music/folk"), List.of());
        check(
                "children can be found by the start of their name",
                paths(childrenNamed("/music/jazz/1959", "take")),
                List.of("/music/jazz/1959/take-five.flac"));
        check(
                "ancestors come from the top down",
                paths(ancestors("/music/jazz/1959/so-what.flac")),
                List.of("/music", "/music/jazz", "/music/jazz/1959"));
        check("a top folder has no ancestors", ancestors("/photos"), List.of());
        check("sizes add up", totalSize("/music"), 862L);
        check("for the whole tree as well", totalSize("/"), 939L);
    }

    void checkRefusals() {
        var orphan =
                checkFails(
                        "a node needs its parent",
                        TransactionCanceledException.class,
                        () -> addFile("/music/blues/lonesome.flac", 1));
        check(
                "it is the parent that is missing",
                orphan.cancellationReasons().stream().map(CancellationReason::code).toList(),
                List.of("None", "ConditionalCheckFailed"));
        checkFails(
                "a file has no children",
                TransactionCanceledException.class,
                () -> addFolder("/music/jazz/readme.txt/x"));
        checkFails(
                "a path is taken once",
                TransactionCanceledException.class,
                () -> addFolder("/music/jazz"));
        check(
                "nothing came of these",
                paths(children("/music")),
                List.of("/music/folk", "/music/jazz"));
    }
}
