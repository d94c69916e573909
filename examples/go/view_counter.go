// SPDX-License-Identifier: Apache-2.0

package main

// A view counter that many visitors increment at once: the count is spread over shards.
//
//	PK Page    SK Shard (shard#n)    Views
//
// ADD increments in the server, so no increment is lost. But one item is one place on one
// partition: a popular page needs several, and its count is their sum. A page's shards share a
// partition key here to keep the reading to one Query; for more writes than one partition takes,
// put the shard's number into the partition key, as time_series.go does.

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	counterShards = 10
	visitors      = 16
	viewsEach     = 25
)

type counterShard struct {
	Page, Shard string
	Views       int
}

type counter struct {
	db    *dynamodb.Client
	table string
}

// countView counts one view and returns the shard's new count. ADD creates the shard if need be.
func (c counter) countView(ctx context.Context, page string) (int, error) {
	shard := fmt.Sprint("shard#", rand.IntN(counterShards))
	answer, err := c.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &c.table,
		Key:                       marshal(values{"Page": page, "Shard": shard}),
		UpdateExpression:          aws.String("ADD #views :one"),
		ExpressionAttributeNames:  map[string]string{"#views": "Views"},
		ExpressionAttributeValues: marshal(values{":one": 1}),
		ReturnValues:              types.ReturnValueUpdatedNew,
	})
	if err != nil {
		return 0, err
	}
	var updated counterShard
	return updated.Views, attributevalue.UnmarshalMap(answer.Attributes, &updated)
}

// shardsOf returns the count of each shard that has one.
func (c counter) shardsOf(ctx context.Context, page string) ([]int, error) {
	shards, err := queryAll[counterShard](ctx, c.db, &dynamodb.QueryInput{
		TableName:                 &c.table,
		KeyConditionExpression:    aws.String("#page = :page"),
		ExpressionAttributeNames:  map[string]string{"#page": "Page"},
		ExpressionAttributeValues: marshal(values{":page": page}),
		ConsistentRead:            aws.Bool(true),
	})
	return pluck(shards, func(shard counterShard) int { return shard.Views }), err
}

func viewCounter(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("Page", "S", "Shard", "S"),
		KeySchema:            key("Page", "Shard"),
	}
	withTable(ctx, "views", definition, func(table string) {
		c := counter{connect(ctx), table}
		check("a page nobody saw has no views", sum(must(c.shardsOf(ctx, "/about"))), 0)
		check("the first view is number one", must(c.countView(ctx, "/about")), 1)

		must(inParallel(visitors, func(int) (int, error) {
			visitor := counter{connect(ctx), table}
			for range viewsEach {
				if _, err := visitor.countView(ctx, "/"); err != nil {
					return 0, err
				}
			}
			return viewsEach, nil
		}))
		shards := must(c.shardsOf(ctx, "/"))
		fmt.Println("views a shard:", shards)
		check("no view is lost", sum(shards), visitors*viewsEach)
		check("the views are spread over the shards", len(shards), counterShards)
		check("other pages are counted apart", sum(must(c.shardsOf(ctx, "/about"))), 1)
	})
}
