// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"sync/atomic"
)

// What clients ask for, drawn at random. Conditions compare with what was lately seen, so that
// about as many hold as fail.

const (
	groups   = 3
	seenKept = 4
)

// Knowledge is what the clients of an epoch share.
type Knowledge struct {
	lastV atomic.Int64
	lastN [keysMax]atomic.Int64
	seenV [keysMax][seenKept]atomic.Int64
}

func (knowledge *Knowledge) see(key int, item Item) {
	if item.V != absent {
		knowledge.seenV[key][item.V%seenKept].Store(item.V)
	}
	if item.N != absent {
		knowledge.lastN[key].Store(item.N)
	}
}

// Generator draws for one client.
type Generator struct {
	random    *rand.Rand
	knowledge *Knowledge
	isStore   bool // also operations on several keys at one moment
	hasTokens bool
	isDelayed bool // only what sees a single key, with eventually consistent reads among it
	prefix    string
	drawn     int
}

// Draw is one request: several inputs when they are a batch.
type Draw struct {
	Inputs  []Input
	IsBatch bool
}

func (generator *Generator) chance(of float64) bool { return generator.random.Float64() < of }

func pick[T any](random *rand.Rand, choices ...T) T { return choices[random.Intn(len(choices))] }

func (generator *Generator) draw() Draw {
	generator.drawn++
	choice := generator.random.Float64()
	switch {
	case generator.isDelayed && choice < 0.5:
		return one(Single, FormEventual, Action{Verb: Get, Key: generator.key(), Item: noItem})
	case !generator.isStore && !generator.isDelayed && choice < 0.08:
		return generator.batch()
	case !generator.isStore || choice < 0.4:
		return generator.single()
	case choice < 0.7:
		return generator.transaction()
	case choice < 0.8:
		return one(ReadAll, pick(generator.random, FormScan, FormBatch))
	case choice < 0.9:
		draw := one(QueryIndex, pick(generator.random, FormPlain, FormPartiQL))
		draw.Inputs[0].Group = generator.group()
		return draw
	}
	return generator.reads()
}

func one(kind Kind, form string, actions ...Action) Draw {
	return Draw{Inputs: []Input{{Kind: kind, Form: form, Actions: actions}}}
}

func (generator *Generator) key() int     { return generator.random.Intn(keysMax) }
func (generator *Generator) group() int64 { return generator.random.Int63n(groups) }
func (generator *Generator) v() int64     { return generator.knowledge.lastV.Add(1) }

func (generator *Generator) single() Draw {
	key := generator.key()
	if generator.chance(0.35) {
		forms := []string{FormPlain, FormPlain, FormEventual, FormQuery, FormPartiQL}
		if generator.isDelayed {
			forms = []string{FormPlain, FormQuery, FormPartiQL}
		}
		return one(Single, pick(generator.random, forms...),
			Action{Verb: Get, Key: key, Item: noItem})
	}
	form := FormPlain
	if generator.chance(0.25) {
		form = FormPartiQL
	}
	action := generator.write(key, form)
	action.Return = generator.returned(action.Verb, form)
	if generator.isDelayed && action.Verb == Delete {
		action.Return = AllOld // to tell whether it changed anything
	}
	return one(Single, form, action)
}

func (generator *Generator) returned(verb Verb, form string) Returned {
	switch {
	case verb == Update:
		return pick(generator.random, ReturnNone, AllOld, AllNew, UpdatedOld, UpdatedNew)
	case verb == Put && form == FormPartiQL:
		return ReturnNone
	}
	return pick(generator.random, ReturnNone, AllOld)
}

// write draws a write of a key, in a transaction or alone.
func (generator *Generator) write(key int, form string) Action {
	action := Action{Key: key, Item: noItem}
	switch choice := generator.random.Float64(); {
	case choice < 0.3:
		action.Verb = Put
		action.Item = generator.item()
	case choice < 0.85:
		action.Verb = Update
		generator.change(&action, form)
	default:
		action.Verb = Delete
	}
	generator.condition(&action, form)
	return action
}

func (generator *Generator) item() Item {
	item := Item{Exists: true, V: generator.v(), N: absent, G: absent}
	if generator.chance(0.7) {
		item.N = generator.random.Int63n(100)
	}
	if generator.chance(0.7) {
		item.G = generator.group()
	}
	return item
}

func (generator *Generator) change(action *Action, form string) {
	action.Item.V = generator.v()
	action.Delta = pick[int64](generator.random, -3, -1, 1, 2, 5)
	action.Count = pick(generator.random, NoChange, Add, Increase, IncreaseZ)
	if form == FormPartiQL {
		action.Count = pick(generator.random, NoChange, Increase)
	}
	switch choice := generator.random.Float64(); {
	case choice < 0.3:
		action.Item.G = generator.group()
	case choice < 0.45:
		action.RemoveG = true
	}
}

func (generator *Generator) condition(action *Action, form string) {
	random := generator.random
	seen := generator.knowledge.seenV[action.Key][random.Intn(seenKept)].Load()
	action.Operand = seen
	switch {
	case form == FormPartiQL && action.Verb == Put:
		action.Condition = NewOnly
	case form == FormPartiQL && action.Verb == Delete:
		action.Condition = pick(random, Always, GoneOrEquals)
	case form == FormPartiQL && action.Verb == Check:
		action.Condition = VEquals
	case form == FormPartiQL:
		action.Condition = pick(random, Exists, VEquals, NAtLeast)
	case action.Verb == Check:
		action.Condition = pick(random, Exists, NotExists, VEquals, NAtLeast)
	default:
		action.Condition = pick(random, Always, Always, Exists, NotExists, VEquals, NAtLeast)
	}
	if action.Condition == NAtLeast {
		action.Operand = generator.knowledge.lastN[action.Key].Load() + random.Int63n(3) - 1
	}
	if form != FormPartiQL && action.Condition != Always {
		action.ReturnOld = generator.chance(0.5)
	}
}

// keys draws different keys, at least two.
func (generator *Generator) keys() []int {
	count := 2 + generator.random.Intn(keysMax-2)
	return generator.random.Perm(keysMax)[:count]
}

func (generator *Generator) transaction() Draw {
	form := FormPlain
	if generator.chance(0.3) {
		form = FormPartiQL
	}
	var actions []Action
	// Many conditions at once would seldom hold.
	for i, key := range generator.keys() {
		action := generator.write(key, form)
		if generator.chance(0.15) {
			action = Action{Verb: Check, Key: key, Item: noItem}
			generator.condition(&action, form)
		} else if form == FormPlain && i > 0 && generator.chance(0.7) {
			action.Condition, action.ReturnOld = Always, false
		}
		actions = append(actions, action)
	}
	draw := one(TransactWrite, form, actions...)
	if generator.hasTokens && generator.chance(0.6) {
		draw.Inputs[0].Token = fmt.Sprintf("%s-%d", generator.prefix, generator.drawn)
	}
	return draw
}

func (generator *Generator) reads() Draw {
	var actions []Action
	for _, key := range generator.keys() {
		actions = append(actions, Action{Verb: Get, Key: key, Item: noItem})
	}
	return one(TransactGet, pick(generator.random, FormPlain, FormPartiQL), actions...)
}

// batch draws reads or writes whose members are operations each by itself.
func (generator *Generator) batch() Draw {
	draw := Draw{IsBatch: true}
	isRead := generator.chance(0.5)
	for _, key := range generator.keys() {
		action := Action{Verb: Get, Key: key, Item: noItem}
		switch {
		case isRead:
		case generator.chance(0.8):
			action.Verb = Put
			action.Item = generator.item()
		default:
			action.Verb = Delete
		}
		draw.Inputs = append(draw.Inputs, Input{Kind: Single, Form: FormBatch,
			Actions: []Action{action}})
	}
	return draw
}
