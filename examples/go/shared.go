// SPDX-License-Identifier: Apache-2.0

package main

// What every example shares: clients, a table that lives as long as the example, and checks.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is what DynamoDB stores; values is what a program writes down for one: an item, a key, or
// the values of an expression.
type (
	item   = map[string]types.AttributeValue
	values = map[string]any
)

// connect returns a client of its own, with its own connections.
func connect(ctx context.Context) *dynamodb.Client {
	options := []func(*config.LoadOptions) error{config.WithRegion("us-east-1")}
	if os.Getenv("AWS_ACCESS_KEY_ID") == "" {
		// The SDK signs every request, so it needs credentials even where nobody checks them.
		local := credentials.NewStaticCredentialsProvider("local", "local", "")
		options = append(options, config.WithCredentialsProvider(local))
	}
	configuration := must(config.LoadDefaultConfig(ctx, options...))
	return dynamodb.NewFromConfig(configuration, func(options *dynamodb.Options) {
		endpoint := os.Getenv("AWS_ENDPOINT_URL_DYNAMODB")
		if endpoint == "" {
			endpoint = "http://127.0.0.1:8000"
		}
		options.BaseEndpoint = aws.String(endpoint)
	})
}

// attributes("PK", "S", "at", "N") are the attribute definitions of a table.
func attributes(namesAndTypes ...string) []types.AttributeDefinition {
	var definitions []types.AttributeDefinition
	for n := 0; n < len(namesAndTypes); n += 2 {
		definitions = append(definitions, types.AttributeDefinition{
			AttributeName: aws.String(namesAndTypes[n]),
			AttributeType: types.ScalarAttributeType(namesAndTypes[n+1]),
		})
	}
	return definitions
}

// key("PK", "SK") is the key schema of a table or an index; the sort key is optional.
func key(names ...string) []types.KeySchemaElement {
	var schema []types.KeySchemaElement
	for n, name := range names {
		kind := []types.KeyType{types.KeyTypeHash, types.KeyTypeRange}[n]
		element := types.KeySchemaElement{AttributeName: aws.String(name), KeyType: kind}
		schema = append(schema, element)
	}
	return schema
}

// withTable creates a table, runs use with its name when it is ACTIVE, and deletes it whatever
// happens. The name ends in random characters, so that examples may run side by side.
func withTable(
	ctx context.Context, prefix string, definition dynamodb.CreateTableInput,
	use func(table string),
) {
	db := connect(ctx)
	table := prefix + "-" + rand.Text()[:8]
	definition.TableName = &table
	definition.BillingMode = types.BillingModePayPerRequest
	must(db.CreateTable(ctx, &definition))
	described := &dynamodb.DescribeTableInput{TableName: &table}
	defer func() {
		must(db.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: &table}))
		waiter := dynamodb.NewTableNotExistsWaiter(db,
			func(options *dynamodb.TableNotExistsWaiterOptions) {
				options.MinDelay, options.MaxDelay = 100*time.Millisecond, time.Second
			})
		mustDo(waiter.Wait(ctx, described, time.Minute))
	}()
	waiter := dynamodb.NewTableExistsWaiter(db, func(options *dynamodb.TableExistsWaiterOptions) {
		options.MinDelay, options.MaxDelay = 100*time.Millisecond, time.Second
	})
	mustDo(waiter.Wait(ctx, described, time.Minute))
	use(table)
}

// marshal turns a struct or values into an item. It fails only for types that no item can hold.
func marshal(value any) item {
	return must(attributevalue.MarshalMap(value))
}

// unmarshal turns items into structs.
func unmarshal[T any](items []item) ([]T, error) {
	list := []T{}
	err := attributevalue.UnmarshalListOfMaps(items, &list)
	return list, err
}

// queryItems returns all items of a Query, however many pages it takes.
func queryItems(
	ctx context.Context, db *dynamodb.Client, query *dynamodb.QueryInput,
) ([]item, error) {
	items := []item{}
	for pages := dynamodb.NewQueryPaginator(db, query); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		items = append(items, page.Items...)
	}
	return items, nil
}

// queryAll returns them as structs.
func queryAll[T any](
	ctx context.Context, db *dynamodb.Client, query *dynamodb.QueryInput,
) ([]T, error) {
	items, err := queryItems(ctx, db, query)
	if err != nil {
		return nil, err
	}
	return unmarshal[T](items)
}

// inParallel runs work(0), work(1)… at the same time and returns what each returned.
func inParallel[T any](count int, work func(number int) (T, error)) ([]T, error) {
	results, errs := make([]T, count), make([]error, count)
	var group sync.WaitGroup
	for n := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			results[n], errs[n] = work(n)
		}()
	}
	group.Wait()
	return results, errors.Join(errs...)
}

func isError[E error](err error) bool {
	var wanted E
	return errors.As(err, &wanted)
}

// cancellationCodes lists why each action of a transaction failed; nil if err is another error.
func cancellationCodes(err error) []string {
	var canceled *types.TransactionCanceledException
	if !errors.As(err, &canceled) {
		return nil
	}
	var codes []string
	for _, reason := range canceled.CancellationReasons {
		codes = append(codes, aws.ToString(reason.Code))
	}
	return codes
}

func pluck[T, U any](list []T, of func(T) U) []U {
	plucked := make([]U, len(list))
	for n, each := range list {
		plucked[n] = of(each)
	}
	return plucked
}

// failure is what an example panics with when something does not hold.
type failure string

func fail(format string, arguments ...any) {
	panic(failure(fmt.Sprintf(format, arguments...)))
}

// check says what holds, or stops the example saying what does not.
func check(claim string, actual, expected any) {
	if !reflect.DeepEqual(actual, expected) {
		fail("not so: %s\nexpected: %+v\n  actual: %+v", claim, expected, actual)
	}
	fmt.Println("ok:", claim)
}

// checkFails checks that err is an error of type E.
func checkFails[E error](claim string, err error) {
	if !isError[E](err) {
		fail("not so: %s\nexpected: %T\n  actual: %v", claim, *new(E), err)
	}
	fmt.Println("ok:", claim)
}

func must[T any](value T, err error) T {
	mustDo(err)
	return value
}

func mustDo(err error) {
	if err != nil {
		fail("%v", err)
	}
}
