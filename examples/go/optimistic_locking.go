// SPDX-License-Identifier: Apache-2.0

package main

// Optimistic locking: many editors change one document, and nobody's change is lost.
//
// Nobody holds a lock. Every document carries a version; a save says which version it started
// from, as a condition. If somebody else was faster the save fails, and the editor starts over
// from the new version.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	editors     = 8
	edits       = 10
	attemptsMax = 1000
)

type document struct {
	ID      string
	Version int
	Lines   []string
}

func (d document) withLine(line string) document {
	d.Lines = append(slices.Clone(d.Lines), line)
	return d
}

type desk struct {
	db    *dynamodb.Client
	table string
}

// read is consistent: an old copy would only lead to a save that fails.
func (d desk) read(ctx context.Context, id string) (found document, err error) {
	answer, err := d.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &d.table,
		Key:            marshal(values{"ID": id}),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return found, err
	}
	return found, attributevalue.UnmarshalMap(answer.Item, &found)
}

// save replaces the document if it is still the version that was read.
func (d desk) save(ctx context.Context, changed document) error {
	read := changed.Version
	changed.Version++
	_, err := d.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                 &d.table,
		Item:                      marshal(changed),
		ConditionExpression:       aws.String("Version = :read"),
		ExpressionAttributeValues: marshal(values{":read": read}),
	})
	return err
}

// addLine reads, changes and saves until a save succeeds. It returns how often it was too late.
func (d desk) addLine(ctx context.Context, id, line string) (int, error) {
	for conflicts := range attemptsMax {
		current, err := d.read(ctx, id)
		if err != nil {
			return conflicts, err
		}
		err = d.save(ctx, current.withLine(line))
		if !isError[*types.ConditionalCheckFailedException](err) {
			return conflicts, err
		}
	}
	return attemptsMax, errors.New("the document never came to rest")
}

func linesOf(editor int) []string {
	lines := make([]string, edits)
	for n := range lines {
		lines[n] = fmt.Sprintf("%d: line %d", editor, n)
	}
	return lines
}

func optimisticLocking(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("ID", "S"),
		KeySchema:            key("ID"),
	}
	withTable(ctx, "documents", definition, func(table string) {
		d := desk{connect(ctx), table}
		first := document{ID: "minutes", Version: 1, Lines: []string{}}
		must(d.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &table, Item: marshal(first)}))
		d.openTogether(ctx)
		d.editTogether(ctx)
		checkFails[*types.ConditionalCheckFailedException](
			"a document that does not exist has no version to start from",
			d.save(ctx, document{ID: "nowhere", Version: 1}))
	})
}

// openTogether starts everybody from the same version: the second to arrive must already fail.
func (d desk) openTogether(ctx context.Context) {
	copied := must(d.read(ctx, "minutes"))
	saved := must(inParallel(editors, func(editor int) (int, error) {
		err := d.save(ctx, copied.withLine(fmt.Sprint("opening by ", editor)))
		if isError[*types.ConditionalCheckFailedException](err) {
			return 0, nil
		}
		return 1, err
	}))
	check("of editors with the same version one saves", sum(saved), 1)
	check("the document moved on by one version", must(d.read(ctx, "minutes")).Version, 2)
}

// editTogether has everybody edit as fast as they can.
func (d desk) editTogether(ctx context.Context) {
	conflicts := must(inParallel(editors, func(editor int) (int, error) {
		total := 0
		for _, line := range linesOf(editor) {
			count, err := d.addLine(ctx, "minutes", line)
			if err != nil {
				return total, err
			}
			total += count
		}
		return total, nil
	}))
	fmt.Printf("%d edits, %d conflicts\n", editors*edits, sum(conflicts))

	minutes := must(d.read(ctx, "minutes"))
	check("every edit is one version", minutes.Version, 2+editors*edits)
	check("no line is lost and none is there twice", len(minutes.Lines), 1+editors*edits)
	for editor := range editors {
		others := func(line string) bool {
			return !strings.HasPrefix(line, fmt.Sprintf("%d: ", editor))
		}
		check(fmt.Sprintf("the lines of editor %d are in the order written", editor),
			slices.DeleteFunc(slices.Clone(minutes.Lines), others), linesOf(editor))
	}
}

func sum(numbers []int) int {
	total := 0
	for _, number := range numbers {
		total += number
	}
	return total
}
