// SPDX-License-Identifier: Apache-2.0

// The linearizability test: concurrent clients, a server that is killed, paused and set to other
// times, and a checker that has the last word. README.md says what is checked and how.
package main

import (
	"flag"
	"fmt"
	"math/rand"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/anishathalye/porcupine"
)

const anomaliesShown = 5 // of an epoch

// Options of the program.
type Options struct {
	binary  string
	seed    int64
	seconds float64
	folder  string
	kinds   string
	disturb string
	recheck string
}

// Totals of a run.
type Totals struct {
	epochs, failed, operations, lost, unfinished int
	kinds                                        map[string]int
	done                                         Disturbances
}

func main() {
	var options Options
	flag.StringVar(&options.binary, "binary", "build/release/stator", "the server under test")
	flag.Int64Var(&options.seed, "seed", time.Now().UnixNano()%(1<<31), "what requests are drawn by")
	flag.Float64Var(&options.seconds, "seconds", 15, "how long to go on")
	flag.StringVar(&options.folder, "keep", "build/torture/linearizability-found",
		"where histories that are wrong are kept")
	flag.StringVar(&options.kinds, "kinds", "", "only these kinds of epochs, separated by commas")
	flag.StringVar(&options.disturb, "disturb", "", "only these disturbances")
	flag.StringVar(&options.recheck, "check", "", "check a kept history instead")
	flag.Parse()
	if options.recheck != "" {
		os.Exit(recheck(options.recheck))
	}
	fmt.Printf("seed %d\n", options.seed)
	totals, err := runAll(options)
	if err != nil {
		fmt.Println("the run broke off:", err)
		totals.failed++
		totals.epochs = max(totals.epochs, totals.failed)
	}
	report(totals)
	if totals.failed > 0 {
		os.Exit(1)
	}
}

func report(totals Totals) {
	var kinds []string
	for kind, count := range totals.kinds {
		kinds = append(kinds, fmt.Sprintf("%d %s", count, kind))
	}
	slices.Sort(kinds)
	fmt.Printf("%d epochs (%s)\n", totals.epochs, strings.Join(kinds, ", "))
	fmt.Printf("%d operations checked, of %d nobody knows whether they took effect\n",
		totals.operations, totals.lost)
	fmt.Printf("%d kills, %d stops, %d pauses, %d moves of the clock, %d batches of load\n",
		totals.done.Kills, totals.done.Stops, totals.done.Pauses, totals.done.ClockMoves,
		totals.done.LoadRequests)
	fmt.Printf("%d histories were too hard to check\n", totals.unfinished)
	fmt.Printf("%d passed, %d failed, 0 skipped\n", totals.epochs-totals.failed, totals.failed)
}

func runAll(options Options) (Totals, error) {
	totals := Totals{kinds: map[string]int{}}
	directory, err := os.MkdirTemp("", "stator-linearizability-")
	if err != nil {
		return totals, err
	}
	defer os.RemoveAll(directory)
	cleanWhenInterrupted(directory)
	server, err := newServer(options.binary, directory)
	if err != nil {
		return totals, err
	}
	defer server.end(syscall.SIGKILL)
	setup := newClient(0, server)
	if err := setup.createTable(loadTable, false); err != nil {
		return totals, err
	}
	random := rand.New(rand.NewSource(options.seed))
	for begun := time.Now(); time.Since(begun).Seconds() < options.seconds; {
		epoch := drawEpoch(random, totals.epochs+1, options)
		if err := runEpoch(epoch, server, options, &totals); err != nil {
			keepLog(server, options.folder)
			return totals, err
		}
	}
	return totals, nil
}

// cleanWhenInterrupted leaves nothing behind; the server ends with its parent.
func cleanWhenInterrupted(directory string) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-signals
		os.RemoveAll(directory)
		os.Exit(1)
	}()
}

// One after the other, so that a short run has all of them.
var epochKinds = []struct{ kind, disturbance string }{
	{EpochKeys, DisturbKill}, {EpochStore, DisturbKill}, {EpochBank, DisturbKill},
	{EpochFork, DisturbKill}, {EpochIndex, DisturbKill}, {EpochKeys, DisturbNone},
	{EpochStore, DisturbNone}, {EpochBank, DisturbClock}, {EpochDelayed, DisturbNone},
	{EpochKeys, DisturbClock}, {EpochStore, DisturbPause}, {EpochBank, DisturbLoad},
	{EpochFork, DisturbPause}, {EpochIndex, DisturbLoad}, {EpochKeys, DisturbStop},
	{EpochStore, DisturbClock}, {EpochBank, DisturbFault}, {EpochFork, DisturbLoad},
	{EpochIndex, DisturbClock}, {EpochKeys, DisturbFault}, {EpochStore, DisturbLoad},
	{EpochBank, DisturbStop}, {EpochFork, DisturbClock}, {EpochIndex, DisturbNone},
	{EpochKeys, DisturbLoad}, {EpochStore, DisturbJumps}, {EpochBank, DisturbPause},
	{EpochDelayed, DisturbPause}, {EpochKeys, DisturbJumps}, {EpochStore, DisturbStop},
	{EpochKeys, DisturbPause}, {EpochStore, DisturbFault}, {EpochFork, DisturbNone},
	{EpochIndex, DisturbFault}, {EpochBank, DisturbNone}, {EpochDelayed, DisturbLoad},
}

func drawEpoch(random *rand.Rand, number int, options Options) Epoch {
	listed := func(list, word string) bool {
		return list == "" || slices.Contains(strings.Split(list, ","), word)
	}
	for at := number - 1; at < number-1+len(epochKinds); at++ {
		entry := epochKinds[at%len(epochKinds)]
		if !listed(options.kinds, entry.kind) || !listed(options.disturb, entry.disturbance) {
			continue
		}
		epoch := Epoch{Number: number, Seed: random.Int63(), Kind: entry.kind,
			Disturbance: entry.disturbance}
		epoch.Clients, epoch.Operations = epochSize(random, entry.kind)
		// Days later the records are gone.
		epoch.HasStream = random.Intn(2) == 0 && entry.disturbance != DisturbJumps
		return epoch
	}
	panic("there is no such epoch")
}

// epochSize is chosen so that a history is checked in well under a second.
func epochSize(random *rand.Rand, kind string) (clients, operations int) {
	switch kind {
	case EpochStore:
		return 3 + random.Intn(6), 40 + random.Intn(40)
	case EpochBank, EpochFork:
		return 4 + random.Intn(9), 60 + random.Intn(100)
	case EpochIndex:
		return keysMax, 40
	}
	return 4 + random.Intn(13), 60 + random.Intn(60)
}

func runEpoch(epoch Epoch, server *Server, options Options, totals *Totals) error {
	run := &Run{Epoch: epoch, server: server}
	for i := 0; i < epoch.Clients; i++ {
		run.clients = append(run.clients, newClient(i, server))
	}
	defer func() {
		for _, client := range run.clients {
			client.close()
		}
	}()
	setup := run.clients[0]
	if err := setup.createTable(run.table(), epoch.HasStream); err != nil {
		return err
	}
	if epoch.Kind == EpochBank {
		if err := run.openBank(); err != nil {
			return err
		}
	}
	random := rand.New(rand.NewSource(epoch.Seed))
	// As short as a commit now and then: what is between the two is where mistakes are.
	run.delay = time.Duration(1+random.Intn(pick(random, 4, 80))) * time.Millisecond
	if err := run.setFaults(); err != nil {
		return err
	}
	totals.epochs++
	totals.kinds[epoch.Kind]++
	fine, err := run.judge(random, options, totals)
	if err == nil && !fine {
		totals.failed++
		keepLog(server, options.folder)
	}
	if err != nil {
		return err
	}
	if epoch.Kind == EpochBank {
		run.ensure(setup.deleteTable(run.ledger()))
	}
	run.ensure(setup.deleteTable(run.table()))
	return run.failed
}

// judge plays and checks. What is wrong is printed and kept.
func (run *Run) judge(random *rand.Rand, options Options, totals *Totals) (bool, error) {
	over := make(chan struct{})
	ended := make(chan Disturbances)
	go func() { ended <- run.disturb(random, over) }()
	finish := run.playKind()
	close(over)
	totals.done.add(<-ended)
	if run.failed != nil {
		return false, run.failed
	}
	// What was set to go wrong is over, so that the last look at the table is a plain one.
	run.ensure(run.server.administer("faults", object{"table": run.table()}))
	run.ensure(finish())
	run.ensure(run.compareIndex())
	if run.HasStream {
		run.ensure(run.compareStream())
	}
	if run.failed != nil {
		return false, run.failed
	}
	fine := true
	for name, history := range run.histories() {
		totals.count(history)
		verdict := check(history)
		if verdict.Result == porcupine.Unknown {
			totals.unfinished++
		}
		if verdict.Result != porcupine.Ok {
			fine = false
			fmt.Printf("%v: the history is %s: %s\n", run.Epoch, verdict.Result,
				keep(options.folder, fmt.Sprintf("epoch-%d-%s", run.Number, name), verdict))
		}
	}
	if run.history == nil {
		totals.operations += int(run.progress.Load())
	}
	for i, anomaly := range run.anomalies {
		fine = false
		if i < anomaliesShown {
			fmt.Printf("%v: %.400s\n", run.Epoch, anomaly)
		}
	}
	return fine, nil
}

// playKind has the clients work. What it returns is for when nothing is disturbed any more.
func (run *Run) playKind() (finish func() error) {
	switch run.Kind {
	case EpochBank:
		bank := run.playBank()
		return func() error { return run.closeBank(bank) }
	case EpochFork:
		fork := run.playFork()
		return func() error {
			for _, complaint := range fork.complaints() {
				run.anomaly("%s", complaint)
			}
			return nil
		}
	case EpochIndex:
		run.playIndex()
		return func() error { return nil }
	}
	run.play()
	return run.readAtEnd
}

// readAtEnd adds a last look at every key to the history.
func (run *Run) readAtEnd() error {
	for key := range allKeys {
		draw := one(Single, FormPlain, Action{Verb: Get, Key: key, Item: noItem})
		if err := run.perform(run.clients[0], draw, &Knowledge{}); err != nil {
			return err
		}
	}
	for i := range run.history {
		run.settle(&run.history[i])
	}
	return nil
}

// histories are those that must each be linearizable.
func (run *Run) histories() map[string][]Operation {
	history := forget(run.history)
	if run.Kind == EpochDelayed {
		return map[string][]Operation{"past": run.past(history), "present": present(history)}
	}
	return map[string][]Operation{"history": history}
}

func (totals *Totals) count(history []Operation) {
	totals.operations += len(history)
	for _, operation := range history {
		if operation.Output.IsUnknown {
			totals.lost++
		}
	}
}

func (done *Disturbances) add(more Disturbances) {
	done.Kills += more.Kills
	done.Stops += more.Stops
	done.Pauses += more.Pauses
	done.ClockMoves += more.ClockMoves
	done.LoadRequests += more.LoadRequests
}

func keepLog(server *Server, folder string) {
	if os.MkdirAll(folder, 0o755) != nil {
		return
	}
	path := filepath.Join(folder, "server.log")
	if log, err := os.ReadFile(server.directory + "/server.log"); err == nil &&
		os.WriteFile(path, log, 0o644) == nil {
		fmt.Println("what the server printed is in", path)
	}
}
