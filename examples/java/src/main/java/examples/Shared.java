// SPDX-License-Identifier: Apache-2.0
package examples;

import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.auth.credentials.DefaultCredentialsProvider;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.DynamoDbException;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.QueryRequest;

/** What every example shares: clients, values, queries over all pages, and checks. */
final class Shared {
    private Shared() {}

    /** A client of its own, with its own connections. */
    static DynamoDbClient connect() {
        String endpoint = System.getenv("AWS_ENDPOINT_URL_DYNAMODB");
        return DynamoDbClient.builder()
                .region(Region.US_EAST_1)
                .endpointOverride(URI.create(endpoint != null ? endpoint : "http://127.0.0.1:8000"))
                .credentialsProvider(credentials())
                .httpClient(UrlConnectionHttpClient.create())
                .build();
    }

    /** The SDK signs every request, so it needs credentials even where nobody checks them. */
    private static AwsCredentialsProvider credentials() {
        return System.getenv("AWS_ACCESS_KEY_ID") != null
                ? DefaultCredentialsProvider.builder().build()
                : StaticCredentialsProvider.create(AwsBasicCredentials.create("local", "local"));
    }

    /** attributes("PK", "S", "at", "N"): the attribute definitions of a table. */
    static List<AttributeDefinition> attributes(String... namesAndTypes) {
        var definitions = new ArrayList<AttributeDefinition>();
        for (int n = 0; n < namesAndTypes.length; n += 2) {
            definitions.add(
                    AttributeDefinition.builder()
                            .attributeName(namesAndTypes[n])
                            .attributeType(namesAndTypes[n + 1])
                            .build());
        }
        return definitions;
    }

    /** key("PK", "SK"): the key schema of a table or an index; the sort key is optional. */
    static List<KeySchemaElement> key(String... names) {
        var schema = new ArrayList<KeySchemaElement>();
        for (String name : names) {
            KeyType type = schema.isEmpty() ? KeyType.HASH : KeyType.RANGE;
            schema.add(KeySchemaElement.builder().attributeName(name).keyType(type).build());
        }
        return schema;
    }

    /** item("id", "lamp", "stock", 10): an item, a key, or the values of an expression. */
    static Map<String, AttributeValue> item(Object... namesAndValues) {
        var item = new LinkedHashMap<String, AttributeValue>();
        for (int n = 0; n < namesAndValues.length; n += 2) {
            item.put((String) namesAndValues[n], value(namesAndValues[n + 1]));
        }
        return item;
    }

    private static AttributeValue value(Object object) {
        if (object instanceof Number number) {
            return AttributeValue.fromN(number.toString());
        } else if (object instanceof byte[] bytes) {
            return AttributeValue.fromB(SdkBytes.fromByteArray(bytes));
        } else if (object instanceof List<?> list) {
            return AttributeValue.fromL(list.stream().map(Shared::value).toList());
        } else if (object instanceof AttributeValue known) {
            return known;
        }
        return AttributeValue.fromS((String) object);
    }

    static String text(Map<String, AttributeValue> item, String name) {
        return item.get(name).s();
    }

    static long number(Map<String, AttributeValue> item, String name) {
        return Long.parseLong(item.get(name).n());
    }

    /** A copy of an item with one attribute changed. */
    static Map<String, AttributeValue> with(
            Map<String, AttributeValue> item, String name, Object value) {
        var changed = new LinkedHashMap<>(item);
        changed.put(name, value(value));
        return changed;
    }

    /** One attribute of every item, where it is a string. */
    static List<String> texts(List<Map<String, AttributeValue>> items, String name) {
        return items.stream().map(item -> text(item, name)).toList();
    }

    /** All items of a Query, however many pages it takes. */
    static List<Map<String, AttributeValue>> queryAll(
            DynamoDbClient db, Consumer<QueryRequest.Builder> query) {
        return db.queryPaginator(query).items().stream().toList();
    }

    /** Runs work.apply(0), work.apply(1)… at the same time and returns what each returned. */
    static <T> List<T> inParallel(int count, IntFunction<T> work) {
        var threads = Executors.newFixedThreadPool(count);
        try {
            var futures = new ArrayList<Future<T>>();
            for (int n = 0; n < count; n++) {
                int number = n;
                futures.add(threads.submit(() -> work.apply(number)));
            }
            var results = new ArrayList<T>();
            for (Future<T> future : futures) {
                results.add(future.get());
            }
            return results;
        } catch (InterruptedException | ExecutionException error) {
            throw new IllegalStateException(error);
        } finally {
            threads.shutdownNow();
        }
    }

    static void sleep(long milliseconds) {
        try {
            Thread.sleep(milliseconds);
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    /** Says what holds, or stops the example saying what does not. */
    static void check(String claim, Object actual, Object expected) {
        if (!Objects.equals(actual, expected)) {
            throw new AssertionError(
                    "not so: %s%nexpected: %s%n  actual: %s".formatted(claim, expected, actual));
        }
        System.out.println("ok: " + claim);
    }

    /** Checks that a request fails with the given exception, which it returns. */
    static <E extends DynamoDbException> E checkFails(
            String claim, Class<E> expected, Runnable request) {
        try {
            request.run();
        } catch (DynamoDbException error) {
            check(claim, error.getClass(), expected);
            return expected.cast(error);
        }
        throw new AssertionError("not so: " + claim + ": no exception");
    }
}
