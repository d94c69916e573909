// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math/rand"
	"strings"
	"syscall"
	"time"
)

// What happens to the server while clients work.

// Kinds of disturbances.
const (
	DisturbNone  = "none"
	DisturbKill  = "kill"  // kill -9 and a start on the same directory, once or twice
	DisturbStop  = "stop"  // SIGTERM and a start
	DisturbPause = "pause" // the process stands still again and again
	DisturbClock = "clock" // freezes and moves by minutes; tokens are remembered throughout
	DisturbJumps = "jumps" // moves by days; without tokens, which are forgotten
	DisturbLoad  = "load"  // other clients write a lot, and the processors have more to do
	DisturbFault = "fault" // refusals by chance
)

// Counts of what was done.
type Disturbances struct {
	Kills, Stops, Pauses, ClockMoves, LoadRequests int
}

// disturb works until the run is over.
func (run *Run) disturb(random *rand.Rand, over <-chan struct{}) (done Disturbances) {
	for !isOver(over) {
		var err error
		switch run.Disturbance {
		case DisturbKill, DisturbStop:
			err = run.restart(random, over, &done)
		case DisturbPause:
			sleep(time.Duration(random.Intn(15_000))*time.Microsecond, over)
			run.server.pause(time.Duration(1+random.Intn(60)) * time.Millisecond)
			done.Pauses++
		case DisturbClock, DisturbJumps:
			err = run.moveClock(random)
			done.ClockMoves++
			sleep(time.Duration(random.Intn(20))*time.Millisecond, over)
		case DisturbLoad:
			err = run.load(random)
			done.LoadRequests++
		default:
			<-over
		}
		if err != nil {
			run.fail(err)
			break
		}
	}
	if run.Disturbance == DisturbClock || run.Disturbance == DisturbJumps {
		run.ensure(run.server.administer("clock", object{"set": realSeconds(), "resume": true}))
	}
	return done
}

func (run *Run) ensure(err error) {
	if err != nil {
		run.fail(err)
	}
}

func isOver(over <-chan struct{}) bool {
	select {
	case <-over:
		return true
	default:
		return false
	}
}

// sleep ends early when the run is over.
func sleep(length time.Duration, over <-chan struct{}) {
	select {
	case <-over:
	case <-time.After(length):
	}
}

func realSeconds() float64 { return float64(time.Now().UnixMilli()) / 1000 }

// restart ends the server at some place of the run, and twice in a while soon after its start.
func (run *Run) restart(random *rand.Rand, over <-chan struct{}, done *Disturbances) error {
	total := run.Clients * run.Operations
	at := int64(total/10 + random.Intn(total*8/10))
	for run.progress.Load() < at && !isOver(over) {
		sleep(200*time.Microsecond, over)
	}
	for times := 1 + random.Intn(2); times > 0 && !isOver(over); times-- {
		sleep(time.Duration(random.Intn(8_000))*time.Microsecond, over)
		signal := syscall.SIGKILL
		if run.Disturbance == DisturbStop {
			signal = syscall.SIGTERM
			done.Stops++
		} else {
			done.Kills++
		}
		if err := run.server.end(signal); err != nil {
			run.anomaly("%v", err)
		}
		if err := run.server.start(); err != nil {
			return err
		}
	}
	<-over
	return nil
}

// Tokens are kept for ten minutes by the server's clock; within this they are all remembered.
const clockSpanSeconds = 500

// moveClock sets a time after the tables were made, since before it they were not. A table made in
// what is now the future would be CREATING.
func (run *Run) moveClock(random *rand.Rand) error {
	span := float64(clockSpanSeconds)
	if run.Disturbance == DisturbJumps {
		span = 10 * 24 * 3600
	}
	command := object{"set": realSeconds() + random.Float64()*span}
	switch random.Intn(3) {
	case 0:
		command["freeze"] = true
	case 1:
		command["resume"] = true
	}
	return run.server.administer("clock", command)
}

// load writes a large batch to another table, which makes groups larger and the store compact, and
// keeps a processor busy for a moment.
func (run *Run) load(random *rand.Rand) error {
	client := newClient(-1, run.server)
	defer client.close()
	var writes []object
	for i := 0; i < 25; i++ {
		item := object{"pk": text(fmt.Sprintf("load-%d", random.Intn(5000))),
			"g": number(random.Int63n(groups)), "n": number(random.Int63n(1000)),
			"filler": text(strings.Repeat("x", 1+random.Intn(20_000)))}
		writes = append(writes, object{"PutRequest": object{"Item": item}})
	}
	// Equal keys within a batch are refused, which is as good a load.
	if _, err := client.send(Request{"BatchWriteItem",
		object{"RequestItems": object{loadTable: writes}}}, false); err != nil {
		return err
	}
	for until := time.Now().Add(time.Duration(random.Intn(3)) * time.Millisecond); time.Now().Before(until); {
		_ = strings.Repeat("work", 1000)
	}
	return nil
}

const loadTable = "lin-load"

func (run *Run) setFaults() error {
	faults := object{"table": run.table()}
	switch {
	case run.Kind == EpochDelayed:
		faults["read_delay"] = run.delay.Seconds()
	case run.Disturbance == DisturbFault:
		faults["conflict_rate"] = 0.1
		faults["throttle_rate"] = 0.05
		faults["unprocessed_rate"] = 0.2
	default:
		return nil
	}
	return run.server.administer("faults", faults)
}
