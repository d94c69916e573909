// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// How an operation of the model is asked for on the wire, and what its answer means. The same
// operation has several forms: by expressions, by PartiQL, alone or in a batch.

type object = map[string]any

// Forms of inputs.
const (
	FormPlain    = "plain"
	FormEventual = "eventual" // a read without ConsistentRead
	FormQuery    = "query"    // a read of one key by Query
	FormBatch    = "batch"    // a batch of one kind of write or read
	FormPartiQL  = "partiql"
	FormScan     = "scan"
)

// Request is one call. Several inputs share it when it is a batch.
type Request struct {
	Operation string
	Body      object
}

const indexName = "by-g"

func keyText(key int) string { return "k" + strconv.Itoa(key) }

func text(value string) object  { return object{"S": value} }
func number(value int64) object { return object{"N": strconv.FormatInt(value, 10)} }
func key(action Action) object  { return object{"pk": text(keyText(action.Key))} }

func encodeItem(key int, item Item) object {
	encoded := object{"pk": text(keyText(key))}
	for _, attribute := range attributesOf(&item) {
		if *attribute.value != absent {
			encoded[attribute.name] = number(*attribute.value)
		}
	}
	return encoded
}

// encode is the request of an input; batches of more than one input are joined by joinBatch.
func encode(table string, input Input) Request {
	switch input.Kind {
	case Single:
		return encodeSingle(table, input)
	case TransactWrite:
		return encodeTransactWrite(table, input)
	case TransactGet:
		return encodeTransactGet(table, input)
	case ReadAll:
		return encodeReadAll(table, input)
	case QueryIndex:
		return encodeQueryIndex(table, input)
	}
	panic("no such kind: " + input.Kind)
}

func encodeSingle(table string, input Input) Request {
	action := input.Actions[0]
	switch {
	case input.Form == FormPartiQL:
		statement, parameters := partiQL(table, action, true)
		body := object{"Statement": statement, "ConsistentRead": action.Verb == Get}
		if len(parameters) > 0 {
			body["Parameters"] = parameters
		}
		return Request{"ExecuteStatement", body}
	case action.Verb == Get && input.Form == FormQuery:
		return Request{"Query", object{
			"TableName": table, "ConsistentRead": true, "KeyConditionExpression": "pk = :k",
			"ExpressionAttributeValues": object{":k": text(keyText(action.Key))}}}
	case action.Verb == Get:
		return Request{"GetItem", object{
			"TableName": table, "Key": key(action), "ConsistentRead": input.Form != FormEventual}}
	}
	body := writeBody(table, action)
	if action.Return != ReturnNone {
		body["ReturnValues"] = string(action.Return)
	}
	name := map[Verb]string{Put: "PutItem", Update: "UpdateItem", Delete: "DeleteItem"}[action.Verb]
	return Request{name, body}
}

// writeBody has the members that a write has alone and in a transaction.
func writeBody(table string, action Action) object {
	body := object{"TableName": table}
	values := object{}
	if action.Verb == Put {
		body["Item"] = encodeItem(action.Key, action.Item)
	} else {
		body["Key"] = key(action)
	}
	if action.Verb == Update {
		body["UpdateExpression"] = updateExpression(action, values)
	}
	condition := map[Condition]string{
		Exists: "attribute_exists(pk)", NotExists: "attribute_not_exists(pk)",
		VEquals: "v = :operand", NAtLeast: "n >= :operand"}[action.Condition]
	if condition != "" {
		body["ConditionExpression"] = condition
	}
	if strings.Contains(condition, ":operand") {
		values[":operand"] = number(action.Operand)
	}
	if action.ReturnOld {
		body["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
	}
	if len(values) > 0 {
		body["ExpressionAttributeValues"] = values
	}
	return body
}

func updateExpression(action Action, values object) string {
	var sets []string
	set := func(part, name string, value int64) {
		sets = append(sets, part)
		values[name] = number(value)
	}
	if action.Item.V != absent {
		set("v = :v", ":v", action.Item.V)
	}
	if action.Item.G != absent {
		set("g = :g", ":g", action.Item.G)
	}
	switch action.Count {
	case Increase:
		set("n = n + :d", ":d", action.Delta)
	case IncreaseZ:
		set("n = if_not_exists(n, :zero) + :d", ":d", action.Delta)
		values[":zero"] = number(0)
	}
	expression := "SET " + strings.Join(sets, ", ")
	if action.RemoveG {
		expression += " REMOVE g"
	}
	if action.Count == Add {
		expression += " ADD n :d"
		values[":d"] = number(action.Delta)
	}
	return expression
}

// partiQL is the action as a statement; only what the generator calls by this form can be one.
func partiQL(table string, action Action, isAlone bool) (string, []object) {
	where := ` WHERE pk = ?`
	parameters := []object{text(keyText(action.Key))}
	switch action.Condition {
	case VEquals, GoneOrEquals:
		where += " AND v = ?"
		parameters = append(parameters, number(action.Operand))
	case NAtLeast:
		where += " AND n >= ?"
		parameters = append(parameters, number(action.Operand))
	}
	from := ` FROM "` + table + `"`
	switch action.Verb {
	case Get:
		return "SELECT *" + from + where, parameters
	case Check:
		return "EXISTS(SELECT *" + from + where + ")", parameters
	case Put:
		return partiQLInsert(table, action)
	case Delete:
		return "DELETE" + from + where + returning(action, isAlone), parameters
	}
	statement, changes := partiQLUpdate(table, action)
	return statement + where + returning(action, isAlone), append(changes, parameters...)
}

func partiQLInsert(table string, action Action) (string, []object) {
	names, parameters := []string{"'pk': ?"}, []object{text(keyText(action.Key))}
	for _, attribute := range attributesOf(&action.Item) {
		if *attribute.value != absent {
			names = append(names, "'"+attribute.name+"': ?")
			parameters = append(parameters, number(*attribute.value))
		}
	}
	return `INSERT INTO "` + table + `" VALUE {` + strings.Join(names, ", ") + "}", parameters
}

func partiQLUpdate(table string, action Action) (string, []object) {
	statement := `UPDATE "` + table + `"`
	var parameters []object
	change := func(part string, value int64) {
		statement += part
		parameters = append(parameters, number(value))
	}
	if action.Item.V != absent {
		change(" SET v = ?", action.Item.V)
	}
	if action.Item.G != absent {
		change(" SET g = ?", action.Item.G)
	}
	if action.Count == Increase {
		change(" SET n = n + ?", action.Delta)
	}
	if action.RemoveG {
		statement += " REMOVE g"
	}
	return statement, parameters
}

func returning(action Action, isAlone bool) string {
	words := map[Returned]string{AllOld: "ALL OLD *", AllNew: "ALL NEW *",
		UpdatedOld: "MODIFIED OLD *", UpdatedNew: "MODIFIED NEW *"}[action.Return]
	if words == "" || !isAlone {
		return ""
	}
	return " RETURNING " + words
}

func encodeTransactWrite(table string, input Input) Request {
	var members []object
	for _, action := range input.Actions {
		if input.Form == FormPartiQL {
			members = append(members, encodeStatement(table, action))
			continue
		}
		name := map[Verb]string{Put: "Put", Update: "Update", Delete: "Delete",
			Check: "ConditionCheck"}[action.Verb]
		members = append(members, object{name: writeBody(table, action)})
	}
	if input.Form == FormPartiQL {
		return withToken(Request{"ExecuteTransaction", object{"TransactStatements": members}}, input)
	}
	return withToken(Request{"TransactWriteItems", object{"TransactItems": members}}, input)
}

func withToken(request Request, input Input) Request {
	if input.Token != "" {
		request.Body["ClientRequestToken"] = input.Token
	}
	return request
}

func encodeStatement(table string, action Action) object {
	statement, parameters := partiQL(table, action, false)
	member := object{"Statement": statement, "Parameters": parameters}
	if action.ReturnOld {
		member["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
	}
	return member
}

func encodeTransactGet(table string, input Input) Request {
	var members []object
	for _, action := range input.Actions {
		if input.Form == FormPartiQL {
			members = append(members, encodeStatement(table, action))
			continue
		}
		members = append(members, object{"Get": object{"TableName": table, "Key": key(action)}})
	}
	if input.Form == FormPartiQL {
		return Request{"ExecuteTransaction", object{"TransactStatements": members}}
	}
	return Request{"TransactGetItems", object{"TransactItems": members}}
}

func encodeReadAll(table string, input Input) Request {
	if input.Form == FormScan {
		return Request{"Scan", object{"TableName": table, "ConsistentRead": true}}
	}
	return Request{"BatchGetItem", object{"RequestItems": object{table: object{
		"Keys": encodeKeys(allKeys), "ConsistentRead": true}}}}
}

func encodeKeys(keys []int) []object {
	var encoded []object
	for _, key := range keys {
		encoded = append(encoded, object{"pk": text(keyText(key))})
	}
	return encoded
}

func encodeQueryIndex(table string, input Input) Request {
	if input.Form == FormPartiQL {
		return Request{"ExecuteStatement", object{
			"Statement":  fmt.Sprintf(`SELECT * FROM "%s"."%s" WHERE g = ?`, table, indexName),
			"Parameters": []object{number(input.Group)}}}
	}
	return Request{"Query", object{
		"TableName": table, "IndexName": indexName, "KeyConditionExpression": "g = :g",
		"ExpressionAttributeValues": object{":g": number(input.Group)}}}
}

// encodeBatch joins single reads or single writes, of different keys and without conditions.
func encodeBatch(table string, inputs []Input) Request {
	var keys []int
	var writes []object
	for _, input := range inputs {
		action := input.Actions[0]
		switch action.Verb {
		case Get:
			keys = append(keys, action.Key)
		case Put:
			writes = append(writes, object{"PutRequest": object{
				"Item": encodeItem(action.Key, action.Item)}})
		case Delete:
			writes = append(writes, object{"DeleteRequest": object{"Key": key(action)}})
		}
	}
	if len(keys) > 0 {
		return Request{"BatchGetItem", object{"RequestItems": object{table: object{
			"Keys": encodeKeys(keys), "ConsistentRead": true}}}}
	}
	return Request{"BatchWriteItem", object{"RequestItems": object{table: writes}}}
}

// ---- Answers ---------------------------------------------------------------------------------

type encodedItem = map[string]map[string]any

type answer struct {
	Item, Attributes  encodedItem
	Items             []encodedItem
	Responses         json.RawMessage
	UnprocessedItems  map[string][]map[string]any
	UnprocessedKeys   map[string]any
	LastEvaluatedKey  encodedItem
	NextToken         string
	Type              string `json:"__type"`
	Message           string
	CancellationCodes []struct {
		Code, Message string
		Item          encodedItem
	} `json:"CancellationReasons"`
}

// Counting what is not there is the only mistake that the generator makes.
const missingOperand = "refers to an attribute that does not exist in the item"

var codes = map[string]string{
	"ConditionalCheckFailedException":        ConditionFailed,
	"DuplicateItemException":                 Duplicate,
	"ValidationException":                    Invalid,
	"TransactionCanceledException":           Canceled,
	"TransactionConflictException":           Refused,
	"ThrottlingException":                    Refused,
	"ProvisionedThroughputExceededException": Refused,
}

// decode is what the answer says about the input. An error is an answer that no input can have.
func decode(input Input, status int, body []byte) (Output, error) {
	var answered answer
	if err := json.Unmarshal(body, &answered); err != nil {
		return Output{}, fmt.Errorf("status %d, body %.200q: %w", status, body, err)
	}
	if status != 200 {
		return decodeFailure(input, answered, body)
	}
	if len(answered.LastEvaluatedKey) > 0 || answered.NextToken != "" {
		return Output{}, fmt.Errorf("the page of a small table ended early: %.200s", body)
	}
	switch input.Kind {
	case Single:
		return decodeSingle(input, answered)
	case TransactWrite:
		return Output{}, nil
	case TransactGet:
		return decodeTransactGet(input, answered)
	case ReadAll:
		return decodeReadAll(input, answered)
	}
	return decodeAll(answered.Items, true)
}

func decodeFailure(input Input, answered answer, body []byte) (Output, error) {
	_, name, _ := strings.Cut(answered.Type, "#")
	code, isKnown := codes[name]
	if !isKnown || code == Invalid && !strings.Contains(answered.Message, missingOperand) {
		return Output{}, fmt.Errorf("unexpected answer %.300s", body)
	}
	output := Output{Code: code}
	if code == Refused {
		return output, nil
	}
	if code != Canceled {
		item, err := decodeItem(input, 0, answered.Item)
		output.Items = []Item{item}
		return output, err
	}
	for i, reason := range answered.CancellationCodes {
		if reason.Code == "TransactionConflict" || reason.Code == "ThrottlingError" {
			return Output{Code: Refused}, nil
		}
		item, err := decodeItem(input, i, reason.Item)
		if err != nil {
			return output, err
		}
		output.Reasons = append(output.Reasons, reason.Code)
		output.Items = append(output.Items, item)
	}
	return output, nil
}

func decodeSingle(input Input, answered answer) (Output, error) {
	encoded := answered.Item
	switch {
	case input.Form == FormPartiQL || input.Form == FormQuery:
		if len(answered.Items) > 1 {
			return Output{}, fmt.Errorf("%d items of one key", len(answered.Items))
		}
		if len(answered.Items) == 1 {
			encoded = answered.Items[0]
		}
	case input.Actions[0].Verb != Get:
		encoded = answered.Attributes
	}
	item, err := decodeItem(input, 0, encoded)
	return Output{Items: []Item{item}}, err
}

func decodeTransactGet(input Input, answered answer) (Output, error) {
	var responses []struct{ Item encodedItem }
	if err := json.Unmarshal(answered.Responses, &responses); err != nil {
		return Output{}, err
	}
	if len(responses) != len(input.Actions) {
		return Output{}, fmt.Errorf("%d responses to %d gets", len(responses), len(input.Actions))
	}
	output := Output{Items: make([]Item, len(responses))}
	for i, response := range responses {
		item, err := decodeItem(input, i, response.Item)
		if err != nil {
			return output, err
		}
		output.Items[i] = item
	}
	return output, nil
}

func decodeReadAll(input Input, answered answer) (Output, error) {
	if input.Form == FormScan {
		return decodeAll(answered.Items, false)
	}
	if len(answered.UnprocessedKeys) > 0 {
		return Output{Code: Refused}, nil
	}
	items, err := batchItems(answered)
	if err != nil {
		return Output{}, err
	}
	return decodeAll(items, false)
}

func batchItems(answered answer) ([]encodedItem, error) {
	responses := map[string][]encodedItem{}
	if err := json.Unmarshal(answered.Responses, &responses); err != nil {
		return nil, err
	}
	var items []encodedItem
	for _, table := range responses {
		items = append(items, table...)
	}
	return items, nil
}

// decodeAll puts items where their keys are; no key may come twice.
func decodeAll(items []encodedItem, isSorted bool) (Output, error) {
	state := emptyState()
	last := int64(absent)
	for _, encoded := range items {
		item, key, err := decodeAny(encoded)
		if err != nil {
			return Output{}, err
		}
		if key < 0 || state[key].Exists {
			return Output{}, fmt.Errorf("no key, or the same twice: %v", encoded)
		}
		if isSorted && item.N < last {
			return Output{}, fmt.Errorf("out of the index's order: %v", items)
		}
		last = item.N
		state[key] = item
	}
	return Output{Items: state[:]}, nil
}

// decodeItem is an item or some attributes of one; its key, when there is one, has to be the
// action's.
func decodeItem(input Input, at int, encoded encodedItem) (Item, error) {
	item, key, err := decodeAny(encoded)
	if err == nil && at >= len(input.Actions) {
		err = fmt.Errorf("more items than actions")
	}
	if err == nil && key >= 0 && key != input.Actions[at].Key {
		err = fmt.Errorf("the item of another key: %v", encoded)
	}
	return item, err
}

func decodeAny(encoded encodedItem) (item Item, key int, err error) {
	item, key = noItem, -1
	for name, value := range encoded {
		var number int64
		if name == "pk" {
			text, _ := value["S"].(string)
			key = slices.IndexFunc(allKeys, func(key int) bool { return keyText(key) == text })
			item.Exists = true
			if key < 0 {
				return item, key, fmt.Errorf("a key that nobody wrote: %v", encoded)
			}
			continue
		}
		digits, _ := value["N"].(string)
		if number, err = strconv.ParseInt(digits, 10, 64); err != nil {
			return item, key, fmt.Errorf("attribute %s: %w", name, err)
		}
		attributes := attributesOf(&item)
		at := slices.IndexFunc(attributes[:], func(known Attribute) bool {
			return known.name == name
		})
		if at < 0 {
			return item, key, fmt.Errorf("an attribute that nobody wrote: %v", encoded)
		}
		*attributes[at].value = number
	}
	return item, key, nil
}

// decodeBatch is what the answer to encodeBatch says about each of its inputs.
func decodeBatch(inputs []Input, status int, body []byte) ([]Output, error) {
	outputs := make([]Output, len(inputs))
	for i := range outputs {
		outputs[i].Items = []Item{noItem}
	}
	var answered answer
	if err := json.Unmarshal(body, &answered); err != nil {
		return nil, fmt.Errorf("status %d, body %.200q: %w", status, body, err)
	}
	if status != 200 {
		failed, err := decodeFailure(inputs[0], answered, body)
		for i := range outputs {
			outputs[i] = failed
		}
		return outputs, err
	}
	left := leftOut(body)
	items, err := batchItems(answered)
	if err != nil && inputs[0].Actions[0].Verb == Get {
		return nil, err
	}
	found, err := decodeAll(items, false)
	for i, input := range inputs {
		key := input.Actions[0].Key
		if left[keyText(key)] {
			outputs[i] = Output{Code: Refused}
		} else if input.Actions[0].Verb == Get && err == nil {
			outputs[i].Items[0] = found.Items[key]
		}
	}
	return outputs, err
}

// leftOut are the keys among what a batch did not process.
func leftOut(body []byte) map[string]bool {
	var answered struct {
		UnprocessedItems map[string][]struct {
			PutRequest    struct{ Item encodedItem }
			DeleteRequest struct{ Key encodedItem }
		}
		UnprocessedKeys map[string]struct{ Keys []encodedItem }
	}
	left := map[string]bool{}
	if json.Unmarshal(body, &answered) != nil {
		return left
	}
	note := func(item encodedItem) {
		if text, isText := item["pk"]["S"].(string); isText {
			left[text] = true
		}
	}
	for _, writes := range answered.UnprocessedItems {
		for _, write := range writes {
			note(write.PutRequest.Item)
			note(write.DeleteRequest.Key)
		}
	}
	for _, table := range answered.UnprocessedKeys {
		for _, key := range table.Keys {
			note(key)
		}
	}
	return left
}
