// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"sort"
)

// The long fork: writers on keys of their own, readers of all keys at once. All readers must see
// the writes in one order, and each what was acknowledged before it began and nothing that was
// begun after its end.

// Step is the moment in which a writer set its key to Value.
type Step struct {
	Key          int
	Value        int64
	Call, Return int64
	IsKnown      bool
}

// Sight is what a reader saw.
type Sight struct {
	Values       [keysMax]int64
	Call, Return int64
}

// Fork is the history of a fork epoch.
type Fork struct {
	Steps  []Step
	Sights []Sight
}

func (run *Run) playFork() *Fork {
	fork := &Fork{}
	run.each(func(client *Client, random *rand.Rand) error {
		for i := 0; i < run.Operations; i++ {
			var err error
			if client.number < keysMax && client.number < run.Clients/2 {
				err = run.stepForward(client, random, fork, int64(i+1))
			} else {
				err = run.lookAtFork(client, random, fork)
			}
			if err != nil {
				return err
			}
			run.progress.Add(1)
		}
		return nil
	})
	return fork
}

func (run *Run) stepForward(client *Client, random *rand.Rand, fork *Fork, value int64) error {
	item := Item{Exists: true, V: value, N: value, G: bankGroup}
	input := Input{Kind: Single, Form: FormPlain, Actions: []Action{
		{Verb: Put, Key: client.number, Item: item}}}
	if random.Intn(2) == 0 {
		input.Kind = TransactWrite
	}
	answer, err := client.send(encode(run.table(), input), false)
	if err != nil {
		return err
	}
	step := Step{Key: client.number, Value: value, Call: answer.Call, Return: answer.Return,
		IsKnown: !run.isLost(answer)}
	if step.IsKnown {
		output, err := decode(input, answer.Status, answer.Body)
		if err != nil {
			run.anomaly("put %d: %v", value, err)
		}
		if output.Code != Success {
			return nil
		}
	}
	run.mutex.Lock()
	defer run.mutex.Unlock()
	fork.Steps = append(fork.Steps, step)
	return nil
}

func (run *Run) lookAtFork(client *Client, random *rand.Rand, fork *Fork) error {
	input := readersOfAll(random)
	sight := Sight{Call: now()}
	items, isThere, err := run.readAll(client, input)
	sight.Return = now()
	if err != nil || !isThere {
		return err
	}
	for key, item := range items {
		if item.Exists {
			sight.Values[key] = item.V
		}
	}
	run.mutex.Lock()
	defer run.mutex.Unlock()
	fork.Sights = append(fork.Sights, sight)
	return nil
}

// complaints are the sights that no single order of the steps explains.
func (fork *Fork) complaints() []string {
	var found []string
	sights := append([]Sight(nil), fork.Sights...)
	sum := func(sight Sight) (sum int64) {
		for _, value := range sight.Values {
			sum += value
		}
		return sum
	}
	// In one order every sight is at most the next, key by key; so is it then by sums.
	sort.Slice(sights, func(i, j int) bool { return sum(sights[i]) < sum(sights[j]) })
	latest := int64(0)
	for i, sight := range sights {
		if i > 0 && !sights[i-1].isWithin(sight) {
			found = append(found, fmt.Sprintf("two orders: %v and %v", sights[i-1], sight))
		}
		// A sight that shows more may not have ended before one that shows less began.
		if i > 0 && sights[i-1].Values != sight.Values {
			latest = latestCall(sights[:i], latest)
		}
		if sight.Return < latest {
			found = append(found, fmt.Sprintf("%v ended before an earlier state was seen", sight))
		}
	}
	return append(found, fork.untimely()...)
}

func latestCall(sights []Sight, latest int64) int64 {
	for i := len(sights) - 1; i >= 0; i-- {
		latest = max(latest, sights[i].Call)
		if i > 0 && sights[i-1].Values != sights[i].Values {
			break
		}
	}
	return latest
}

func (sight Sight) isWithin(later Sight) bool {
	for key, value := range sight.Values {
		if value > later.Values[key] {
			return false
		}
	}
	return true
}

// untimely compares each sight with the steps that had to be visible and those that could be.
func (fork *Fork) untimely() []string {
	var steps [keysMax][]Step
	for _, step := range fork.Steps {
		steps[step.Key] = append(steps[step.Key], step)
	}
	var found []string
	for _, sight := range fork.Sights {
		for key, value := range sight.Values {
			least, most := bounds(steps[key], sight)
			if value < least || value > most {
				found = append(found, fmt.Sprintf("key %d was seen at %d, not within %d to %d: %v",
					key, value, least, most, sight))
			}
		}
	}
	return found
}

// bounds are the least and the most that a sight can show of a key, whose steps are in order.
func bounds(steps []Step, sight Sight) (least, most int64) {
	begun := sort.Search(len(steps), func(i int) bool { return steps[i].Call > sight.Return })
	if begun > 0 {
		most = steps[begun-1].Value
	}
	for i := begun - 1; i >= 0; i-- {
		if steps[i].IsKnown && steps[i].Return < sight.Call {
			return steps[i].Value, most
		}
	}
	return 0, most
}
