// SPDX-License-Identifier: Apache-2.0

package main

import "math"

// The sequential model: what a table of a few keys answers when one operation runs at a time. All
// states and items are comparable values, so that the checker compares and hashes them cheaply.

const (
	keysMax = 6
	absent  = math.MinInt64 // the value of an attribute that is not there
)

// Item is an item's attributes besides its key. V is unique among all writes of an epoch, so that a
// read tells which write it saw; N is counted up and down; G is the group, by which the index finds
// an item that also has N.
type Item struct {
	Exists  bool // for returned attributes: whether the key is among them
	V, N, G int64
}

var noItem = Item{V: absent, N: absent, G: absent}

// Attribute is a named part of an item.
type Attribute struct {
	name  string
	value *int64
}

func attributesOf(item *Item) [3]Attribute {
	return [3]Attribute{{"v", &item.V}, {"n", &item.N}, {"g", &item.G}}
}

// State is a whole table.
type State [keysMax]Item

func emptyState() State {
	var state State
	for i := range state {
		state[i] = noItem
	}
	return state
}

// Condition of a write.
type Condition string

const (
	Always       Condition = ""
	Exists       Condition = "exists"
	NotExists    Condition = "not exists"
	VEquals      Condition = "v equals"         // V = Operand
	NAtLeast     Condition = "n at least"       // N >= Operand
	NewOnly      Condition = "insert"           // PartiQL's INSERT: not exists, under another error
	GoneOrEquals Condition = "gone or v equals" // PartiQL's DELETE with V = Operand
)

// Verb of an action.
type Verb string

const (
	Get    Verb = "get"
	Put    Verb = "put"
	Update Verb = "update"
	Delete Verb = "delete"
	Check  Verb = "check"
)

// How an update counts N.
type Arithmetic string

const (
	NoChange  Arithmetic = ""
	Add       Arithmetic = "add"         // ADD n :d
	Increase  Arithmetic = "increase"    // SET n = n + :d, an error when there is no n
	IncreaseZ Arithmetic = "increase, 0" // SET n = if_not_exists(n, :zero) + :d
)

// Returned says which attributes a write answers with.
type Returned string

const (
	ReturnNone Returned = ""
	AllOld     Returned = "ALL_OLD"
	AllNew     Returned = "ALL_NEW"
	UpdatedOld Returned = "UPDATED_OLD"
	UpdatedNew Returned = "UPDATED_NEW"
)

// Action is a read or write of one key.
type Action struct {
	Verb      Verb
	Key       int
	Item      Item       // Put: the new item. Update: V and G to set; absent ones stay
	RemoveG   bool       // Update
	Count     Arithmetic // Update
	Delta     int64
	Condition Condition
	Operand   int64
	Return    Returned
	ReturnOld bool // ReturnValuesOnConditionCheckFailure: ALL_OLD
}

// Kind of an operation.
type Kind string

const (
	Single        Kind = "single"
	TransactWrite Kind = "transact write"
	TransactGet   Kind = "transact get"
	ReadAll       Kind = "read all" // a page of Scan, or one BatchGetItem: every key at one moment
	QueryIndex    Kind = "query index"
)

// Input is what a client asks for. Form chooses among the requests that mean the same.
type Input struct {
	Kind    Kind
	Form    string
	Actions []Action
	Group   int64 // QueryIndex
	Token   string
}

// Outcomes of an operation.
const (
	Success         = ""
	ConditionFailed = "ConditionalCheckFailed"
	Duplicate       = "DuplicateItem"
	Invalid         = "ValidationError"
	Canceled        = "TransactionCanceled"
	Refused         = "refused" // throttled, or a conflict: without effect, at any time
)

// Output is what a client was told. Items has one entry for each action, or for each key when the
// operation reads all: what was returned of it, noItem for nothing.
type Output struct {
	IsUnknown bool
	Code      string
	Reasons   []string
	Items     []Item
}

func (output Output) equal(other Output) bool {
	if output.Code != other.Code || len(output.Items) != len(other.Items) ||
		len(output.Reasons) != len(other.Reasons) {
		return false
	}
	for i := range output.Items {
		if output.Items[i] != other.Items[i] {
			return false
		}
	}
	for i := range output.Reasons {
		if output.Reasons[i] != other.Reasons[i] {
			return false
		}
	}
	return true
}

// next runs the operation alone on a state.
func next(state State, input Input) (State, Output) {
	switch input.Kind {
	case Single:
		return nextSingle(state, input.Actions[0])
	case TransactWrite:
		return nextTransaction(state, input.Actions)
	case TransactGet:
		items := make([]Item, len(input.Actions))
		for i, action := range input.Actions {
			items[i] = state[action.Key]
		}
		return state, Output{Items: items}
	case ReadAll:
		return state, Output{Items: append([]Item(nil), state[:]...)}
	case QueryIndex:
		items := append([]Item(nil), state[:]...)
		for i, item := range items {
			if item.G != input.Group || item.N == absent {
				items[i] = noItem
			}
		}
		return state, Output{Items: items}
	}
	panic("no such kind: " + input.Kind)
}

func nextSingle(state State, action Action) (State, Output) {
	old := state[action.Key]
	if action.Verb == Get {
		return state, Output{Items: []Item{old}}
	}
	new, code := write(old, action)
	if code != Success {
		return state, Output{Code: code, Items: []Item{shownOnFailure(old, action, code)}}
	}
	state[action.Key] = new
	return state, Output{Items: []Item{returned(old, new, action)}}
}

func nextTransaction(state State, actions []Action) (State, Output) {
	after := state
	output := Output{Reasons: make([]string, len(actions)), Items: make([]Item, len(actions))}
	for i, action := range actions {
		new, code := write(state[action.Key], action)
		output.Items[i] = shownOnFailure(state[action.Key], action, code)
		output.Reasons[i] = "None"
		if code != Success {
			output.Code = Canceled
			output.Reasons[i] = code
		}
		after[action.Key] = new
	}
	if output.Code == Canceled {
		return state, output
	}
	return after, Output{}
}

func shownOnFailure(old Item, action Action, code string) Item {
	if action.ReturnOld && code == ConditionFailed {
		return old
	}
	return noItem
}

// write is the item after the action, or why there is none.
func write(old Item, action Action) (Item, string) {
	if code := failure(old, action); code != Success {
		return old, code
	}
	switch action.Verb {
	case Put:
		return action.Item, Success
	case Update:
		return update(old, action)
	case Delete:
		return noItem, Success
	}
	return old, Success
}

func failure(old Item, action Action) string {
	holds := true
	switch action.Condition {
	case Exists:
		holds = old.Exists
	case NotExists:
		holds = !old.Exists
	case VEquals:
		holds = old.Exists && old.V == action.Operand
	case GoneOrEquals:
		holds = !old.Exists || old.V == action.Operand
	case NAtLeast:
		holds = old.Exists && old.N != absent && old.N >= action.Operand
	case NewOnly:
		if old.Exists {
			return Duplicate
		}
	}
	if !holds {
		return ConditionFailed
	}
	return Success
}

func update(old Item, action Action) (Item, string) {
	new := old
	new.Exists = true
	if action.Item.V != absent {
		new.V = action.Item.V
	}
	if action.Item.G != absent {
		new.G = action.Item.G
	}
	if action.RemoveG {
		new.G = absent
	}
	if action.Count != NoChange {
		if old.N == absent {
			if action.Count == Increase {
				return old, Invalid
			}
			new.N = 0
		}
		new.N += action.Delta
	}
	return new, Success
}

func returned(old, new Item, action Action) Item {
	switch action.Return {
	case AllOld:
		return old
	case AllNew:
		return new
	case UpdatedOld:
		return touched(old, action)
	case UpdatedNew:
		return touched(new, action)
	}
	return noItem
}

// touched is what of the item the update names.
func touched(item Item, action Action) Item {
	shown := noItem
	if action.Item.V != absent {
		shown.V = item.V
	}
	if action.Item.G != absent || action.RemoveG {
		shown.G = item.G
	}
	if action.Count != NoChange {
		shown.N = item.N
	}
	return shown
}
