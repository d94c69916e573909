// SPDX-License-Identifier: Apache-2.0

package main

// A tree of folders: each node is stored under its parent's path.
//
//	PK parent path    SK name        the node /music/jazz/1959 is PK "/music/jazz", SK "1959"
//
// The children of a folder are one Query. The ancestors of a node need no search at all: its path
// spells out the keys of every one of them, and one BatchGetItem fetches them together.

import (
	"context"
	"path"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// node is a file if it has a size, otherwise a folder.
type node struct {
	PK, SK, Path string
	FileSize     *int `dynamodbav:",omitempty"`
}

type tree struct {
	db    *dynamodb.Client
	table string
}

func nodeKey(of string) item {
	return marshal(values{"PK": path.Dir(of), "SK": path.Base(of)})
}

// ancestorPaths("/music/jazz/1959") is "/music", "/music/jazz".
func ancestorPaths(of string) []string {
	var paths []string
	for parent := path.Dir(of); parent != "/"; parent = path.Dir(parent) {
		paths = append(paths, parent)
	}
	slices.Reverse(paths)
	return paths
}

func (t tree) addFolder(ctx context.Context, name string) error { return t.add(ctx, name, nil) }

func (t tree) addFile(ctx context.Context, name string, size int) error {
	return t.add(ctx, name, &size)
}

// add checks in the same transaction that the parent exists: no orphans.
func (t tree) add(ctx context.Context, name string, size *int) error {
	actions := []types.TransactWriteItem{{Put: &types.Put{
		TableName:           &t.table,
		Item:                marshal(node{path.Dir(name), path.Base(name), name, size}),
		ConditionExpression: aws.String("attribute_not_exists(PK)"),
	}}}
	if parent := path.Dir(name); parent != "/" {
		actions = append(actions, types.TransactWriteItem{ConditionCheck: &types.ConditionCheck{
			TableName: &t.table,
			Key:       nodeKey(parent),
			// A file has a size and no children.
			ConditionExpression: aws.String(
				"attribute_exists(PK) AND attribute_not_exists(FileSize)"),
		}})
	}
	input := &dynamodb.TransactWriteItemsInput{TransactItems: actions}
	_, err := t.db.TransactWriteItems(ctx, input)
	return err
}

// children returns the nodes in a folder whose names begin with prefix.
func (t tree) children(ctx context.Context, of, prefix string) ([]node, error) {
	query := &dynamodb.QueryInput{TableName: &t.table}
	if prefix == "" {
		query.KeyConditionExpression = aws.String("PK = :path")
		query.ExpressionAttributeValues = marshal(values{":path": of})
	} else {
		query.KeyConditionExpression = aws.String("PK = :path AND begins_with(SK, :prefix)")
		query.ExpressionAttributeValues = marshal(values{":path": of, ":prefix": prefix})
	}
	return queryAll[node](ctx, t.db, query)
}

// ancestors come from the top down. BatchGetItem keeps no order; the length of the path gives it.
func (t tree) ancestors(ctx context.Context, of string) ([]node, error) {
	keys := pluck(ancestorPaths(of), nodeKey)
	if len(keys) == 0 {
		return []node{}, nil
	}
	answer, err := t.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
		RequestItems: map[string]types.KeysAndAttributes{t.table: {Keys: keys}},
	})
	if err != nil {
		return nil, err
	}
	nodes, err := unmarshal[node](answer.Responses[t.table])
	slices.SortFunc(nodes, func(one, other node) int { return len(one.Path) - len(other.Path) })
	return nodes, err
}

// totalSize is the size of everything below a folder: one Query a folder.
func (t tree) totalSize(ctx context.Context, of string) (int, error) {
	children, err := t.children(ctx, of, "")
	total := 0
	for _, child := range children {
		if child.FileSize != nil {
			total += *child.FileSize
			continue
		}
		below, err := t.totalSize(ctx, child.Path)
		if err != nil {
			return total, err
		}
		total += below
	}
	return total, err
}

func paths(nodes []node, err error) []string {
	mustDo(err)
	return pluck(nodes, func(node node) string { return node.Path })
}

func hierarchy(ctx context.Context) {
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("PK", "S", "SK", "S"),
		KeySchema:            key("PK", "SK"),
	}
	withTable(ctx, "tree", definition, func(table string) {
		t := tree{connect(ctx), table}
		t.grow(ctx)
		t.checkReads(ctx)
		t.checkRefusals(ctx)
	})
}

func (t tree) grow(ctx context.Context) {
	mustDo(t.addFolder(ctx, "/music"))
	mustDo(t.addFolder(ctx, "/music/jazz"))
	mustDo(t.addFolder(ctx, "/music/jazz/1959"))
	mustDo(t.addFile(ctx, "/music/jazz/1959/so-what.flac", 540))
	mustDo(t.addFile(ctx, "/music/jazz/1959/take-five.flac", 320))
	mustDo(t.addFile(ctx, "/music/jazz/readme.txt", 2))
	mustDo(t.addFolder(ctx, "/music/folk"))
	mustDo(t.addFolder(ctx, "/photos"))
	mustDo(t.addFile(ctx, "/photos/2025-winter", 77))
}

func (t tree) checkReads(ctx context.Context) {
	check("children come by name",
		paths(t.children(ctx, "/music", "")), []string{"/music/folk", "/music/jazz"})
	check("the top has children too",
		paths(t.children(ctx, "/", "")), []string{"/music", "/photos"})
	check("an empty folder has none", paths(t.children(ctx, "/music/folk", "")), []string{})
	check("children can be found by the start of their name",
		paths(t.children(ctx, "/music/jazz/1959", "take")),
		[]string{"/music/jazz/1959/take-five.flac"})
	check("ancestors come from the top down",
		paths(t.ancestors(ctx, "/music/jazz/1959/so-what.flac")),
		[]string{"/music", "/music/jazz", "/music/jazz/1959"})
	check("a top folder has no ancestors", paths(t.ancestors(ctx, "/photos")), []string{})
	check("sizes add up", must(t.totalSize(ctx, "/music")), 862)
	check("for the whole tree as well", must(t.totalSize(ctx, "/")), 939)
}

func (t tree) checkRefusals(ctx context.Context) {
	check("a node needs its parent",
		cancellationCodes(t.addFile(ctx, "/music/blues/lonesome.flac", 1)),
		[]string{"None", "ConditionalCheckFailed"})
	check("a file has no children",
		cancellationCodes(t.addFolder(ctx, "/music/jazz/readme.txt/x")),
		[]string{"None", "ConditionalCheckFailed"})
	check("a path is taken once",
		cancellationCodes(t.addFolder(ctx, "/music/jazz")),
		[]string{"ConditionalCheckFailed", "None"})
	check("nothing came of these",
		paths(t.children(ctx, "/music", "")), []string{"/music/folk", "/music/jazz"})
}
