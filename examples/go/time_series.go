// SPDX-License-Identifier: Apache-2.0

package main

// A time series over ten write shards: written everywhere, read in parallel, and merged.
//
// With the day alone as partition key every new reading would go to one partition, and a partition
// takes 1,000 writes a second. A shard number in the key spreads a day over ten partitions.
//
//	PK day#shard    SK At (a number: milliseconds)
//
// A read asks all ten shards at the same time. Each answers in order of time, so the answers only
// have to be merged.

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const seriesShards = 10

type reading struct {
	At      int64
	Celsius float64
}

type readingItem struct {
	PK string
	reading
}

type series struct {
	db    *dynamodb.Client
	table string
}

func shardKey(day time.Time, shard int) string {
	return fmt.Sprint(day.Format(time.DateOnly), "#", shard)
}

// itemOf puts a reading into any shard, since reads ask them all.
func itemOf(of reading) item {
	day := time.UnixMilli(of.At).UTC()
	return marshal(readingItem{shardKey(day, rand.IntN(seriesShards)), of})
}

// merge merges lists that are sorted already, always taking the head that precedes the others.
func merge(lists [][]reading, precedes func(one, other reading) bool) []reading {
	lists, merged := slices.Clone(lists), []reading{}
	for {
		best := -1
		for n, list := range lists {
			if len(list) > 0 && (best < 0 || precedes(list[0], lists[best][0])) {
				best = n
			}
		}
		if best < 0 {
			return merged
		}
		merged = append(merged, lists[best][0])
		lists[best] = lists[best][1:]
	}
}

func earlier(one, other reading) bool { return one.At < other.At }
func later(one, other reading) bool   { return one.At > other.At }

// between returns a day's readings from `from` up to, but not including, `to`, a list a shard.
func (s series) between(ctx context.Context, day, from, to time.Time) ([][]reading, error) {
	return inParallel(seriesShards, func(shard int) ([]reading, error) {
		return queryAll[reading](ctx, s.db, &dynamodb.QueryInput{
			TableName: &s.table,
			// BETWEEN includes both ends.
			KeyConditionExpression:   aws.String("PK = :shard AND #at BETWEEN :from AND :last"),
			ExpressionAttributeNames: map[string]string{"#at": "At"},
			ExpressionAttributeValues: marshal(values{
				":shard": shardKey(day, shard),
				":from":  from.UnixMilli(),
				":last":  to.UnixMilli() - 1,
			}),
		})
	})
}

// latest returns the newest readings of a day. One shard may hold them all: each is asked for that
// many.
func (s series) latest(ctx context.Context, day time.Time, count int) ([]reading, error) {
	lists, err := inParallel(seriesShards, func(shard int) ([]reading, error) {
		page, err := s.db.Query(ctx, &dynamodb.QueryInput{
			TableName:                 &s.table,
			KeyConditionExpression:    aws.String("PK = :shard"),
			ExpressionAttributeValues: marshal(values{":shard": shardKey(day, shard)}),
			ScanIndexForward:          aws.Bool(false),
			Limit:                     aws.Int32(int32(count)),
		})
		if err != nil {
			return nil, err
		}
		return unmarshal[reading](page.Items)
	})
	merged := merge(lists, later)
	return merged[:min(count, len(merged))], err
}

func timeSeries(ctx context.Context) {
	// Two days, one reading every three minutes: 480 a day.
	first := time.Date(2026, time.March, 1, 0, 0, 0, 0, time.UTC)
	readings := make([]reading, 960)
	for n := range readings {
		at := first.Add(time.Duration(n) * 3 * time.Minute)
		celsius := math.Round(100*(12+8*math.Sin(float64(n)/76))) / 100
		readings[n] = reading{at.UnixMilli(), celsius}
	}
	definition := dynamodb.CreateTableInput{
		AttributeDefinitions: attributes("PK", "S", "At", "N"),
		KeySchema:            key("PK", "At"),
	}
	withTable(ctx, "readings", definition, func(table string) {
		s := series{connect(ctx), table}
		must(writeAll(ctx, s.db, table, pluck(readings, itemOf)))
		s.checkReads(ctx, first, readings)
	})
}

func (s series) checkReads(ctx context.Context, first time.Time, readings []reading) {
	second := first.AddDate(0, 0, 1)
	day := must(s.between(ctx, first, first, second))
	check("a day is complete, in order, and as written", merge(day, earlier), readings[:480])
	empty := slices.ContainsFunc(day, func(list []reading) bool { return len(list) == 0 })
	check("every shard holds some of it", empty, false)

	nine, ten := first.Add(9*time.Hour), first.Add(10*time.Hour)
	hour := merge(must(s.between(ctx, first, nine, ten)), earlier)
	check("an hour has its twenty readings, and its end is the next hour's",
		hour, readings[180:200])

	newest := slices.Clone(readings[955:])
	slices.Reverse(newest)
	check("the newest five of a day", must(s.latest(ctx, second, 5)), newest)
	third := second.AddDate(0, 0, 1)
	check("a day without readings is empty", must(s.latest(ctx, third, 5)), []reading{})
}
