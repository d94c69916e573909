// SPDX-License-Identifier: Apache-2.0

package main

// A sparse index: of many orders it holds only the few that somebody must look at.
//
// An item without the index's key attributes is not in the index. So "needs attention" is an
// attribute that most orders do not have: to set it puts an order on the list, to remove it takes
// the order off. Reading the list costs what the list weighs, not what the table weighs.

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type orderToCheck struct {
	OrderID, Customer string
	Total             int
	Notes             string `dynamodbav:",omitempty"`
	Flag              string `dynamodbav:",omitempty"`
	FlaggedAt         string `dynamodbav:",omitempty"`
}

type backOffice struct {
	db    *dynamodb.Client
	table string
}

func orderName(number int) string { return fmt.Sprintf("order-%04d", number) }

func orderKey(number int) item { return marshal(values{"OrderID": orderName(number)}) }

func (o backOffice) flag(ctx context.Context, number int, flag, at string) error {
	_, err := o.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                 &o.table,
		Key:                       orderKey(number),
		UpdateExpression:          aws.String("SET Flag = :flag, FlaggedAt = :at"),
		ConditionExpression:       aws.String("attribute_exists(OrderID)"),
		ExpressionAttributeValues: marshal(values{":flag": flag, ":at": at}),
	})
	return err
}

func (o backOffice) clearFlag(ctx context.Context, number int) error {
	_, err := o.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:        &o.table,
		Key:              orderKey(number),
		UpdateExpression: aws.String("REMOVE Flag, FlaggedAt"),
	})
	return err
}

func (o backOffice) flagged(
	ctx context.Context, flag string,
) ([]orderToCheck, *dynamodb.QueryOutput, error) {
	answer, err := o.db.Query(ctx, &dynamodb.QueryInput{
		TableName:                 &o.table,
		IndexName:                 aws.String("Flagged"),
		KeyConditionExpression:    aws.String("Flag = :flag"),
		ExpressionAttributeValues: marshal(values{":flag": flag}),
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, nil, err
	}
	orders, err := unmarshal[orderToCheck](answer.Items)
	return orders, answer, err
}

func flaggedOrders(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("OrderID", "S", "Flag", "S", "FlaggedAt", "S"),
		KeySchema:            key("OrderID"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName: aws.String("Flagged"),
			KeySchema: key("Flag", "FlaggedAt"),
			// The list shows the customer and the total; the rest stays in the table.
			Projection: &types.Projection{
				ProjectionType:   types.ProjectionTypeInclude,
				NonKeyAttributes: []string{"Customer", "Total"},
			},
		}},
	}
	orders := make([]item, 200)
	for n := range orders {
		orders[n] = marshal(orderToCheck{
			OrderID:  orderName(n),
			Customer: fmt.Sprint("customer-", n%17),
			Total:    100 + n,
			Notes:    strings.Repeat("Leave it with the neighbours. ", 10),
		})
	}
	withTable(ctx, "flagged-orders", definition, func(table string) {
		office := backOffice{connect(ctx), table}
		must(writeAll(ctx, office.db, table, orders))
		office.checkList(ctx)
		office.compareWithScan(ctx, len(orders))
	})
}

// numbersWith lists the flagged orders in the index's order.
func (o backOffice) numbersWith(ctx context.Context, flag string) []string {
	orders, _, err := o.flagged(ctx, flag)
	mustDo(err)
	return pluck(orders, func(order orderToCheck) string { return order.OrderID })
}

func (o backOffice) checkList(ctx context.Context) {
	check("no order is flagged at first", o.numbersWith(ctx, "fraud"), []string{})
	mustDo(o.flag(ctx, 150, "fraud", "2026-05-02T10:00:00Z"))
	mustDo(o.flag(ctx, 7, "address", "2026-05-02T11:00:00Z"))
	mustDo(o.flag(ctx, 42, "fraud", "2026-05-01T08:00:00Z"))
	mustDo(o.flag(ctx, 99, "fraud", "2026-05-03T09:30:00Z"))

	check("the longest waiting comes first", o.numbersWith(ctx, "fraud"),
		[]string{orderName(42), orderName(150), orderName(99)})
	frauds, _, err := o.flagged(ctx, "fraud")
	mustDo(err)
	check("the index has what was projected, and no notes", frauds[0], orderToCheck{
		OrderID: orderName(42), Customer: "customer-8", Total: 142,
		Flag: "fraud", FlaggedAt: "2026-05-01T08:00:00Z",
	})
	mustDo(o.clearFlag(ctx, 150))
	check("a cleared order leaves the list", o.numbersWith(ctx, "fraud"),
		[]string{orderName(42), orderName(99)})
	mustDo(o.flag(ctx, 42, "address", "2026-05-04T12:00:00Z"))
	check("a changed flag moves it", o.numbersWith(ctx, "address"),
		[]string{orderName(7), orderName(42)})
}

// compareWithScan finds the same orders the other way, shown for its price: read all, keep two.
func (o backOffice) compareWithScan(ctx context.Context, count int) {
	scan := must(o.db.Scan(ctx, &dynamodb.ScanInput{
		TableName:                 &o.table,
		FilterExpression:          aws.String("Flag = :flag"),
		ExpressionAttributeValues: marshal(values{":flag": "address"}),
		ReturnConsumedCapacity:    types.ReturnConsumedCapacityTotal,
	}))
	orders := must(unmarshal[orderToCheck](scan.Items))
	found := pluck(orders, func(order orderToCheck) string { return order.OrderID })
	slices.Sort(found)
	check("a scan finds the same", found, o.numbersWith(ctx, "address"))
	_, query, err := o.flagged(ctx, "address")
	mustDo(err)
	check("having read the whole table", []int32{scan.ScannedCount, query.ScannedCount},
		[]int32{int32(count), 2})
	check("the index costs half a unit", *query.ConsumedCapacity.CapacityUnits, 0.5)
	check("the scan costs over ten times that", *scan.ConsumedCapacity.CapacityUnits > 5, true)
}
