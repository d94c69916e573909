// SPDX-License-Identifier: Apache-2.0

package main

// Batches: loading many items, and reading many, with retry of what was left unprocessed.
//
// A batch succeeds as long as some of it does. What the server had no capacity for, or what did
// not fit into a 16 MB answer, comes back unprocessed and must be sent again, after a pause that
// grows. Code that ignores it loses data only under load.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	batchWritesMax = 25
	batchKeysMax   = 100
	batchRoundsMax = 10
)

// batchWriter is what sends a BatchWriteItem: the SDK's client, or something in front of it.
type batchWriter interface {
	BatchWriteItem(
		context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options),
	) (*dynamodb.BatchWriteItemOutput, error)
}

// pauseBefore waits about twice as long each round; the random part keeps loaders out of step.
func pauseBefore(round int) error {
	if round == batchRoundsMax {
		return errors.New("a part of the batch stays unprocessed")
	}
	if round > 0 {
		longest := min(25*time.Millisecond<<round, 2*time.Second)
		time.Sleep(longest/2 + rand.N(longest/2))
	}
	return nil
}

// writeAll writes all items and returns how many requests it took.
func writeAll(ctx context.Context, db batchWriter, table string, items []item) (int, error) {
	requests := 0
	for chunk := range slices.Chunk(items, batchWritesMax) {
		puts := pluck(chunk, func(item item) types.WriteRequest {
			return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
		})
		pending := map[string][]types.WriteRequest{table: puts}
		for round := 0; len(pending) > 0; round++ {
			if err := pauseBefore(round); err != nil {
				return requests, err
			}
			input := &dynamodb.BatchWriteItemInput{RequestItems: pending}
			answer, err := db.BatchWriteItem(ctx, input)
			if err != nil {
				return requests, err
			}
			pending = answer.UnprocessedItems
			requests++
		}
	}
	return requests, nil
}

// readAll reads all keys and returns how many requests it took. The items come in no order.
func readAll(
	ctx context.Context, db *dynamodb.Client, table string, keys []item,
) (items []item, requests int, err error) {
	for chunk := range slices.Chunk(keys, batchKeysMax) {
		pending := map[string]types.KeysAndAttributes{table: {Keys: chunk}}
		for round := 0; len(pending) > 0; round++ {
			if err := pauseBefore(round); err != nil {
				return nil, requests, err
			}
			answer, err := db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: pending})
			if err != nil {
				return nil, requests, err
			}
			items = append(items, answer.Responses[table]...)
			pending = answer.UnprocessedKeys
			requests++
		}
	}
	return items, requests, nil
}

// busyWriter plays a busy server, since an idle one processes every write and the retry would
// never run here: of every other request it sends half, and hands back the other half.
type busyWriter struct {
	batchWriter
	turn int
}

func (w *busyWriter) BatchWriteItem(
	ctx context.Context, input *dynamodb.BatchWriteItemInput, options ...func(*dynamodb.Options),
) (*dynamodb.BatchWriteItemOutput, error) {
	sent, rest := *input, map[string][]types.WriteRequest{}
	sent.RequestItems = map[string][]types.WriteRequest{}
	for table, writes := range input.RequestItems {
		count := len(writes)
		if w.turn++; w.turn%2 == 1 {
			count = (count + 1) / 2
			rest[table] = writes[count:]
		}
		sent.RequestItems[table] = writes[:count]
	}
	_, err := w.batchWriter.BatchWriteItem(ctx, &sent, options...)
	return &dynamodb.BatchWriteItemOutput{UnprocessedItems: rest}, err
}

type word struct {
	ID     string
	Number int
}

type picture struct {
	ID    string
	Bytes []byte
}

func keyOfID(of item) item { return item{"ID": of["ID"]} }

func readWords(ctx context.Context, db *dynamodb.Client, table string, items []item) ([]word, int) {
	found, requests, err := readAll(ctx, db, table, pluck(items, keyOfID))
	mustDo(err)
	words := must(unmarshal[word](found))
	slices.SortFunc(words, func(one, other word) int { return strings.Compare(one.ID, other.ID) })
	return words, requests
}

func batchLoad(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("ID", "S"),
		KeySchema:            key("ID"),
	}
	withTable(ctx, "batches", definition, func(table string) {
		db := connect(ctx)
		checkWords(ctx, db, table)
		checkPictures(ctx, db, table)
		none, _ := readWords(ctx, db, table, []item{marshal(word{ID: "none"})})
		check("what does not exist is simply not returned", none, []word{})
	})
}

func checkWords(ctx context.Context, db *dynamodb.Client, table string) {
	words := make([]word, 1000)
	for n := range words {
		words[n] = word{fmt.Sprint("word-", 1000+n), n}
	}
	items := pluck(words, func(word word) item { return marshal(word) })
	check("1,000 items are 40 batches", must(writeAll(ctx, db, table, items)), 40)
	found, requests := readWords(ctx, db, table, items)
	check("all of them are there", found, words)
	check("and were read in ten", requests, 10)

	changed := words[:100]
	for n := range changed {
		changed[n].Number = -n - 1
	}
	items = pluck(changed, func(word word) item { return marshal(word) })
	busy := &busyWriter{batchWriter: db}
	check("a busy server takes twice the requests", must(writeAll(ctx, busy, table, items)), 8)
	found, _ = readWords(ctx, db, table, items)
	check("and nothing is lost", found, changed)
}

// checkPictures writes 60 items of 350 KB. They are 21 MB: more than one answer holds.
func checkPictures(ctx context.Context, db *dynamodb.Client, table string) {
	pictures := make([]picture, 60)
	for n := range pictures {
		content := bytes.Repeat([]byte{byte(n)}, 350*1024)
		pictures[n] = picture{fmt.Sprint("picture-", 100+n), content}
	}
	items := pluck(pictures, func(picture picture) item { return marshal(picture) })
	must(writeAll(ctx, db, table, items))
	answers, requests, err := readAll(ctx, db, table, pluck(items, keyOfID))
	mustDo(err)
	gallery := must(unmarshal[picture](answers))
	slices.SortFunc(gallery, func(one, other picture) int {
		return strings.Compare(one.ID, other.ID)
	})
	check("21 MB take more than one answer", requests > 1, true)
	same := slices.EqualFunc(gallery, pictures, func(one, other picture) bool {
		return one.ID == other.ID && bytes.Equal(one.Bytes, other.Bytes)
	})
	check("and every picture arrives", same, true)
}
