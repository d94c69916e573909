// SPDX-License-Identifier: Apache-2.0

package main

// Transfers between accounts: money moves in transactions, raced by many clients, and is conserved.
//
// A transfer is three writes that happen together or not at all: the record that it happened, the
// debit, and the credit. The record lies with the account that paid:
//
//	account   PK ACCOUNT#name   SK BALANCE          Balance
//	transfer  PK ACCOUNT#name   SK TRANSFER#id      To, Amount
//
// The record's key makes a transfer happen once: a second try with the same id finds it there. The
// request token does the same for ten minutes, and answers the retry with success.

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	openingBalance      = 100
	transferClients     = 12
	transfersEach       = 10
	transferAttemptsMax = 100
)

var accounts = []string{"ann", "ben", "cem", "dee", "eli", "fay"}

type transfer struct {
	ID, From, To string
	Amount       int
}

func newTransfer(from, to string, amount int) transfer {
	return transfer{cryptorand.Text(), from, to, amount}
}

type bank struct {
	db    *dynamodb.Client
	table string
}

func balanceKey(account string) values {
	return values{"PK": "ACCOUNT#" + account, "SK": "BALANCE"}
}

func (b bank) transfer(ctx context.Context, order transfer, token string) error {
	record := values{
		"PK": "ACCOUNT#" + order.From, "SK": "TRANSFER#" + order.ID,
		"To": order.To, "Amount": order.Amount,
	}
	_, err := b.db.TransactWriteItems(ctx, &dynamodb.TransactWriteItemsInput{
		ClientRequestToken: &token,
		TransactItems: []types.TransactWriteItem{
			{Put: &types.Put{
				TableName:           &b.table,
				Item:                marshal(record),
				ConditionExpression: aws.String("attribute_not_exists(PK)"),
			}},
			b.change(order.From, order.Amount,
				"SET Balance = Balance - :amount", "Balance >= :amount"),
			b.change(order.To, order.Amount,
				"SET Balance = Balance + :amount", "attribute_exists(PK)"),
		},
	})
	return err
}

func (b bank) change(
	account string, amount int, update, condition string,
) types.TransactWriteItem {
	return types.TransactWriteItem{Update: &types.Update{
		TableName:                 &b.table,
		Key:                       marshal(balanceKey(account)),
		UpdateExpression:          &update,
		ConditionExpression:       &condition,
		ExpressionAttributeValues: marshal(values{":amount": amount}),
	}}
}

// transferOrRefuse returns 1 when the money moved and 0 when there was not enough of it. It tries
// again when another transaction was in the way.
func (b bank) transferOrRefuse(ctx context.Context, order transfer) (int, error) {
	for attempt := range transferAttemptsMax {
		err := b.transfer(ctx, order, order.ID)
		if err == nil {
			return 1, nil
		}
		codes := cancellationCodes(err)
		if codes != nil && codes[1] == "ConditionalCheckFailed" {
			return 0, nil
		}
		if !slices.Contains(codes, "TransactionConflict") {
			return 0, err
		}
		time.Sleep(rand.N(time.Duration(attempt+1) * 5 * time.Millisecond))
	}
	return 0, errors.New("a transfer never got its turn")
}

func (b bank) balanceOf(ctx context.Context, account string) (int, error) {
	answer, err := b.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &b.table,
		Key:            marshal(balanceKey(account)),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return 0, err
	}
	var balance int
	return balance, attributevalue.Unmarshal(answer.Item["Balance"], &balance)
}

func (b bank) transfersOf(ctx context.Context, account string) ([]transfer, error) {
	return queryAll[transfer](ctx, b.db, &dynamodb.QueryInput{
		TableName:              &b.table,
		KeyConditionExpression: aws.String("PK = :account AND begins_with(SK, :start)"),
		ExpressionAttributeValues: marshal(
			values{":account": "ACCOUNT#" + account, ":start": "TRANSFER#"}),
		ConsistentRead: aws.Bool(true),
	})
}

func fundsTransfer(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("PK", "S", "SK", "S"),
		KeySchema:            key("PK", "SK"),
	}
	withTable(ctx, "bank", definition, func(table string) {
		b := bank{connect(ctx), table}
		for _, account := range accounts {
			opened := balanceKey(account)
			opened["Balance"] = openingBalance
			input := &dynamodb.PutItemInput{TableName: &table, Item: marshal(opened)}
			must(b.db.PutItem(ctx, input))
		}
		b.checkOneTransfer(ctx)
		b.checkRace(ctx)
	})
}

func (b bank) checkOneTransfer(ctx context.Context) {
	order := newTransfer("ann", "ben", 30)
	mustDo(b.transfer(ctx, order, order.ID))
	check("money has left", must(b.balanceOf(ctx, "ann")), 70)
	check("and has arrived", must(b.balanceOf(ctx, "ben")), 130)
	mustDo(b.transfer(ctx, order, order.ID))
	check("the same request again succeeds and moves nothing", must(b.balanceOf(ctx, "ann")), 70)
	other := order
	other.Amount++
	checkFails[*types.IdempotentParameterMismatchException](
		"another request under the same token is a mistake", b.transfer(ctx, other, order.ID))
	check("without the token it is the record that stops the second transfer",
		cancellationCodes(b.transfer(ctx, order, cryptorand.Text())),
		[]string{"ConditionalCheckFailed", "None", "None"})
	rich := newTransfer("ann", "ben", 1000)
	check("nobody pays what they do not have", must(b.transferOrRefuse(ctx, rich)), 0)
	check("a refused transfer leaves no record", len(must(b.transfersOf(ctx, "ann"))), 1)
}

// race makes one client's transfers: who pays whom follows from the numbers, the timing does not.
func (b bank) race(ctx context.Context, client int) (int, error) {
	moved := 0
	for step := range transfersEach {
		from := (client + step) % len(accounts)
		to := (from + 1 + client*step%(len(accounts)-1)) % len(accounts)
		order := newTransfer(accounts[from], accounts[to], 5+(client*31+step*17)%60)
		count, err := b.transferOrRefuse(ctx, order)
		if err != nil {
			return moved, err
		}
		moved += count
	}
	return moved, nil
}

func (b bank) checkRace(ctx context.Context) {
	moved := must(inParallel(transferClients, func(client int) (int, error) {
		return bank{connect(ctx), b.table}.race(ctx, client)
	}))
	fmt.Printf("%d transfers tried by %d clients, %d made\n",
		transferClients*transfersEach, transferClients, sum(moved))

	// Work out every balance from the records alone, and compare.
	expected, balances := map[string]int{}, map[string]int{}
	records, total, lowest := 0, 0, openingBalance
	for _, account := range accounts {
		expected[account] += openingBalance
		for _, record := range must(b.transfersOf(ctx, account)) {
			expected[account] -= record.Amount
			expected[record.To] += record.Amount
			records++
		}
		balances[account] = must(b.balanceOf(ctx, account))
		total += balances[account]
		lowest = min(lowest, balances[account])
	}
	check("every transfer made has its record, and no other", records, sum(moved)+1)
	check("balances are what the records say", balances, expected)
	check("money is conserved", total, openingBalance*len(accounts))
	check("no account is overdrawn", lowest >= 0, true)
}
