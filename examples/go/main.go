// SPDX-License-Identifier: Apache-2.0

// Small applications that run on Stator through the AWS SDK for Go 2, each in a file of its own:
//
//	go run . ecommerce
//
// Without a name it runs all of them.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
)

var examples = map[string]func(context.Context){
	"batch_load":         batchLoad,
	"ecommerce":          ecommerce,
	"flagged_orders":     flaggedOrders,
	"funds_transfer":     fundsTransfer,
	"hierarchy":          hierarchy,
	"optimistic_locking": optimisticLocking,
	"session_store":      sessionStore,
	"time_series":        timeSeries,
	"view_counter":       viewCounter,
}

func main() {
	names := os.Args[1:]
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(examples))
	}
	defer exitOnFailure()
	for _, name := range names {
		example, found := examples[name]
		if !found {
			fail("no example is called %s", name)
		}
		example(context.Background())
	}
}

// exitOnFailure ends the program with a message instead of the stack of a panic.
func exitOnFailure() {
	switch reason := recover().(type) {
	case nil:
	case failure:
		fmt.Println(reason)
		os.Exit(1)
	default:
		panic(reason)
	}
}
