// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
)

// The change log of an epoch: for every key a chain of records, each beginning with the item that
// the one before it left, the last leaving what the table holds. Every acknowledged write that has
// a value of its own is in it once; one that was lost, at most once.

// Change is one record of the stream.
type Change struct {
	Key      int
	Old, New Item
}

// Chain is what the stream of a table tells.
type Chain struct {
	State  State
	writes map[int64]int // by V, in how many records it is set
}

// follow takes the records one by one, in their order.
func follow(changes []Change) (Chain, []string) {
	chain := Chain{State: emptyState(), writes: map[int64]int{}}
	var complaints []string
	for at, change := range changes {
		if chain.State[change.Key] != change.Old {
			complaints = append(complaints, fmt.Sprintf(
				"record %d of the stream begins with k%d %s, the one before left %s", at,
				change.Key, describeItem(change.Old), describeItem(chain.State[change.Key])))
		}
		if change.Old == change.New {
			complaints = append(complaints, fmt.Sprintf("record %d of the stream changes nothing",
				at))
		}
		chain.State[change.Key] = change.New
		if change.New.V != absent && change.New.V != change.Old.V {
			chain.writes[change.New.V]++
		}
	}
	return chain, complaints
}

// unexplained compares the stream with what the clients were told.
func (chain Chain) unexplained(history []Operation) []string {
	var complaints []string
	for _, operation := range history {
		isDone := !operation.Output.IsUnknown && operation.Output.Code == Success
		for _, action := range operation.Input.Actions {
			if action.Verb != Put && action.Verb != Update {
				continue
			}
			times := chain.writes[action.Item.V]
			if isDone && times != 1 || times > 1 || !operation.Output.IsUnknown && !isDone && times > 0 {
				complaints = append(complaints, fmt.Sprintf("%d records of the stream for %s → %s",
					times, describeInput(operation.Input), describeOutput(operation.Output)))
			}
		}
	}
	return complaints
}

// compareStream is for when nobody writes any more.
func (run *Run) compareStream() error {
	changes, err := run.readStream()
	if err != nil {
		return err
	}
	chain, complaints := follow(changes)
	all, isThere, err := run.readAll(run.clients[0], Input{Kind: ReadAll, Form: FormScan})
	if err != nil || !isThere {
		return err
	}
	if State(all) != chain.State {
		complaints = append(complaints, fmt.Sprintf("the stream leaves %s, the table holds %s",
			describeState(chain.State), describeItems(all)))
	}
	for _, complaint := range append(complaints, chain.unexplained(run.history)...) {
		run.anomaly("%s", complaint)
	}
	return nil
}

type streamAnswer struct {
	Streams           []struct{ StreamArn string }
	StreamDescription struct{ Shards []struct{ ShardId string } }
	ShardIterator     string
	NextShardIterator string
	Records           []struct {
		Dynamodb struct{ Keys, OldImage, NewImage encodedItem }
	}
}

func (run *Run) askStream(operation string, body object) (streamAnswer, error) {
	var answered streamAnswer
	answer, err := run.clients[0].send(Request{operation, body}, true)
	if err != nil {
		return answered, err
	}
	if err := json.Unmarshal(answer.Body, &answered); err != nil || answer.Status != http.StatusOK {
		return answered, fmt.Errorf("%s: %d %.300s", operation, answer.Status, answer.Body)
	}
	return answered, nil
}

// readStream has all records, from the eldest shard on.
func (run *Run) readStream() ([]Change, error) {
	listed, err := run.askStream("ListStreams", object{"TableName": run.table()})
	if err != nil {
		return nil, err
	}
	if len(listed.Streams) != 1 {
		return nil, fmt.Errorf("%d streams of one table", len(listed.Streams))
	}
	arn := listed.Streams[0].StreamArn
	described, err := run.askStream("DescribeStream", object{"StreamArn": arn})
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, shard := range described.StreamDescription.Shards {
		more, err := run.readShard(arn, shard.ShardId)
		if err != nil {
			return nil, err
		}
		changes = append(changes, more...)
	}
	return changes, nil
}

func (run *Run) readShard(arn, shard string) ([]Change, error) {
	answered, err := run.askStream("GetShardIterator", object{
		"StreamArn": arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"})
	if err != nil {
		return nil, err
	}
	var changes []Change
	for iterator := answered.ShardIterator; iterator != ""; iterator = answered.NextShardIterator {
		answered, err = run.askStream("GetRecords", object{"ShardIterator": iterator})
		if err != nil || len(answered.Records) == 0 {
			return changes, err
		}
		for _, record := range answered.Records {
			change, err := decodeChange(record.Dynamodb.Keys, record.Dynamodb.OldImage,
				record.Dynamodb.NewImage)
			if err != nil {
				return nil, err
			}
			changes = append(changes, change)
		}
	}
	return changes, nil
}

func decodeChange(keys, old, new encodedItem) (Change, error) {
	var change Change
	var err error
	if _, change.Key, err = decodeAny(keys); err != nil || change.Key < 0 {
		return change, fmt.Errorf("a record without a key: %v (%w)", keys, err)
	}
	if change.Old, _, err = decodeAny(old); err != nil {
		return change, err
	}
	change.New, _, err = decodeAny(new)
	return change, err
}
