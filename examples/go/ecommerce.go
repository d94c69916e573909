// SPDX-License-Identifier: Apache-2.0

package main

// An online shop in a single table: users, orders, order items, products and reviews.
//
// First come the questions the shop asks, then the keys that answer each with one Query. Items
// read together share a partition; within it the sort key puts them in the order wanted.
//
//	entity      PK            SK                    GSI1PK           GSI1SK
//	user        USER#id       PROFILE               EMAIL#email      USER#id
//	order       USER#id       ORDER#date#id         STATUS#status    date#id
//	order item  ORDER#id      ITEM#product
//	product     PRODUCT#id    DETAILS               CATEGORY#name    PRICE#cents
//	review      PRODUCT#id    REVIEW#date#user
//
// GSI1 is overloaded: one index answers three kinds of question. Order items and reviews have none
// of its keys (omitempty leaves them out), so they stay out of it.

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

type shopKeys struct {
	PK, SK string
	GSI1PK string `dynamodbav:",omitempty"`
	GSI1SK string `dynamodbav:",omitempty"`
}

type shopUser struct {
	shopKeys
	ID, Name, Email string
}

type shopProduct struct {
	shopKeys
	ID           string
	Cents, Stock int
}

type shopReview struct {
	shopKeys
	Stars int
}

type shopOrder struct {
	shopKeys
	ID, Status string
	Cents      int
}

type shopLine struct {
	shopKeys
	Product         string
	Quantity, Cents int
}

func newUser(id, name, email string) shopUser {
	keys := shopKeys{"USER#" + id, "PROFILE", "EMAIL#" + email, "USER#" + id}
	return shopUser{keys, id, name, email}
}

// priceKey has leading zeros: strings sort by their bytes.
func priceKey(cents int) string { return fmt.Sprintf("PRICE#%08d", cents) }

func newProduct(id, category string, cents, stock int) shopProduct {
	keys := shopKeys{"PRODUCT#" + id, "DETAILS", "CATEGORY#" + category, priceKey(cents)}
	return shopProduct{keys, id, cents, stock}
}

func newReview(product, user, date string, stars int) shopReview {
	return shopReview{shopKeys{PK: "PRODUCT#" + product, SK: "REVIEW#" + date + "#" + user}, stars}
}

func newOrder(id, user, date string, lines []shopLine) shopOrder {
	cents := 0
	for _, line := range lines {
		cents += line.Cents * line.Quantity
	}
	keys := shopKeys{"USER#" + user, "ORDER#" + date + "#" + id, "STATUS#placed", date + "#" + id}
	return shopOrder{keys, id, "placed", cents}
}

type shop struct {
	db    *dynamodb.Client
	table string
}

// ---- the questions

func (s shop) query(index, condition string, of values) *dynamodb.QueryInput {
	query := &dynamodb.QueryInput{
		TableName:                 &s.table,
		KeyConditionExpression:    &condition,
		ExpressionAttributeValues: marshal(of),
	}
	if index != "" {
		query.IndexName = &index
	}
	return query
}

func (s shop) usersByEmail(ctx context.Context, email string) ([]shopUser, error) {
	query := s.query("GSI1", "GSI1PK = :email", values{":email": "EMAIL#" + email})
	return queryAll[shopUser](ctx, s.db, query)
}

func (s shop) ordersWithStatus(ctx context.Context, status string) ([]shopOrder, error) {
	query := s.query("GSI1", "GSI1PK = :status", values{":status": "STATUS#" + status})
	return queryAll[shopOrder](ctx, s.db, query)
}

func (s shop) productsInCategory(
	ctx context.Context, category string, centsMax int,
) ([]shopProduct, error) {
	query := s.query("GSI1", "GSI1PK = :category AND GSI1SK <= :price",
		values{":category": "CATEGORY#" + category, ":price": priceKey(centsMax)})
	return queryAll[shopProduct](ctx, s.db, query)
}

// ordersNewestFirst returns one page of a user's orders, and where the next page starts.
func (s shop) ordersNewestFirst(
	ctx context.Context, user string, limit int32, start item,
) ([]shopOrder, item, error) {
	query := s.query("", "PK = :user AND begins_with(SK, :order)",
		values{":user": "USER#" + user, ":order": "ORDER#"})
	query.ScanIndexForward, query.Limit, query.ExclusiveStartKey = aws.Bool(false), &limit, start
	page, err := s.db.Query(ctx, query)
	if err != nil {
		return nil, nil, err
	}
	orders, err := unmarshal[shopOrder](page.Items)
	return orders, page.LastEvaluatedKey, err
}

func (s shop) ordersBetween(ctx context.Context, user, from, to string) ([]shopOrder, error) {
	query := s.query("", "PK = :user AND SK BETWEEN :from AND :to",
		values{":user": "USER#" + user, ":from": "ORDER#" + from, ":to": "ORDER#" + to})
	return queryAll[shopOrder](ctx, s.db, query)
}

func (s shop) linesOfOrder(ctx context.Context, order string) ([]shopLine, error) {
	query := s.query("", "PK = :order", values{":order": "ORDER#" + order})
	return queryAll[shopLine](ctx, s.db, query)
}

// productPage is a product and its reviews in one request: the product sorts before them.
func (s shop) productPage(
	ctx context.Context, id string,
) (product shopProduct, reviews []shopReview, err error) {
	query := s.query("", "PK = :product", values{":product": "PRODUCT#" + id})
	items, err := queryItems(ctx, s.db, query)
	if err != nil || len(items) == 0 {
		return product, nil, err
	}
	if err = attributevalue.UnmarshalMap(items[0], &product); err != nil {
		return product, nil, err
	}
	reviews, err = unmarshal[shopReview](items[1:])
	return product, reviews, err
}

// ---- the changes

// placeOrder writes the order, its lines and the new stock together, or nothing at all.
func (s shop) placeOrder(ctx context.Context, id, user, date string, lines ...shopLine) error {
	actions := []types.TransactWriteItem{s.putNew(newOrder(id, user, date, lines))}
	for _, line := range lines {
		line.shopKeys = shopKeys{PK: "ORDER#" + id, SK: "ITEM#" + line.Product}
		actions = append(actions, s.putNew(line))
	}
	for _, line := range lines {
		actions = append(actions, types.TransactWriteItem{Update: &types.Update{
			TableName: &s.table,
			Key: marshal(
				values{"PK": "PRODUCT#" + line.Product, "SK": "DETAILS"}),
			UpdateExpression:          aws.String("SET Stock = Stock - :quantity"),
			ConditionExpression:       aws.String("Stock >= :quantity"),
			ExpressionAttributeValues: marshal(values{":quantity": line.Quantity}),
		}})
	}
	input := &dynamodb.TransactWriteItemsInput{TransactItems: actions}
	_, err := s.db.TransactWriteItems(ctx, input)
	return err
}

func (s shop) putNew(entity any) types.TransactWriteItem {
	return types.TransactWriteItem{Put: &types.Put{
		TableName:           &s.table,
		Item:                marshal(entity),
		ConditionExpression: aws.String("attribute_not_exists(PK)"),
	}}
}

// changeStatus changes an index key with the status: the order moves within GSI1 in the same write.
func (s shop) changeStatus(
	ctx context.Context, order shopOrder, from, to string,
) (changed shopOrder, err error) {
	answer, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName:                &s.table,
		Key:                      marshal(values{"PK": order.PK, "SK": order.SK}),
		UpdateExpression:         aws.String("SET #status = :to, GSI1PK = :key"),
		ConditionExpression:      aws.String("#status = :from"),
		ExpressionAttributeNames: map[string]string{"#status": "Status"},
		ExpressionAttributeValues: marshal(
			values{":from": from, ":to": to, ":key": "STATUS#" + to}),
		ReturnValues: types.ReturnValueAllNew,
	})
	if err != nil {
		return changed, err
	}
	return changed, attributevalue.UnmarshalMap(answer.Attributes, &changed)
}

// ---- the checks

var (
	lamp = shopLine{Product: "lamp", Quantity: 1, Cents: 3900}
	mugs = shopLine{Product: "mug", Quantity: 4, Cents: 950}
	rugs = shopLine{Product: "rug", Quantity: 2, Cents: 12900}
)

func orderID(order shopOrder) string { return order.ID }

func ecommerce(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("PK", "S", "SK", "S", "GSI1PK", "S", "GSI1SK", "S"),
		KeySchema:            key("PK", "SK"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("GSI1"),
			KeySchema:  key("GSI1PK", "GSI1SK"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
		}},
	}
	withTable(ctx, "shop", definition, func(table string) {
		s := shop{connect(ctx), table}
		s.load(ctx)
		s.checkQuestions(ctx)
		s.checkChanges(ctx)
	})
}

func (s shop) load(ctx context.Context) {
	must(writeAll(ctx, s.db, s.table, []item{
		marshal(newUser("ada", "Ada", "ada@example.com")),
		marshal(newUser("bob", "Bob", "bob@example.com")),
		marshal(newProduct("lamp", "home", 3900, 10)),
		marshal(newProduct("rug", "home", 12900, 2)),
		marshal(newProduct("mug", "home", 950, 100)),
		marshal(newProduct("pen", "office", 250, 500)),
		marshal(newReview("lamp", "ada", "2026-02-01", 5)),
		marshal(newReview("lamp", "bob", "2026-03-09", 3)),
	}))
	mustDo(s.placeOrder(ctx, "1001", "ada", "2026-01-15", lamp, mugs))
	mustDo(s.placeOrder(ctx, "1002", "bob", "2026-02-20", rugs))
	mustDo(s.placeOrder(ctx, "1003", "ada", "2026-03-02", mugs))
	mustDo(s.placeOrder(ctx, "1004", "ada", "2026-03-28", lamp))
}

func (s shop) checkQuestions(ctx context.Context) {
	users := must(s.usersByEmail(ctx, "bob@example.com"))
	check("an e-mail address finds its user", users[0].Name, "Bob")
	check("an unknown address finds nobody", len(must(s.usersByEmail(ctx, "eve@example.com"))), 0)

	orders, next, err := s.ordersNewestFirst(ctx, "ada", 2, nil)
	mustDo(err)
	check("orders come newest first", pluck(orders, orderID), []string{"1004", "1003"})
	orders, next, err = s.ordersNewestFirst(ctx, "ada", 2, next)
	mustDo(err)
	check("the next page goes on where the first ended", pluck(orders, orderID), []string{"1001"})
	check("the last page has no next one", len(next), 0)
	march := must(s.ordersBetween(ctx, "ada", "2026-03", "2026-04"))
	check("orders of March", pluck(march, orderID), []string{"1003", "1004"})

	lines := must(s.linesOfOrder(ctx, "1001"))
	products := pluck(lines, func(line shopLine) string { return line.Product })
	check("an order has its items", products, []string{"lamp", "mug"})
	product, reviews, err := s.productPage(ctx, "lamp")
	mustDo(err)
	check("orders took from the stock", product.Stock, 8)
	stars := pluck(reviews, func(review shopReview) int { return review.Stars })
	check("reviews come with their product", stars, []int{5, 3})
	cheap := must(s.productsInCategory(ctx, "home", 5000))
	ids := pluck(cheap, func(product shopProduct) string { return product.ID })
	check("a category is sorted by price", ids, []string{"mug", "lamp"})
}

func (s shop) checkChanges(ctx context.Context) {
	placed := must(s.ordersWithStatus(ctx, "placed"))
	check("four orders are placed",
		pluck(placed, orderID), []string{"1001", "1002", "1003", "1004"})
	shipped := must(s.changeStatus(ctx, placed[0], "placed", "shipped"))
	check("a shipped order keeps its total", shipped.Cents, 7700)
	placed = must(s.ordersWithStatus(ctx, "placed"))
	check("it has left the placed ones", pluck(placed, orderID), []string{"1002", "1003", "1004"})
	check("it is among the shipped ones",
		must(s.ordersWithStatus(ctx, "shipped")), []shopOrder{shipped})
	_, err := s.changeStatus(ctx, shipped, "placed", "shipped")
	checkFails[*types.ConditionalCheckFailedException]("an order is shipped once", err)

	err = s.placeOrder(ctx, "1005", "bob", "2026-04-01", mugs, rugs)
	check("what is out of stock cannot be ordered; the rug is the last of the five actions",
		cancellationCodes(err), []string{"None", "None", "None", "None", "ConditionalCheckFailed"})
	check("nothing of the refused order was written", len(must(s.linesOfOrder(ctx, "1005"))), 0)
	mug, _, err := s.productPage(ctx, "mug")
	mustDo(err)
	check("not even the mugs were taken", mug.Stock, 92)
}
