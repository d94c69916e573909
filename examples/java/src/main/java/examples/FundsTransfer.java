// SPDX-License-Identifier: Apache-2.0
package examples;

import static examples.Shared.attributes;
import static examples.Shared.check;
import static examples.Shared.checkFails;
import static examples.Shared.connect;
import static examples.Shared.inParallel;
import static examples.Shared.item;
import static examples.Shared.key;
import static examples.Shared.number;
import static examples.Shared.queryAll;
import static examples.Shared.text;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.ThreadLocalRandom;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.CancellationReason;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.IdempotentParameterMismatchException;
import software.amazon.awssdk.services.dynamodb.model.TransactWriteItem;
import software.amazon.awssdk.services.dynamodb.model.TransactionCanceledException;

/**
 * Transfers between accounts: money moves in transactions, raced by many clients, and is conserved.
 *
 * <p>A transfer is three writes that happen together or not at all: the record that it happened,
 * the debit, and the credit. The record lies with the account that paid:
 *
 * <pre>
 *   account   PK ACCOUNT#name   SK BALANCE          balance
 *   transfer  PK ACCOUNT#name   SK TRANSFER#id      to, amount
 * </pre>
 *
 * <p>The record's key makes a transfer happen once: a second try with the same id finds it there.
 * The request token does the same for ten minutes, and answers the retry with success.
 */
final class FundsTransfer {
    private static final List<String> ACCOUNTS = List.of("ann", "ben", "cem", "dee", "eli", "fay");
    private static final long OPENING_BALANCE = 100;
    private static final int CLIENTS = 12;
    private static final int TRANSFERS = 10;
    private static final int ATTEMPTS_MAX = 100;

    record Transfer(String id, String from, String to, long amount) {}

    private final DynamoDbClient db;
    private final String table;

    private FundsTransfer(DynamoDbClient db, String table) {
        this.db = db;
        this.table = table;
    }

    static void define(CreateTableRequest.Builder table) {
        table.attributeDefinitions(attributes("PK", "S", "SK", "S")).keySchema(key("PK", "SK"));
    }

    static Map<String, AttributeValue> balanceKey(String account) {
        return item("PK", "ACCOUNT#" + account, "SK", "BALANCE");
    }

    void transfer(Transfer order, String token) {
        db.transactWriteItems(
                request ->
                        request.clientRequestToken(token)
                                .transactItems(
                                        putRecord(order),
                                        changeBalance(
                                                order.from,
                                                "SET balance = balance - :amount",
                                                "balance >= :amount",
                                                order.amount),
                                        changeBalance(
                                                order.to,
                                                "SET balance = balance + :amount",
                                                "attribute_exists(PK)",
                                                order.amount)));
    }

    private TransactWriteItem putRecord(Transfer order) {
        var record =
                item(
                        "PK", "ACCOUNT#" + order.from, "SK", "TRANSFER#" + order.id,
                        "to", order.to, "amount", order.amount);
        return TransactWriteItem.builder()
                .put(
                        put ->
                                put.tableName(table)
                                        .item(record)
                                        .conditionExpression("attribute_not_exists(PK)"))
                .build();
    }

    private TransactWriteItem changeBalance(
            String account, String change, String condition, long amount) {
        return TransactWriteItem.builder()
                .update(
                        update ->
                                update.tableName(table)
                                        .key(balanceKey(account))
                                        .updateExpression(change)
                                        .conditionExpression(condition)
                                        .expressionAttributeValues(item(":amount", amount)))
                .build();
    }

    static List<String> codes(TransactionCanceledException error) {
        return error.cancellationReasons().stream().map(CancellationReason::code).toList();
    }

    /**
     * True when the money moved, false when there was not enough of it. Tries again when another
     * transaction was in the way.
     */
    boolean transferOrRefuse(Transfer order) {
        for (int attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
            try {
                transfer(order, order.id);
                return true;
            } catch (TransactionCanceledException error) {
                var codes = codes(error);
                if (codes.get(1).equals("ConditionalCheckFailed")) {
                    return false;
                } else if (!codes.contains("TransactionConflict")) {
                    throw error;
                }
                Shared.sleep(ThreadLocalRandom.current().nextLong(5L * attempt));
            }
        }
        throw new IllegalStateException("transfer " + order.id + " never got its turn");
    }

    long balanceOf(String account) {
        var key = balanceKey(account);
        var response = db.getItem(get -> get.tableName(table).key(key).consistentRead(true));
        return number(response.item(), "balance");
    }

    List<Map<String, AttributeValue>> transfersOf(String account) {
        var values = item(":account", "ACCOUNT#" + account, ":start", "TRANSFER#");
        return queryAll(
                db,
                query ->
                        query.tableName(table)
                                .keyConditionExpression("PK = :account AND begins_with(SK, :start)")
                                .expressionAttributeValues(values)
                                .consistentRead(true));
    }

    public static void main(String[] arguments) {
        try (var db = connect();
                var table = TemporaryTable.create(db, "bank", FundsTransfer::define)) {
            var bank = new FundsTransfer(db, table.name());
            bank.openAccounts();
            bank.checkOneTransfer();
            bank.checkRace();
        }
    }

    void openAccounts() {
        for (String account : ACCOUNTS) {
            var opened = Shared.with(balanceKey(account), "balance", OPENING_BALANCE);
            db.putItem(put -> put.tableName(table).item(opened));
        }
    }

    void checkOneTransfer() {
        var order = new Transfer(UUID.randomUUID().toString(), "ann", "ben", 30);
        transfer(order, order.id);
        check(
                "money has moved",
                List.of(balanceOf("ann"), balanceOf("ben")),
                List.of(70L, 130L));
        transfer(order, order.id);
        check("the same request again succeeds and moves nothing", balanceOf("ann"), 70L);
        checkFails(
                "another request under the same token is a mistake",
                IdempotentParameterMismatchException.class,
                () -> transfer(new Transfer(order.id, "ann", "ben", 31), order.id));
        var again =
                checkFails(
                        "without the token it is the record that stops the second transfer",
                        TransactionCanceledException.class,
                        () -> transfer(order, UUID.randomUUID().toString()));
        check(
                "and the reasons say so",
                codes(again),
                List.of("ConditionalCheckFailed", "None", "None"));
        var rich = new Transfer(UUID.randomUUID().toString(), "ann", "ben", 1000);
        check("nobody pays what they do not have", transferOrRefuse(rich), false);
        check("a refused transfer leaves no record", transfersOf("ann").size(), 1);
    }

    /** One client's transfers: who pays whom follows from the numbers, the timing does not. */
    int raceTransfers(int client) {
        int accounts = ACCOUNTS.size();
        int moved = 0;
        for (int step = 0; step < TRANSFERS; step++) {
            int from = (client + step) % accounts;
            int to = (from + 1 + client * step % (accounts - 1)) % accounts;
            long amount = 5 + (client * 31 + step * 17) % 60;
            var order =
                    new Transfer(
                            UUID.randomUUID().toString(),
                            ACCOUNTS.get(from),
                            ACCOUNTS.get(to),
                            amount);
            moved += transferOrRefuse(order) ? 1 : 0;
        }
        return moved;
    }

    void checkRace() {
        int moved = inParallel(CLIENTS, this::raceTransfers).stream().mapToInt(n -> n).sum();
        System.out.printf(
                "%d transfers tried by %d clients, %d made%n",
                CLIENTS * TRANSFERS, CLIENTS, moved);

        // Work out every balance from the records alone, and compare.
        var expected = new TreeMap<String, Long>();
        var balances = new TreeMap<String, Long>();
        ACCOUNTS.forEach(account -> expected.put(account, OPENING_BALANCE));
        int records = 0;
        for (String account : ACCOUNTS) {
            balances.put(account, balanceOf(account));
            for (var record : transfersOf(account)) {
                expected.merge(account, -number(record, "amount"), Long::sum);
                expected.merge(text(record, "to"), number(record, "amount"), Long::sum);
                records++;
            }
        }
        check("every transfer made has its record, and no other", records, moved + 1);
        check("balances are what the records say", balances, expected);
        check(
                "money is conserved",
                balances.values().stream().mapToLong(n -> n).sum(),
                OPENING_BALANCE * ACCOUNTS.size());
        check(
                "no account is overdrawn",
                balances.values().stream().filter(balance -> balance < 0).toList(),
                List.of());
    }
}
