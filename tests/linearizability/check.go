// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"hash/maphash"
	"math"
	"sort"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// Checking a history: it is cut into parts that share no key, and each part must have an order of
// its operations, each somewhere between its call and its return, that the model would answer so.

// Operation is one entry of a history. Times are nanoseconds since the run began. Server is the
// process, counted from 1, that had the request last.
type Operation struct {
	Client int
	Server int
	Call   int64
	Return int64
	Input  Input
	Output Output
}

// forever is the return of an operation that may yet take effect.
const forever = math.MaxInt64

// Without a limit a history that is hard to check would hold up the run. One that takes so long
// counts as a failure of the run's size.
const checkSecondsMax = 30

var hashSeed = maphash.MakeSeed()

// A lost operation has taken effect or not, so the model goes on with both.
var model = porcupine.NondeterministicModel{
	Init: func() []interface{} { return []interface{}{emptyState()} },
	Step: func(state, input, output interface{}) []interface{} {
		return step(state.(State), input.(Input), output.(Output))
	},
	Hash: func(state interface{}) uint64 { return maphash.Comparable(hashSeed, state.(State)) },
	DescribeOperation: func(input, output interface{}) string {
		return describeInput(input.(Input)) + " → " + describeOutput(output.(Output))
	},
	DescribeState: func(state interface{}) string { return describeState(state.(State)) },
}

func step(before State, input Input, output Output) []interface{} {
	if output.Code == Refused {
		return []interface{}{before}
	}
	after, expected := next(before, input)
	switch {
	case output.IsUnknown && after == before:
		return []interface{}{before}
	case output.IsUnknown:
		return []interface{}{before, after}
	case !output.equal(expected):
		return nil
	}
	return []interface{}{after}
}

// Verdict of a check.
type Verdict struct {
	Result porcupine.CheckResult
	Part   []Operation // the part that is not Ok
	info   porcupine.LinearizationInfo
	model  porcupine.Model
}

func check(history []Operation) Verdict {
	deterministic := model.ToModel()
	for _, part := range parts(history) {
		operations := make([]porcupine.Operation, len(part))
		for i, operation := range part {
			operations[i] = porcupine.Operation{
				ClientId: operation.Client, Input: operation.Input, Output: operation.Output,
				Call: operation.Call, Return: operation.Return}
		}
		result := porcupine.CheckOperationsTimeout(deterministic, operations,
			checkSecondsMax*time.Second)
		if result == porcupine.Ok {
			continue
		}
		_, info := porcupine.CheckOperationsVerbose(deterministic, finite(operations),
			checkSecondsMax*time.Second)
		return Verdict{result, part, info, deterministic}
	}
	return Verdict{Result: porcupine.Ok}
}

// finite has returns that fit in a picture: what never returned ends just after everything else.
func finite(operations []porcupine.Operation) []porcupine.Operation {
	last := int64(0)
	for _, operation := range operations {
		last = max(last, operation.Call)
		if operation.Return != forever {
			last = max(last, operation.Return)
		}
	}
	shown := append([]porcupine.Operation(nil), operations...)
	for i := range shown {
		shown[i].Return = min(shown[i].Return, last+1)
	}
	return shown
}

// parts groups a history by keys: two keys belong together when one operation has both.
func parts(history []Operation) [][]Operation {
	var parent [keysMax]int
	for i := range parent {
		parent[i] = i
	}
	find := func(key int) int {
		for parent[key] != key {
			key = parent[key]
		}
		return key
	}
	for _, operation := range history {
		keys := keysOf(operation.Input)
		for _, key := range keys[1:] {
			parent[find(key)] = find(keys[0])
		}
	}
	var grouped [keysMax][]Operation
	for _, operation := range history {
		root := find(keysOf(operation.Input)[0])
		grouped[root] = append(grouped[root], operation)
	}
	var found [][]Operation
	for _, part := range grouped {
		if len(part) > 0 {
			sort.SliceStable(part, func(i, j int) bool { return part[i].Call < part[j].Call })
			found = append(found, part)
		}
	}
	return found
}

var allKeys = func() []int {
	keys := make([]int, keysMax)
	for i := range keys {
		keys[i] = i
	}
	return keys
}()

func keysOf(input Input) []int {
	if len(input.Actions) == 0 {
		return allKeys
	}
	keys := make([]int, len(input.Actions))
	for i, action := range input.Actions {
		keys[i] = action.Key
	}
	return keys
}

// ---- Words for pictures ----------------------------------------------------------------------

func describeItem(item Item) string {
	if item == noItem {
		return "-"
	}
	var words []string
	for _, attribute := range attributesOf(&item) {
		if *attribute.value != absent {
			words = append(words, fmt.Sprintf("%s=%d", attribute.name, *attribute.value))
		}
	}
	return "{" + strings.Join(words, " ") + "}"
}

func describeItems(items []Item) string {
	words := make([]string, len(items))
	for i, item := range items {
		words[i] = describeItem(item)
	}
	return strings.Join(words, " ")
}

func describeState(state State) string {
	return describeItems(state[:])
}

func describeAction(action Action) string {
	words := []string{string(action.Verb), fmt.Sprintf("k%d", action.Key)}
	if action.Verb == Put || action.Verb == Update {
		words = append(words, describeItem(action.Item))
	}
	if action.RemoveG {
		words = append(words, "remove g")
	}
	if action.Count != NoChange {
		words = append(words, fmt.Sprintf("%s n %+d", action.Count, action.Delta))
	}
	if action.Condition != Always {
		words = append(words, "if", string(action.Condition))
	}
	switch action.Condition {
	case VEquals, GoneOrEquals, NAtLeast:
		words = append(words, fmt.Sprint(action.Operand))
	}
	return strings.Join(words, " ")
}

func describeInput(input Input) string {
	words := make([]string, len(input.Actions))
	for i, action := range input.Actions {
		words[i] = describeAction(action)
	}
	text := fmt.Sprintf("%s (%s) %s", input.Kind, input.Form, strings.Join(words, ", "))
	if input.Kind == QueryIndex {
		text += fmt.Sprintf("g=%d", input.Group)
	}
	return text
}

func describeOutput(output Output) string {
	if output.IsUnknown {
		return "?"
	}
	words := []string{output.Code, strings.Join(output.Reasons, ", "), describeItems(output.Items)}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}
