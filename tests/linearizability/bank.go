// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"net/http"
	"strconv"
)

// The bank: transfers between accounts, each one transaction of both accounts and an entry in a
// ledger. At every moment the total is what it was, and no balance is below zero; in the end the
// ledger explains the balances, and holds exactly the transfers that were acknowledged, and of
// those whose answer was lost any.

const (
	balanceAtFirst = 100
	bankGroup      = 1
)

// Transfer is one entry of the ledger.
type Transfer struct {
	From, To int
	Amount   int64
}

// Bank is what the clients of a bank epoch share.
type Bank struct {
	acknowledged map[string]Transfer
	refused      map[string]bool
}

func (run *Run) ledger() string { return run.table() + "-ledger" }

func (run *Run) openBank() error {
	client := run.clients[0]
	if err := client.createTable(run.ledger(), false); err != nil {
		return err
	}
	for key := range allKeys {
		item := encodeItem(key, Item{V: 0, N: balanceAtFirst, G: bankGroup})
		if err := client.must("PutItem", object{"TableName": run.table(), "Item": item}); err != nil {
			return err
		}
	}
	return nil
}

func (run *Run) playBank() *Bank {
	bank := &Bank{acknowledged: map[string]Transfer{}, refused: map[string]bool{}}
	run.each(func(client *Client, random *rand.Rand) error {
		for i := 0; i < run.Operations; i++ {
			err := run.lookAtBank(client, random)
			if random.Float64() < 0.6 {
				id := fmt.Sprintf("%s-%d-%d", run.table(), client.number, i)
				err = run.transfer(client, random, bank, id)
			}
			if err != nil {
				return err
			}
			run.progress.Add(1)
		}
		return nil
	})
	return bank
}

func (run *Run) transfer(client *Client, random *rand.Rand, bank *Bank, id string) error {
	accounts := random.Perm(keysMax)
	transfer := Transfer{accounts[0], accounts[1], 1 + random.Int63n(60)}
	count := func(key int, expression, condition string) object {
		update := object{"TableName": run.table(), "Key": object{"pk": text(keyText(key))},
			"UpdateExpression":          "SET n = n " + expression + " :x",
			"ExpressionAttributeValues": object{":x": number(transfer.Amount)}}
		if condition != "" {
			update["ConditionExpression"] = condition
		}
		return object{"Update": update}
	}
	request := Request{"TransactWriteItems", object{"TransactItems": []object{
		count(transfer.From, "-", "n >= :x"), count(transfer.To, "+", ""),
		{"Put": object{"TableName": run.ledger(), "Item": object{
			"pk": text(id), "from": number(int64(transfer.From)), "to": number(int64(transfer.To)),
			"amount": number(transfer.Amount)},
			"ConditionExpression": "attribute_not_exists(pk)"}}}}}
	hasToken := run.Disturbance != DisturbJumps && random.Float64() < 0.7
	if hasToken {
		request.Body["ClientRequestToken"] = id
	}
	answer, err := client.send(request, hasToken)
	if err != nil || run.isLost(answer) {
		return err
	}
	run.judgeTransfer(bank, id, transfer, answer)
	return nil
}

// isLost also complains of errors of the server's own, which nothing here should cause.
func (run *Run) isLost(answer Answer) bool {
	if answer.Status >= http.StatusInternalServerError {
		run.anomaly("status %d: %.300s", answer.Status, answer.Body)
	}
	return answer.IsLost
}

func (run *Run) judgeTransfer(bank *Bank, id string, transfer Transfer, answer Answer) {
	input := Input{Kind: TransactWrite, Actions: []Action{{Key: transfer.From},
		{Key: transfer.To}, {}}}
	output, err := decode(input, answer.Status, answer.Body)
	run.mutex.Lock()
	switch {
	case err == nil && output.Code == Success:
		bank.acknowledged[id] = transfer
	case err == nil:
		bank.refused[id] = true
	}
	run.mutex.Unlock()
	switch {
	case err != nil:
		run.anomaly("transfer %s: %v", id, err)
	case output.Code == Canceled && (output.Reasons[0] != ConditionFailed ||
		output.Reasons[1] != "None" || output.Reasons[2] != "None"):
		// With the ledger's as the reason, the transfer would have been made twice.
		run.anomaly("transfer %s was canceled for %v", id, output.Reasons)
	}
}

// lookAtBank reads all accounts at one moment, in one of the ways there are.
func (run *Run) lookAtBank(client *Client, random *rand.Rand) error {
	input := readersOfAll(random)
	items, isThere, err := run.readAll(client, input)
	if err != nil || !isThere {
		return err
	}
	total := int64(0)
	for key, item := range items {
		total += item.N
		if item.N == absent || item.N < 0 {
			run.anomaly("%s %s: account %d holds %s", input.Kind, input.Form, key,
				describeItem(item))
		}
	}
	if total != keysMax*balanceAtFirst {
		run.anomaly("%s %s: the total is %d: %s", input.Kind, input.Form, total,
			describeItems(items))
	}
	return nil
}

// readersOfAll draws a read that shows all keys at one moment.
func readersOfAll(random *rand.Rand) Input {
	switch random.Intn(5) {
	case 0:
		return Input{Kind: ReadAll, Form: FormScan}
	case 1:
		return Input{Kind: ReadAll, Form: FormBatch}
	case 2:
		return Input{Kind: QueryIndex, Form: FormPlain, Group: bankGroup}
	}
	input := Input{Kind: TransactGet, Form: pick(random, FormPlain, FormPartiQL)}
	for key := range allKeys {
		input.Actions = append(input.Actions, Action{Verb: Get, Key: key, Item: noItem})
	}
	return input
}

// readAll has an item for each key, unless the read was lost or refused.
func (run *Run) readAll(client *Client, input Input) ([]Item, bool, error) {
	answer, err := client.send(encode(run.table(), input), false)
	if err != nil || run.isLost(answer) {
		return nil, false, err
	}
	output, err := decode(input, answer.Status, answer.Body)
	if err == nil && output.Code != Success && output.Code != Refused {
		err = fmt.Errorf("%s", answer.Body)
	}
	if err != nil {
		run.anomaly("%s %s: %v", input.Kind, input.Form, err)
		return nil, false, nil
	}
	return output.Items, output.Code == Success, nil
}

// closeBank compares the ledger with the balances and with what the clients were told.
func (run *Run) closeBank(bank *Bank) error {
	client := run.clients[0]
	entries, err := run.readLedger(client)
	if err != nil {
		return err
	}
	state, isThere, err := run.readAll(client, Input{Kind: ReadAll, Form: FormScan})
	if err != nil || !isThere {
		return fmt.Errorf("the accounts cannot be read: %w", err)
	}
	for _, complaint := range audit(bank, entries, state) {
		run.anomaly("%s", complaint)
	}
	return nil
}

func audit(bank *Bank, entries map[string]Transfer, accounts []Item) []string {
	var complaints []string
	complain := func(format string, arguments ...any) {
		complaints = append(complaints, fmt.Sprintf(format, arguments...))
	}
	var balances [keysMax]int64
	for id, entry := range entries {
		balances[entry.From] -= entry.Amount
		balances[entry.To] += entry.Amount
		if bank.refused[id] {
			complain("transfer %s was refused and is in the ledger", id)
		}
	}
	for id, transfer := range bank.acknowledged {
		if entries[id] != transfer {
			complain("transfer %s was acknowledged, the ledger has %v", id, entries[id])
		}
	}
	for key, account := range accounts {
		if account.N != balanceAtFirst+balances[key] {
			complain("account %d holds %s, by the ledger it is %d", key, describeItem(account),
				balanceAtFirst+balances[key])
		}
	}
	return complaints
}

func (run *Run) readLedger(client *Client) (map[string]Transfer, error) {
	entries := map[string]Transfer{}
	body := object{"TableName": run.ledger(), "ConsistentRead": true}
	for {
		answer, err := client.send(Request{"Scan", body}, true)
		if err != nil {
			return nil, err
		}
		var page answerOfScan
		if err := json.Unmarshal(answer.Body, &page); err != nil || answer.Status != 200 {
			return nil, fmt.Errorf("the ledger cannot be read: %.300s", answer.Body)
		}
		for _, item := range page.Items {
			entries[item["pk"]["S"]] = Transfer{int(integer(item["from"])),
				int(integer(item["to"])), integer(item["amount"])}
		}
		if len(page.LastEvaluatedKey) == 0 {
			return entries, nil
		}
		body["ExclusiveStartKey"] = page.LastEvaluatedKey
	}
}

type answerOfScan struct {
	Items            []map[string]map[string]string
	LastEvaluatedKey map[string]map[string]string
}

func integer(value map[string]string) int64 {
	number, err := strconv.ParseInt(value["N"], 10, 64)
	if err != nil {
		return absent
	}
	return number
}
