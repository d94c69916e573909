// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"sync"
	"sync/atomic"
	"time"
)

// An epoch is a table of its own, some clients, one kind of disturbance, and one history, short
// enough to be checked in an instant.

// Kinds of epochs, by what their clients do.
const (
	EpochKeys    = "keys"    // operations on one key each, checked key by key
	EpochStore   = "store"   // transactions and reads of many keys, checked as a whole
	EpochDelayed = "delayed" // reads of the past
	EpochBank    = "bank"
	EpochFork    = "fork"
	EpochIndex   = "index"
)

// Epoch is what one is made from; the same seed draws the same requests.
type Epoch struct {
	Number      int
	Seed        int64
	Kind        string
	Disturbance string
	Clients     int
	Operations  int // of each client
	HasStream   bool
}

func (epoch Epoch) table() string { return fmt.Sprintf("lin-%d", epoch.Number) }

func (epoch Epoch) String() string {
	return fmt.Sprintf("epoch %d (%s, %s, seed %d)", epoch.Number, epoch.Kind, epoch.Disturbance,
		epoch.Seed)
}

// Run is an epoch under way.
type Run struct {
	Epoch
	server   *Server
	clients  []*Client
	progress atomic.Int64 // requests answered or lost
	delay    time.Duration

	mutex     sync.Mutex
	history   []Operation
	anomalies []string
	failed    error // the run could not go on
}

// anomaly notes what no history is needed to see.
func (run *Run) anomaly(format string, arguments ...any) {
	run.mutex.Lock()
	defer run.mutex.Unlock()
	run.anomalies = append(run.anomalies, fmt.Sprintf(format, arguments...))
}

func (run *Run) fail(err error) {
	run.mutex.Lock()
	defer run.mutex.Unlock()
	if run.failed == nil {
		run.failed = err
	}
}

// each runs the function once for each client, all at the same time.
func (run *Run) each(do func(client *Client, random *rand.Rand) error) {
	var group sync.WaitGroup
	for i, client := range run.clients {
		group.Add(1)
		go func() {
			defer group.Done()
			random := rand.New(rand.NewSource(run.Seed + int64(i)*7919))
			if err := do(client, random); err != nil {
				run.fail(err)
			}
		}()
	}
	group.Wait()
}

// play lets the clients of a keys, store or delayed epoch work, and has their history afterwards.
func (run *Run) play() {
	knowledge := &Knowledge{}
	run.each(func(client *Client, random *rand.Rand) error {
		generator := &Generator{
			random: random, knowledge: knowledge,
			isStore:   run.Kind == EpochStore,
			isDelayed: run.Kind == EpochDelayed,
			hasTokens: run.Disturbance != DisturbJumps,
			prefix:    fmt.Sprintf("%s-%d", run.table(), client.number),
		}
		for i := 0; i < run.Operations; i++ {
			if err := run.perform(client, generator.draw(), knowledge); err != nil {
				return err
			}
			run.progress.Add(1)
		}
		return nil
	})
}

func (run *Run) perform(client *Client, draw Draw, knowledge *Knowledge) error {
	request := Request{}
	if draw.IsBatch {
		request = encodeBatch(run.table(), draw.Inputs)
	} else {
		request = encode(run.table(), draw.Inputs[0])
	}
	answer, err := client.send(request, draw.Inputs[0].Token != "")
	if err != nil {
		return err
	}
	outputs := make([]Output, len(draw.Inputs))
	switch {
	case run.isLost(answer):
		for i := range outputs {
			outputs[i].IsUnknown = true
		}
	case draw.IsBatch:
		outputs, err = decodeBatch(draw.Inputs, answer.Status, answer.Body)
	default:
		outputs[0], err = decode(draw.Inputs[0], answer.Status, answer.Body)
	}
	if err != nil {
		run.anomaly("%s %v: %v", request.Operation, request.Body, err)
		return nil
	}
	run.record(client, draw.Inputs, outputs, answer)
	for i, output := range outputs {
		learn(knowledge, draw.Inputs[i], output)
	}
	return nil
}

func (run *Run) record(client *Client, inputs []Input, outputs []Output, answer Answer) {
	run.mutex.Lock()
	defer run.mutex.Unlock()
	for i := range inputs {
		run.history = append(run.history, Operation{
			Client: client.number, Server: answer.Server, Call: answer.Call, Return: answer.Return,
			Input: inputs[i], Output: outputs[i]})
	}
}

func learn(knowledge *Knowledge, input Input, output Output) {
	switch {
	case output.IsUnknown || output.Code == Refused:
	case len(output.Items) > 0 && len(input.Actions) == 0:
		for key, item := range output.Items {
			knowledge.see(key, item)
		}
	case output.Code == Success && input.Kind != TransactGet:
		for _, action := range input.Actions {
			knowledge.see(action.Key, action.Item)
		}
		fallthrough
	default:
		for i, item := range output.Items {
			knowledge.see(input.Actions[i].Key, item)
		}
	}
}

// settle gives a lost operation the interval in which it can have taken effect: as long as its
// process lived.
func (run *Run) settle(operation *Operation) {
	if operation.Output.IsUnknown {
		operation.Return = max(operation.Call, run.server.death(operation.Server))
	}
}

const clockResolution = time.Millisecond

// past is the history that delayed reads see. Each shows the table as it was the delay ago, to the
// millisecond, so it is an ordinary read of that time. Writes count from the moment their request
// came, which reads of the present and failed conditions do not see so early: only what changed
// something is kept beside the delayed reads.
func (run *Run) past(history []Operation) []Operation {
	var kept []Operation
	for _, operation := range history {
		action := operation.Input.Actions[0]
		switch {
		case operation.Input.Form == FormEventual:
			operation.Call -= int64(run.delay + clockResolution)
			operation.Return -= int64(run.delay - clockResolution)
		case action.Verb == Get, operation.Output.Code != Success:
			continue
		case action.Verb == Delete && operation.Output.Items[0] == noItem:
			continue
		}
		kept = append(kept, operation)
	}
	return kept
}

// present is the history without delayed reads.
func present(history []Operation) []Operation {
	var kept []Operation
	for _, operation := range history {
		if operation.Input.Form != FormEventual {
			kept = append(kept, operation)
		}
	}
	return kept
}

// forget drops what says nothing: reads that were lost, and requests that were refused.
func forget(history []Operation) []Operation {
	var kept []Operation
	for _, operation := range history {
		isRead := operation.Input.Kind == ReadAll || operation.Input.Kind == QueryIndex ||
			operation.Input.Kind == TransactGet ||
			operation.Input.Kind == Single && operation.Input.Actions[0].Verb == Get
		if operation.Output.Code == Refused || operation.Output.IsUnknown && isRead {
			continue
		}
		kept = append(kept, operation)
	}
	return kept
}
