// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"os"
	"testing"

	"github.com/anishathalye/porcupine"
)

// The checker refuses what must not happen, and accepts what may.

func single(call, end int64, action Action, output Output) Operation {
	return Operation{Call: call, Return: end, Output: output,
		Input: Input{Kind: Single, Actions: []Action{action}}}
}

func put(key int, v int64) Action {
	return Action{Verb: Put, Key: key, Item: Item{Exists: true, V: v, N: absent, G: absent}}
}

func putCounted(key int, v, n, g int64) Action {
	return Action{Verb: Put, Key: key, Item: Item{Exists: true, V: v, N: n, G: g}}
}

func get(key int) Action { return Action{Verb: Get, Key: key, Item: noItem} }

func compareAndSet(key int, old, new int64) Action {
	return Action{Verb: Update, Key: key, Item: Item{V: new, N: absent, G: absent},
		Condition: VEquals, Operand: old}
}

func count(key int, delta int64) Action {
	return Action{Verb: Update, Key: key, Item: noItem, Count: Add, Delta: delta,
		Return: UpdatedNew}
}

func shows(items ...Item) Output { return Output{Items: items} }

func with(v int64) Item    { return Item{Exists: true, V: v, N: absent, G: absent} }
func counted(n int64) Item { return Item{V: absent, N: n, G: absent} }
func only(key int, item Item) Output {
	state := emptyState()
	state[key] = item
	return shows(state[:]...)
}

var (
	done = shows(noItem)
	lost = Output{IsUnknown: true}
)

func transaction(call, end int64, output Output, actions ...Action) Operation {
	return Operation{Call: call, Return: end, Output: output,
		Input: Input{Kind: TransactWrite, Actions: actions}}
}

func transactGet(call, end int64, output Output, keys ...int) Operation {
	var actions []Action
	for _, key := range keys {
		actions = append(actions, get(key))
	}
	return Operation{Call: call, Return: end, Output: output,
		Input: Input{Kind: TransactGet, Actions: actions}}
}

func readAll(call, end int64, output Output) Operation {
	return Operation{Call: call, Return: end, Output: output, Input: Input{Kind: ReadAll}}
}

func queryGroup(call, end, group int64, output Output) Operation {
	return Operation{Call: call, Return: end, Output: output,
		Input: Input{Kind: QueryIndex, Group: group}}
}

var histories = []struct {
	name    string
	result  porcupine.CheckResult
	history []Operation
}{
	{"reads of what was written", porcupine.Ok, []Operation{
		single(0, 10, put(0, 1), done), single(20, 30, get(0), shows(with(1)))}},
	{"a read beside a write sees it or not", porcupine.Ok, []Operation{
		single(0, 100, put(0, 1), done), single(10, 20, get(0), shows(noItem)),
		single(30, 40, get(0), shows(with(1)))}},
	{"a write that is seen and gone again", porcupine.Illegal, []Operation{
		single(0, 100, put(0, 1), done), single(10, 20, get(0), shows(with(1))),
		single(30, 40, get(0), shows(noItem))}},
	{"a stale read", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), done), single(20, 30, put(0, 2), done),
		single(40, 50, get(0), shows(with(1)))}},
	{"a read of what nobody wrote", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), done), single(20, 30, get(0), shows(with(9)))}},
	{"a read before its write", porcupine.Illegal, []Operation{
		single(0, 10, get(0), shows(with(1))), single(20, 30, put(0, 1), done)}},
	{"an acknowledged write that is lost", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), done), single(20, 30, get(0), shows(noItem))}},
	{"counting twice", porcupine.Ok, []Operation{
		single(0, 30, count(0, 1), shows(counted(2))), single(0, 30, count(0, 1), shows(counted(1)))}},
	{"a lost update", porcupine.Illegal, []Operation{
		single(0, 30, count(0, 1), shows(counted(1))), single(0, 30, count(0, 1), shows(counted(1)))}},
	{"one of two compare-and-sets", porcupine.Ok, []Operation{
		single(0, 10, put(0, 1), done), single(20, 50, compareAndSet(0, 1, 2), done),
		single(20, 50, compareAndSet(0, 1, 3), Output{Code: ConditionFailed, Items: []Item{noItem}})}},
	{"two compare-and-sets of the same value", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), done), single(20, 50, compareAndSet(0, 1, 2), done),
		single(20, 50, compareAndSet(0, 1, 3), done)}},
	{"a condition that failed without reason", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), done),
		single(20, 50, compareAndSet(0, 1, 3), Output{Code: ConditionFailed, Items: []Item{noItem}})}},
	{"a lost write that took effect", porcupine.Ok, []Operation{
		single(0, 50, put(0, 1), lost), single(60, 70, get(0), shows(with(1)))}},
	{"a lost write that did not", porcupine.Ok, []Operation{
		single(0, 50, put(0, 1), lost), single(60, 70, get(0), shows(noItem))}},
	{"a lost write that took effect twice", porcupine.Illegal, []Operation{
		single(0, 50, count(0, 1), lost),
		single(60, 70, get(0), shows(Item{Exists: true, V: absent, N: 2, G: absent}))}},
	{"a lost write that is seen and gone again", porcupine.Illegal, []Operation{
		single(0, forever, put(0, 1), lost), single(60, 70, get(0), shows(with(1))),
		single(80, 90, get(0), shows(noItem))}},
	{"a lost write of a process that lives on", porcupine.Ok, []Operation{
		single(0, forever, put(0, 1), lost), single(60, 70, get(0), shows(noItem)),
		single(80, 90, get(0), shows(with(1)))}},
	{"a lost write of a process that had ended", porcupine.Illegal, []Operation{
		single(0, 50, put(0, 1), lost), single(60, 70, get(0), shows(noItem)),
		single(80, 90, get(0), shows(with(1)))}},
	{"a refused write without effect", porcupine.Ok, []Operation{
		single(0, 10, put(0, 1), Output{Code: Refused}), single(20, 30, get(0), shows(noItem))}},
	{"a refused write that took effect", porcupine.Illegal, []Operation{
		single(0, 10, put(0, 1), Output{Code: Refused}), single(20, 30, get(0), shows(with(1)))}},
	{"a whole transaction", porcupine.Ok, []Operation{
		transaction(0, 30, Output{}, put(0, 1), put(1, 2)),
		transactGet(10, 20, shows(with(1), with(2)), 0, 1)}},
	{"half a transaction", porcupine.Illegal, []Operation{
		transaction(0, 30, Output{}, put(0, 1), put(1, 2)),
		transactGet(10, 20, shows(with(1), noItem), 0, 1)}},
	{"half a lost transaction", porcupine.Illegal, []Operation{
		transaction(0, 30, lost, put(0, 1), put(1, 2)),
		single(40, 50, get(0), shows(with(1))), single(60, 70, get(1), shows(noItem))}},
	{"half a transaction in a page of Scan", porcupine.Illegal, []Operation{
		transaction(0, 30, Output{}, put(0, 1), put(1, 2)), readAll(10, 20, only(1, with(2)))}},
	{"a canceled transaction that left a trace", porcupine.Illegal, []Operation{
		transaction(0, 30, Output{Code: Canceled, Reasons: []string{"None", ConditionFailed},
			Items: []Item{noItem, noItem}}, put(0, 1), compareAndSet(1, 5, 6)),
		single(40, 50, get(0), shows(with(1)))}},
	{"a cancellation with the wrong reasons", porcupine.Illegal, []Operation{
		transaction(0, 30, Output{Code: Canceled, Reasons: []string{ConditionFailed, "None"},
			Items: []Item{noItem, noItem}}, put(0, 1), compareAndSet(1, 5, 6))}},
	{"a long fork", porcupine.Illegal, []Operation{
		single(0, 100, put(0, 1), done), single(0, 100, put(1, 2), done),
		transactGet(10, 90, shows(with(1), noItem), 0, 1),
		transactGet(10, 90, shows(noItem, with(2)), 0, 1)}},
	{"an index that lags", porcupine.Illegal, []Operation{
		single(0, 10, putCounted(0, 1, 5, 2), done), queryGroup(20, 30, 2, only(0, noItem))}},
	{"an index entry left behind", porcupine.Illegal, []Operation{
		single(0, 10, putCounted(0, 1, 5, 2), done), single(20, 30, putCounted(0, 2, 5, 1), done),
		queryGroup(40, 50, 2, only(0, Item{Exists: true, V: 1, N: 5, G: 2}))}},
	{"an index that keeps up", porcupine.Ok, []Operation{
		single(0, 10, putCounted(0, 1, 5, 2), done),
		queryGroup(20, 30, 2, only(0, Item{Exists: true, V: 1, N: 5, G: 2})),
		queryGroup(20, 30, 1, only(0, noItem))}},
}

func TestKnownHistoriesAreJudgedRight(t *testing.T) {
	for _, known := range histories {
		t.Run(known.name, func(t *testing.T) {
			if result := check(known.history).Result; result != known.result {
				t.Errorf("%s, not %s", result, known.result)
			}
		})
	}
}

// simulate runs a generator's requests one by one on the model, each at its own moment, and blurs
// when they were called and answered.
func simulate(seed int64, isStore bool, length int, blur int64) []Operation {
	random := rand.New(rand.NewSource(seed))
	knowledge := &Knowledge{}
	generator := &Generator{random: random, knowledge: knowledge, isStore: isStore}
	state := emptyState()
	var history []Operation
	for moment := int64(1); len(history) < length; moment++ {
		draw := generator.draw()
		for _, input := range draw.Inputs {
			after, output := next(state, input)
			learn(knowledge, input, output)
			operation := Operation{Client: len(history) % 8, Input: input, Output: output,
				Call: 1000*moment - random.Int63n(blur), Return: 1000*moment + random.Int63n(blur)}
			if random.Intn(20) == 0 {
				operation.Output = lost
				if random.Intn(2) == 0 {
					after = state
				}
			}
			state = after
			history = append(history, operation)
		}
	}
	return history
}

func TestWhatTheModelDidIsLinearizable(t *testing.T) {
	for seed := int64(0); seed < 40; seed++ {
		history := forget(simulate(seed, seed%2 == 0, 200, 4000))
		if result := check(history).Result; result != porcupine.Ok {
			t.Errorf("seed %d: %s", seed, result)
		}
	}
}

// With moments that do not overlap there is one order, so that every other answer is wrong.
func TestOneWrongAnswerIsFound(t *testing.T) {
	for seed := int64(0); seed < 200; seed++ {
		history := forget(simulate(seed, seed%2 == 0, 60, 400))
		random := rand.New(rand.NewSource(seed))
		wrong := &history[random.Intn(len(history))]
		for wrong.Output.IsUnknown || len(wrong.Output.Items) == 0 {
			wrong = &history[random.Intn(len(history))]
		}
		items := append([]Item(nil), wrong.Output.Items...)
		items[random.Intn(len(items))].V += 1 + random.Int63n(5)
		before := wrong.Output
		wrong.Output.Items = items
		if result := check(history).Result; result != porcupine.Illegal {
			t.Errorf("seed %d: %s for %s instead of %s to %s", seed, result,
				describeOutput(wrong.Output), describeOutput(before), describeInput(wrong.Input))
		}
	}
}

func TestWhatIsKeptIsReadAgain(t *testing.T) {
	for _, known := range histories {
		verdict := check(known.history)
		if verdict.Result == porcupine.Ok {
			continue
		}
		folder := t.TempDir()
		keep(folder, "kept", verdict)
		for _, name := range []string{"kept.json", "kept.html"} {
			if _, err := os.Stat(folder + "/" + name); err != nil {
				t.Error(known.name, err)
			}
		}
		if recheck(folder+"/kept.json") == 0 {
			t.Errorf("%s is fine after being kept", known.name)
		}
	}
}

func TestDelayedReadsBelongToThePast(t *testing.T) {
	run := &Run{Epoch: Epoch{Kind: EpochDelayed}, delay: 50_000_000}
	read := func(call int64, item Item) Operation {
		operation := single(call, call+10, get(0), shows(item))
		operation.Input.Form = FormEventual
		return operation
	}
	for _, known := range []struct {
		at     int64
		item   Item
		result porcupine.CheckResult
	}{
		{30_000_000, noItem, porcupine.Ok},
		{30_000_000, with(1), porcupine.Illegal},
		{80_000_000, with(1), porcupine.Ok},
		{80_000_000, noItem, porcupine.Illegal},
	} {
		history := []Operation{single(0, 10_000_000, put(0, 1), done), read(known.at, known.item)}
		if result := check(run.past(history)).Result; result != known.result {
			t.Errorf("%d ms, %s: %s", known.at/1_000_000, describeItem(known.item), result)
		}
	}
}

// ---- Bank and fork ---------------------------------------------------------------------------

func TestBankIsAudited(t *testing.T) {
	transfer := Transfer{From: 0, To: 1, Amount: 30}
	accounts := make([]Item, keysMax)
	for key := range accounts {
		accounts[key] = Item{Exists: true, N: balanceAtFirst, G: bankGroup}
	}
	moved := append([]Item(nil), accounts...)
	moved[0].N, moved[1].N = 70, 130
	twice := append([]Item(nil), accounts...)
	twice[0].N, twice[1].N = 40, 160
	half := append([]Item(nil), accounts...)
	half[0].N = 70
	is := map[string]Transfer{"t": transfer}
	for _, known := range []struct {
		name         string
		acknowledged map[string]Transfer
		refused      map[string]bool
		entries      map[string]Transfer
		accounts     []Item
		isFine       bool
	}{
		{"nothing", nil, nil, nil, accounts, true},
		{"a transfer", is, nil, is, moved, true},
		{"a transfer nobody heard of", nil, nil, is, moved, true},
		{"a transfer that is lost", is, nil, nil, accounts, false},
		{"a refused one that was made", nil, map[string]bool{"t": true}, is, moved, false},
		{"made twice", is, nil, is, twice, false},
		{"half made", is, nil, is, half, false},
		{"without an entry", nil, nil, nil, moved, false},
	} {
		complaints := audit(&Bank{known.acknowledged, known.refused}, known.entries, known.accounts)
		if (len(complaints) == 0) != known.isFine {
			t.Errorf("%s: %v", known.name, complaints)
		}
	}
}

func TestForksAreSeen(t *testing.T) {
	sight := func(call, end int64, values ...int64) Sight {
		seen := Sight{Call: call, Return: end}
		copy(seen.Values[:], values)
		return seen
	}
	steps := []Step{{0, 1, 0, 100, true}, {0, 2, 200, 210, true}, {1, 1, 0, 100, true}}
	for _, known := range []struct {
		name   string
		sights []Sight
		isFine bool
	}{
		{"one order", []Sight{sight(0, 90, 1, 0), sight(10, 90, 1, 1)}, true},
		{"two orders", []Sight{sight(0, 90, 1, 0), sight(10, 90, 0, 1)}, false},
		{"back in time", []Sight{sight(0, 10, 1, 0), sight(20, 30, 0, 0)}, false},
		{"back in time by other keys", []Sight{sight(0, 10, 1, 1), sight(20, 30, 1, 0),
			sight(5, 50, 1, 0)}, false},
		{"too late", []Sight{sight(150, 160, 0, 1)}, false},
		{"too early", []Sight{sight(150, 160, 2, 1)}, false},
		{"never written", []Sight{sight(300, 310, 3, 1)}, false},
		{"at the end", []Sight{sight(300, 310, 2, 1)}, true},
	} {
		fork := Fork{steps, known.sights}
		if complaints := fork.complaints(); (len(complaints) == 0) != known.isFine {
			t.Errorf("%s: %v", known.name, complaints)
		}
	}
	unknown := Fork{[]Step{{0, 1, 0, 100, false}}, []Sight{sight(150, 160, 0), sight(170, 180, 1)}}
	if complaints := unknown.complaints(); len(complaints) != 0 {
		t.Error("a lost step may be seen or not:", complaints)
	}
}

func TestStreamsAreFollowed(t *testing.T) {
	history := []Operation{single(0, 10, put(0, 1), done), single(20, 30, put(0, 2), done),
		single(40, 50, put(1, 3), lost),
		single(60, 70, put(1, 4), Output{Code: ConditionFailed, Items: []Item{noItem}})}
	first, second := Change{0, noItem, with(1)}, Change{0, with(1), with(2)}
	third, fourth := Change{1, noItem, with(3)}, Change{1, with(3), with(4)}
	for _, known := range []struct {
		name    string
		changes []Change
		isFine  bool
	}{
		{"everything", []Change{first, second, third}, true},
		{"without what was lost", []Change{first, second}, true},
		{"a gap", []Change{first}, false},
		{"a gap at the start", []Change{second}, false},
		{"a repeat", []Change{first, second, second}, false},
		{"another order", []Change{second, first}, false},
		{"what was refused", []Change{first, second, third, fourth}, false},
		{"no change", []Change{first, second, {0, with(2), with(2)}}, false},
	} {
		chain, complaints := follow(known.changes)
		complaints = append(complaints, chain.unexplained(history)...)
		if (len(complaints) == 0) != known.isFine {
			t.Errorf("%s: %v", known.name, complaints)
		}
	}
}

// ---- The wire --------------------------------------------------------------------------------

func TestAnswersAreUnderstood(t *testing.T) {
	input := Input{Kind: Single, Actions: []Action{get(2)}}
	for _, known := range []struct {
		status int
		body   string
		output string
	}{
		{200, `{}`, "-"},
		{200, `{"Item":{"pk":{"S":"k2"},"v":{"N":"7"}}}`, "{v=7}"},
		{200, `{"Item":{"pk":{"S":"k1"},"v":{"N":"7"}}}`, "error"},
		{200, `{"Item":{"pk":{"S":"k2"},"w":{"N":"7"}}}`, "error"},
		{200, `{"Item":{"pk":{"S":"k9"}}}`, "error"},
		{200, `{"Item"`, "error"},
		{400, `{"__type":"a#ConditionalCheckFailedException"}`, ConditionFailed + " -"},
		{400, `{"__type":"a#ValidationException","message":"surprise"}`, "error"},
		{400, `{"__type":"a#NewException"}`, "error"},
	} {
		output, err := decode(input, known.status, []byte(known.body))
		described := describeOutput(output)
		if err != nil {
			described = "error"
		}
		if described != known.output {
			t.Errorf("%s: %s, not %s (%v)", known.body, described, known.output, err)
		}
	}
}

func TestGeneratedOperationsRepeat(t *testing.T) {
	if fmt.Sprint(simulate(3, true, 50, 100)) != fmt.Sprint(simulate(3, true, 50, 100)) {
		t.Error("the same seed draws other operations")
	}
}
