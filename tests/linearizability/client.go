// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"
	"time"
)

// Client is one user of the server, with one connection, one request at a time.
type Client struct {
	number int
	server *Server
	http   http.Client
}

const answerSecondsMax = 30

func newClient(number int, server *Server) *Client {
	transport := &http.Transport{MaxIdleConnsPerHost: 1, DisableCompression: true}
	return &Client{number, server,
		http.Client{Transport: transport, Timeout: answerSecondsMax * time.Second}}
}

func (client *Client) close() { client.http.CloseIdleConnections() }

// Answer to one request that was sent, perhaps more than once.
type Answer struct {
	Call, Return int64
	Server       int // the process that had it last
	Status       int
	Body         []byte
	IsLost       bool // nobody knows what came of it
}

// send asks once. What was refused before it reached a server is sent to the next one. A lost
// request is sent again when that is safe.
func (client *Client) send(request Request, isRepeatable bool) (Answer, error) {
	body, err := json.Marshal(request.Body)
	if err != nil {
		return Answer{}, err
	}
	answer := Answer{}
	for isSent := false; ; {
		if err := client.server.waitForUp(); err != nil {
			return answer, err
		}
		if !isSent {
			answer.Call = now()
		}
		answer.Status, answer.Body, err = client.post(request.Operation, body)
		answer.Return = now()
		answer.Server = client.server.current()
		if err == nil && answer.Status < http.StatusInternalServerError {
			return answer, nil
		}
		if err != nil && errors.Is(err, syscall.ECONNREFUSED) {
			time.Sleep(time.Millisecond)
			continue
		}
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			return answer, fmt.Errorf("%s: no answer in %d seconds", request.Operation,
				answerSecondsMax)
		}
		isSent = true
		// After an error of the server's own the process lives, and nothing is known.
		if err == nil || !isRepeatable {
			answer.IsLost = true
			return answer, nil
		}
	}
}

func (client *Client) post(operation string, body []byte) (int, []byte, error) {
	request, err := http.NewRequest(http.MethodPost, client.server.url(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Content-Type", "application/x-amz-json-1.0")
	request.Header.Set("X-Amz-Target", service(operation)+"."+operation)
	request.Header.Set("X-Amz-Date", "20260101T000000Z")
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 "+
		"Credential=test/20260101/us-east-1/dynamodb/aws4_request, "+
		"SignedHeaders=host;x-amz-date;x-amz-target, Signature=0")
	response, err := client.http.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func service(operation string) string {
	switch operation {
	case "ListStreams", "DescribeStream", "GetShardIterator", "GetRecords":
		return "DynamoDBStreams_20120810"
	}
	return "DynamoDB_20120810"
}

// must is for what prepares a test: it has to succeed.
func (client *Client) must(operation string, body object) error {
	answer, err := client.send(Request{operation, body}, false)
	if err == nil && (answer.IsLost || answer.Status != http.StatusOK) {
		err = fmt.Errorf("%s: %d %.300s", operation, answer.Status, answer.Body)
	}
	return err
}

func (client *Client) createTable(table string, hasStream bool) error {
	attribute := func(name, kind string) object {
		return object{"AttributeName": name, "AttributeType": kind}
	}
	part := func(name, kind string) object {
		return object{"AttributeName": name, "KeyType": kind}
	}
	body := object{
		"TableName": table, "BillingMode": "PAY_PER_REQUEST",
		"AttributeDefinitions": []object{
			attribute("pk", "S"), attribute("g", "N"), attribute("n", "N")},
		"KeySchema": []object{part("pk", "HASH")},
		"GlobalSecondaryIndexes": []object{{
			"IndexName": indexName, "KeySchema": []object{part("g", "HASH"), part("n", "RANGE")},
			"Projection": object{"ProjectionType": "ALL"}}},
	}
	if hasStream {
		body["StreamSpecification"] = object{
			"StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES"}
	}
	return client.must("CreateTable", body)
}

func (client *Client) deleteTable(table string) error {
	return client.must("DeleteTable", object{"TableName": table})
}
