// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Server is a stator process on a directory of its own, which is killed and started again at will.
// All its processes listen on the same port, one after the other.
type Server struct {
	binary    string
	directory string
	port      int
	log       *os.File

	mutex   sync.Mutex
	changed *sync.Cond
	process *exec.Cmd
	ended   chan error    // what came of the process
	number  int           // of the process, from 1
	isUp    bool          // it has answered, and nobody has begun to end it
	deaths  map[int]int64 // when processes had ended for certain
	broken  error         // it ended by itself, or cannot be started any more
}

var started = time.Now()

// now is the time of histories: monotonic nanoseconds.
func now() int64 { return int64(time.Since(started)) }

const (
	startSecondsMax = 30
	stopSecondsMax  = 60
)

func newServer(binary, directory string) (*Server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	listener.Close()
	log, err := os.OpenFile(directory+"/server.log", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	server := &Server{binary: binary, directory: directory, port: port, log: log,
		deaths: map[int]int64{}}
	server.changed = sync.NewCond(&server.mutex)
	return server, server.start()
}

func (server *Server) url() string { return "http://127.0.0.1:" + strconv.Itoa(server.port) + "/" }

func (server *Server) start() error {
	process := exec.Command(server.binary, "serve", "--port", strconv.Itoa(server.port),
		"--data", server.directory+"/data", "--admin")
	process.Stdout = server.log
	process.Stderr = server.log
	// The server does not outlive this program, however it ends.
	process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := process.Start(); err != nil {
		return err
	}
	server.mutex.Lock()
	server.process = process
	server.ended = make(chan error, 1)
	server.number++
	go server.watch(process, server.number, server.ended)
	server.mutex.Unlock()

	err := server.waitUntilHealthy()
	server.mutex.Lock()
	defer server.mutex.Unlock()
	if _, isDead := server.deaths[server.number]; isDead && err == nil {
		err = fmt.Errorf("the server ended by itself, see its log")
	}
	server.broken = err
	server.isUp = err == nil
	server.changed.Broadcast()
	return err
}

// watch notes the end of a process, and that nobody had asked for it.
func (server *Server) watch(process *exec.Cmd, number int, ended chan<- error) {
	err := process.Wait()
	server.mutex.Lock()
	defer server.mutex.Unlock()
	server.deaths[number] = now()
	if server.isUp {
		server.broken = fmt.Errorf("the server ended by itself: %v", err)
		server.isUp = false
	}
	server.changed.Broadcast()
	ended <- err
}

func (server *Server) waitUntilHealthy() error {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	var err error
	for begun := time.Now(); time.Since(begun) < startSecondsMax*time.Second; {
		var response *http.Response
		if response, err = client.Get(server.url()); err == nil {
			response.Body.Close()
			return nil
		}
		time.Sleep(2 * time.Millisecond)
	}
	return fmt.Errorf("the server does not start: %w", err)
}

// end kills the server, or asks it to end, and waits until it has.
func (server *Server) end(signal syscall.Signal) error {
	server.mutex.Lock()
	server.isUp = false
	process, ended := server.process, server.ended
	server.mutex.Unlock()
	process.Process.Signal(signal)
	timer := time.AfterFunc(stopSecondsMax*time.Second, func() { process.Process.Kill() })
	err := <-ended
	ended <- err
	if inTime := timer.Stop(); signal == syscall.SIGTERM && (err != nil || !inTime) {
		return fmt.Errorf("the server did not stop cleanly: %v", err)
	}
	return nil
}

// pause stops the process for a while, as a machine under heavy load would.
func (server *Server) pause(length time.Duration) {
	server.mutex.Lock()
	process, isUp := server.process, server.isUp
	server.mutex.Unlock()
	if !isUp {
		return
	}
	process.Process.Signal(syscall.SIGSTOP)
	time.Sleep(length)
	process.Process.Signal(syscall.SIGCONT)
}

// current is the number of the process that may have a request that is sent now.
func (server *Server) current() int {
	server.mutex.Lock()
	defer server.mutex.Unlock()
	return server.number
}

// waitForUp waits until a process answers. An error says why none ever will.
func (server *Server) waitForUp() error {
	server.mutex.Lock()
	defer server.mutex.Unlock()
	for !server.isUp && server.broken == nil {
		server.changed.Wait()
	}
	return server.broken
}

// death is when the process had ended, or forever.
func (server *Server) death(number int) int64 {
	server.mutex.Lock()
	defer server.mutex.Unlock()
	if at, isDead := server.deaths[number]; isDead {
		return at
	}
	return forever
}

func (server *Server) administer(command string, body object) error {
	encoded, err := json.Marshal(body)
	if err != nil {
		return err
	}
	client := http.Client{Timeout: answerSecondsMax * time.Second}
	response, err := client.Post(server.url()+"_stator/"+command, "application/json",
		bytes.NewReader(encoded))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		answer, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", command, answer)
	}
	return nil
}
