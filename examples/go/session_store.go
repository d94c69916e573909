// SPDX-License-Identifier: Apache-2.0

package main

// A session store for a web site: look-up by token, sliding expiry, "log me out everywhere".
//
//	table   Token                 User, ExpiresAt, Cart
//	index   ByUser: User, Token   (keys only: a list of the user's sessions)
//
// ExpiresAt is in seconds, as the table's time to live wants it. The clean-up that time to live
// does may come late, so an expired session can still be found: every use says what time it is.

import (
	"context"
	"crypto/rand"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const sessionLifetimeS = 1800

type session struct {
	Token, User string
	ExpiresAt   int64
	Cart        []string
}

type sessions struct {
	db    *dynamodb.Client
	table string
}

func tokenKey(token string) item { return marshal(values{"Token": token}) }

func (s sessions) logIn(ctx context.Context, user string, now int64) (string, error) {
	created := session{rand.Text(), user, now + sessionLifetimeS, []string{}}
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                &s.table,
		Item:                     marshal(created),
		ConditionExpression:      aws.String("attribute_not_exists(#token)"),
		ExpressionAttributeNames: map[string]string{"#token": "Token"},
	})
	return created.Token, err
}

// find returns the session, or nil if there is none or it has expired.
func (s sessions) find(ctx context.Context, token string, now int64) (*session, error) {
	answer, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            tokenKey(token),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil || answer.Item == nil {
		return nil, err
	}
	var found session
	err = attributevalue.UnmarshalMap(answer.Item, &found)
	if err != nil || found.ExpiresAt <= now {
		return nil, err
	}
	return &found, nil
}

// use extends the session, as every request does. The condition keeps an expired one expired, and
// keeps the update from creating one that was just logged out: both are nil.
func (s sessions) use(
	ctx context.Context, token string, now int64, cartItems ...string,
) (*session, error) {
	answer, err := s.db.UpdateItem(ctx, &dynamodb.UpdateItemInput{
		TableName: &s.table,
		Key:       tokenKey(token),
		UpdateExpression: aws.String(
			"SET ExpiresAt = :expires, Cart = list_append(Cart, :items)"),
		ConditionExpression: aws.String("ExpiresAt > :now"),
		ExpressionAttributeValues: marshal(values{
			":expires": now + sessionLifetimeS,
			":now":     now,
			":items":   append([]string{}, cartItems...),
		}),
		ReturnValues: types.ReturnValueAllNew,
	})
	if isError[*types.ConditionalCheckFailedException](err) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	var updated session
	return &updated, attributevalue.UnmarshalMap(answer.Attributes, &updated)
}

// logOut is true when there was a session to end.
func (s sessions) logOut(ctx context.Context, token string) (bool, error) {
	answer, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{
		TableName:    &s.table,
		Key:          tokenKey(token),
		ReturnValues: types.ReturnValueAllOld,
	})
	return err == nil && answer.Attributes != nil, err
}

// of lists a user's sessions, of which the index has the keys.
func (s sessions) of(ctx context.Context, user string) ([]item, error) {
	return queryItems(ctx, s.db, &dynamodb.QueryInput{
		TableName:                 &s.table,
		IndexName:                 aws.String("ByUser"),
		KeyConditionExpression:    aws.String("#user = :user"),
		ExpressionAttributeNames:  map[string]string{"#user": "User"},
		ExpressionAttributeValues: marshal(values{":user": user}),
	})
}

// logOutEverywhere ends all of a user's sessions. They fit into one batch here; see batch_load.go
// for more.
func (s sessions) logOutEverywhere(ctx context.Context, user string) (int, error) {
	found, err := s.of(ctx, user)
	if err != nil {
		return 0, err
	}
	deletes := pluck(found, func(found item) types.WriteRequest {
		key := item{"Token": found["Token"]}
		return types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}}
	})
	_, err = s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
		RequestItems: map[string][]types.WriteRequest{s.table: deletes},
	})
	return len(deletes), err
}

func sessionStore(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("Token", "S", "User", "S"),
		KeySchema:            key("Token"),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{{
			IndexName:  aws.String("ByUser"),
			KeySchema:  key("User", "Token"),
			Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
		}},
	}
	withTable(ctx, "sessions", definition, func(table string) {
		sessions{connect(ctx), table}.checkLife(ctx)
	})
}

func (s sessions) checkLife(ctx context.Context) {
	const noon = 1_780_000_000
	var nobody *session
	phone := must(s.logIn(ctx, "ada", noon))
	laptop := must(s.logIn(ctx, "ada", noon+60))
	other := must(s.logIn(ctx, "bob", noon))
	check("a token finds its session", must(s.find(ctx, phone, noon+10)).User, "ada")
	check("an invented token finds nothing", must(s.find(ctx, rand.Text(), noon)), nobody)

	used := must(s.use(ctx, phone, noon+1700, "lamp"))
	check("use extends a session", used.ExpiresAt, int64(noon+1700+sessionLifetimeS))
	check("so it outlives its first half hour",
		must(s.find(ctx, phone, noon+3000)).Cart, []string{"lamp"})
	check("an unused one does not", must(s.find(ctx, laptop, noon+3000)), nobody)
	check("an expired session cannot be extended", must(s.use(ctx, laptop, noon+3000)), nobody)

	tokens := []string{phone, laptop}
	slices.Sort(tokens)
	keys := pluck(tokens, func(token string) item {
		return marshal(values{"Token": token, "User": "ada"})
	})
	check("a user's list has the keys of their sessions", must(s.of(ctx, "ada")), keys)

	check("logging out ends a session", must(s.logOut(ctx, other)), true)
	check("only once", must(s.logOut(ctx, other)), false)
	check("use does not bring it back", must(s.use(ctx, other, noon+10)), nobody)
	check("it is gone from the list", len(must(s.of(ctx, "bob"))), 0)

	check("logging out everywhere ends both sessions", must(s.logOutEverywhere(ctx, "ada")), 2)
	check("no token is left", must(s.find(ctx, phone, noon+3000)), nobody)
	check("and no entry in the list", len(must(s.of(ctx, "ada"))), 0)
}
