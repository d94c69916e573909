// SPDX-License-Identifier: Apache-2.0
package examples;

import java.time.Duration;
import java.util.UUID;
import java.util.function.Consumer;
import software.amazon.awssdk.retries.api.BackoffStrategy;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.waiters.DynamoDbWaiter;

/**
 * A table that is ACTIVE inside a try block and deleted after it, whatever happens. Its name ends
 * in random characters, so that examples may run side by side.
 */
record TemporaryTable(DynamoDbClient db, String name) implements AutoCloseable {
    static TemporaryTable create(
            DynamoDbClient db, String prefix, Consumer<CreateTableRequest.Builder> definition) {
        String name = prefix + "-" + UUID.randomUUID().toString().substring(0, 8);
        db.createTable(
                table ->
                        table.billingMode(BillingMode.PAY_PER_REQUEST)
                                .applyMutation(definition)
                                .tableName(name));
        try (var waiter = waiter(db)) {
            waiter.waitUntilTableExists(request -> request.tableName(name));
        }
        return new TemporaryTable(db, name);
    }

    @Override
    public void close() {
        db.deleteTable(request -> request.tableName(name));
        try (var waiter = waiter(db)) {
            waiter.waitUntilTableNotExists(request -> request.tableName(name));
        }
    }

    private static DynamoDbWaiter waiter(DynamoDbClient db) {
        var pause = BackoffStrategy.fixedDelay(Duration.ofMillis(200));
        return DynamoDbWaiter.builder()
                .client(db)
                .overrideConfiguration(waiting -> waiting.maxAttempts(300).backoffStrategyV2(pause))
                .build();
    }
}
