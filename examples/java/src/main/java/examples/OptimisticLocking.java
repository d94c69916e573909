// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.checkFails;
import static examples.Shared.connect;
import static examples.Shared.inParallel;
import static examples.Shared.item;
import static examples.Shared.key;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;

/**
 * Optimistic locking: many editors change one document, and nobody's change is lost.
 *
 * <p>Nobody holds a lock. Every document carries a version; a save says which version it started
 * from, as a condition. If somebody else was faster the save fails, and the editor starts over from
 * the new version.
 */
final class OptimisticLocking {
    private static final int EDITORS = 8;
    private static final int EDITS = 10;
    private static final int ATTEMPTS_MAX = 1000;

    record Document(String id, int version, List<String> lines) {
        static Document of(Map<String, AttributeValue> item) {
            return new Document(
                    item.get("id").s(),
                    Integer.parseInt(item.get("version").n()),
                    item.get("lines").l().stream().map(AttributeValue::s).toList());
        }

        Document withLine(String line) {
            var longer = new ArrayList<>(lines);
            longer.add(line);
            return new Document(id, version, longer);
        }
    }

    private final DynamoDbClient db;
    private final String table;

    private OptimisticLocking(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("id", "S")).keySchema(key("id"));
    }

    /** The read must be consistent: an old copy would only lead to a save that fails. */
    Document read(String id) {
        return Document.of(
                db.getItem(get -> get.tableName(table).key(item("id", id)).consistentRead(true))
                        .item());
    }

    /** Replaces the document if it is still the version that was read. */
    void save(Document document) {
        db.putItem(
                put ->
                        put.tableName(table)
                                .item(
                                        item(
                                                "id", document.id,
                                                "version", document.version + 1,
                                                "lines", document.lines))
                                .conditionExpression("#version = :read")
                                .expressionAttributeNames(Map.of("#version", "version"))
                                .expressionAttributeValues(item(":read", document.version)));
    }

    /** True when the save succeeded, false when somebody else was faster. */
    boolean trySave(Document document) {
        try {
            save(document);
            return true;
        } catch (ConditionalCheckFailedException tooLate) {
            return false;
        }
    }

    /** Read, change, save, until the save succeeds. Returns how often somebody else was faster. */
    int addLine(String id, String line) {
        for (int conflicts = 0; conflicts < ATTEMPTS_MAX; conflicts++) {
            if (trySave(read(id).withLine(line))) {
                return conflicts;
            }
        }
        throw new IllegalStateException("the document never came to rest");
    }

    int addAllLines(int editor) {
        return linesOf(editor).stream().mapToInt(line -> addLine("minutes", line)).sum();
    }

    static List<String> linesOf(int editor) {
        return IntStream.range(0, EDITS).mapToObj(n -> editor + ": line " + n).toList();
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "documents", OptimisticLocking::define)) {
            db.putItem(
                    put ->
                            put.tableName(table.name())
                                    .item(item("id", "minutes", "version", 1, "lines", List.of())));
            var desk = new OptimisticLocking(db, table.name());
            desk.openTogether();
            desk.editTogether();
            checkFails(
                    "a document that does not exist has no version to start from",
                    ConditionalCheckFailedException.class,
                    () -> desk.save(new Document("nowhere", 1, List.of())));
        }
    }

    /** All start from the same version: the second to arrive must already fail. */
    void openTogether() {
        var copy = read("minutes");
        var saved = inParallel(EDITORS, editor -> trySave(copy.withLine("opening by " + editor)));
        check(
                "of editors with the same version one saves",
                saved.stream().filter(success -> success).count(),
                1L);
        check("the document moved on by one version", read("minutes").version, 2);
    }

    /** Everybody edits as fast as they can. */
    void editTogether() {
        int conflicts = inParallel(EDITORS, this::addAllLines).stream().mapToInt(n -> n).sum();
        System.out.printf("%d edits, %d conflicts%n", EDITORS * EDITS, conflicts);

        var document = read("minutes");
        var lines = document.lines;
        check("every edit is one version", document.version, 2 + EDITORS * EDITS);
        check("no line is lost", lines.size(), 1 + EDITORS * EDITS);
        check("and none is there twice", new HashSet<>(lines).size(), lines.size());
        for (int editor = 0; editor < EDITORS; editor++) {
            String start = editor + ": ";
            check(
                    "the lines of editor " + editor + " are in the order written",
                    lines.stream().filter(line -> line.startsWith(start)).toList(),
                    linesOf(editor));
        }
    }
}
