// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
)

// Own writes through the index: each client has a key of its own and moves its item between groups.
// As soon as a write is acknowledged, the item has to be in the group it was moved to and nowhere
// else.

func (run *Run) playIndex() {
	run.each(func(client *Client, random *rand.Rand) error {
		item := noItem
		for i := 0; i < run.Operations; i++ {
			var err error
			if item, err = run.move(client, random, item, int64(i+1)); err != nil {
				return err
			}
			for group := int64(0); group < groups; group++ {
				if err := run.lookForOwn(client, random, item, group); err != nil {
					return err
				}
			}
			run.progress.Add(1)
		}
		return nil
	})
}

// move changes the client's item, and has it as it is afterwards.
func (run *Run) move(client *Client, random *rand.Rand, item Item, v int64) (Item, error) {
	key := client.number % keysMax
	action := Action{Verb: Update, Key: key, Item: Item{V: v, N: absent, G: absent}}
	switch random.Intn(6) {
	case 0:
		action.Verb = Delete
		action.Item = noItem
	case 1, 2:
		action.Verb = Put
		action.Item = Item{Exists: true, V: v, N: random.Int63n(50), G: random.Int63n(groups)}
	case 3:
		action.RemoveG = true
	case 4:
		action.Item.G = random.Int63n(groups)
		action.Count, action.Delta = IncreaseZ, 1
	default:
		action.Item.G = random.Int63n(groups)
		action.Count, action.Delta = Add, -2
	}
	input := Input{Kind: Single, Form: FormPlain, Actions: []Action{action}}
	if random.Intn(3) == 0 {
		input.Kind = TransactWrite
	}
	answer, err := client.send(encode(run.table(), input), false)
	if err != nil {
		return item, err
	}
	if run.isLost(answer) {
		return run.readOwn(client, key)
	}
	output, err := decode(input, answer.Status, answer.Body)
	if err != nil {
		run.anomaly("%s: %v", describeInput(input), err)
	} else if output.Code == Success {
		item, _ = write(item, action)
	}
	return item, nil
}

func (run *Run) readOwn(client *Client, key int) (Item, error) {
	input := Input{Kind: Single, Form: FormPlain, Actions: []Action{{Verb: Get, Key: key}}}
	for {
		answer, err := client.send(encode(run.table(), input), true)
		if err != nil {
			return noItem, err
		}
		output, err := decode(input, answer.Status, answer.Body)
		if err != nil {
			return noItem, err
		}
		if output.Code == Success {
			return output.Items[0], nil
		}
	}
}

func (run *Run) lookForOwn(client *Client, random *rand.Rand, item Item, group int64) error {
	input := Input{Kind: QueryIndex, Form: pick(random, FormPlain, FormPartiQL), Group: group}
	items, isThere, err := run.readAll(client, input)
	if err != nil || !isThere {
		return err
	}
	expected := item
	if item.G != group || item.N == absent {
		expected = noItem
	}
	if found := items[client.number%keysMax]; found != expected {
		run.anomaly("client %d finds %s in group %d of the index, and wrote %s", client.number,
			describeItem(found), group, describeItem(item))
	}
	return nil
}

// compareIndex is for when nobody writes: the index has exactly what the table implies.
func (run *Run) compareIndex() error {
	client := run.clients[0]
	all, isThere, err := run.readAll(client, Input{Kind: ReadAll, Form: FormScan})
	if err != nil || !isThere {
		return err
	}
	state := State(all)
	for group := int64(0); group < groups; group++ {
		input := Input{Kind: QueryIndex, Form: FormPlain, Group: group}
		items, isThere, err := run.readAll(client, input)
		if err != nil || !isThere {
			return err
		}
		_, expected := next(state, input)
		if fmt.Sprint(items) != fmt.Sprint(expected.Items) {
			run.anomaly("group %d of the index is %s, the table implies %s", group,
				describeItems(items), describeItems(expected.Items))
		}
	}
	return nil
}
