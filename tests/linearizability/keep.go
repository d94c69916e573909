// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/anishathalye/porcupine"
)

// What is kept of a history that is wrong: the operations as JSON, which --check reads again, and
// a picture for a browser, in which the longest order found so far is drawn.

// Kept is the JSON file.
type Kept struct {
	Result  porcupine.CheckResult
	History []Operation
}

// keep returns the paths of what it wrote.
func keep(folder, name string, verdict Verdict) string {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err.Error()
	}
	path := filepath.Join(folder, name+".json")
	encoded, err := json.MarshalIndent(Kept{verdict.Result, verdict.Part}, "", " ")
	if err == nil {
		err = os.WriteFile(path, encoded, 0o644)
	}
	if err != nil {
		return err.Error()
	}
	picture := filepath.Join(folder, name+".html")
	if err := porcupine.VisualizePath(verdict.model, verdict.info, picture); err != nil {
		return fmt.Sprintf("%s (no picture: %v)", path, err)
	}
	return path + " and " + picture
}

func recheck(path string) int {
	var kept Kept
	encoded, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(encoded, &kept)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	verdict := check(kept.History)
	fmt.Printf("%d operations: %s\n", len(kept.History), verdict.Result)
	if verdict.Result == porcupine.Ok {
		return 0
	}
	for _, operation := range verdict.Part {
		fmt.Printf("%12d %12d  client %2d  %s → %s\n", operation.Call/1000, operation.Return/1000,
			operation.Client, describeInput(operation.Input), describeOutput(operation.Output))
	}
	return 1
}
